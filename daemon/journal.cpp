#include "journal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "journal/names.hpp"
#include "journal/segment_reader.hpp"
#include "log.hpp"
#include "os/clock.hpp"
#include "spillring/error.hpp"

namespace spillring::daemon {

namespace {

void remove_all(journal::Storage& storage, const std::string& directory) {
  for (const std::string& name : storage.list(directory))
    storage.remove(fmt::format("{}/{}", directory, name));
  storage.remove_directory(directory);
}

}  // namespace

void Journal::remove_orphans(const JournalPlace& place,
                             const std::function<bool(std::uint64_t)>& is_known) {
  for (const std::string& name : place.storage.list(place.directory)) {
    const auto id = journal::queue_of(name);
    if (!id || is_known(*id)) continue;
    remove_all(place.storage, place.directory + "/" + name);
  }
}

Journal::Journal(const JournalPlace& place, std::uint64_t queue_id)
    : place_(place),
      directory_(place.directory + "/" + journal::folder_name(queue_id)),
      options_{directory_, queue_id, place.segment_size},
      lane_(place.spooler.new_lane()) {
  writer_ = std::make_shared<journal::SegmentWriter>(place_.storage, options_);
}

std::string Journal::path_of(std::uint64_t first) const {
  return directory_ + "/" + journal::segment_name(first);
}

void Journal::adopt(std::uint64_t next) {
  for (const std::string& name : place_.storage.list(directory_)) {
    const std::uint64_t first = journal::first_of(name);
    // What was begun and never counted, under a name that does not count or one that comes again.
    if (first == 0 || first >= next) {
      place_.storage.remove(directory_ + "/" + name);
    } else {
      segments_.emplace(first, adopted(first));
    }
  }
  end_ = next;
}

std::uint64_t Journal::find_end() const {
  const auto places = journal::places_of(place_.storage.list(directory_));
  if (places.empty()) return 0;
  const std::uint64_t last = places.back().first;
  try {
    return journal::SegmentReader(place_.storage.open(path_of(last)), options_.queue_id).end();
  } catch (const Error& error) {
    if (error.code() != Code::corrupt) throw;
    return last;  // nothing in it can be read, and nothing is behind it
  }
}

void Journal::begun(const journal::SegmentWriter::Begun& segment) {
  if (segment.first != 0) end_file();
  left_ = segment.left;
  if (segment.first == 0) return;
  segments_.insert_or_assign(segment.first, File{segment.size, os::wall_clock()});
}

/// The file that was being filled is cut to what is in it.
void Journal::end_file() noexcept {
  if (!segments_.empty()) segments_.rbegin()->second.bytes -= left_;
  left_ = 0;
}

/// One that cannot be read is as young as can be, so that nothing goes early for its sake.
Journal::File Journal::adopted(std::uint64_t first) const {
  File file{place_.segment_size, os::wall_clock()};
  try {
    file.bytes = std::filesystem::file_size(path_of(first));
    file.begun = journal::SegmentReader(place_.storage.open(path_of(first)), options_.queue_id)
                     .header()
                     .created;
  } catch (const std::exception& failure) {
    log(failure.what());
  }
  return file;
}

/// A file's last message is no younger than the file behind it.
std::uint64_t Journal::retained_from(Retention retention, std::uint64_t wall_clock) const noexcept {
  std::uint64_t behind = bytes() - segments_.rbegin()->second.bytes;  // that one is being filled
  for (auto file = segments_.begin();; ++file) {
    const auto next = std::next(file);
    if (next == segments_.end()) return file->first;
    behind -= file->second.bytes;
    const bool too_old =
        retention.nanoseconds != 0 && next->second.begun + retention.nanoseconds <= wall_clock;
    const bool too_much = retention.bytes != 0 && behind >= retention.bytes;
    if (!too_old && !too_much) return file->first;
  }
}

std::uint64_t Journal::expires_at(Retention retention) const noexcept {
  if (retention.nanoseconds == 0 || segments_.size() < 2) return UINT64_MAX;
  return std::next(segments_.begin())->second.begun + retention.nanoseconds;
}

void Journal::rotate_before(std::uint64_t wall_clock) {
  if (segments_.empty() || segments_.rbegin()->second.begun >= wall_clock) return;
  end_file();
  place_.spooler.submit(
      lane_, [writer = writer_] { writer->finish(); }, [](const std::exception_ptr&) {});
}

void Journal::make_contiguous(const journal::Batch& batch) {
  if (batch.first != end_) drop_below(batch.first, true);
}

std::uint64_t Journal::file_for(const journal::Batch& batch) const noexcept {
  const std::uint64_t size = layout::batch_size(batch.entries.size(), batch.data);
  if (batch.first == end_ && size <= left_) return 0;
  return std::max(options_.segment_size, layout::first_batch_at + size);
}

void Journal::append(journal::Batch batch, std::shared_ptr<const void> alive, bool sync,
                     Done done) {
  make_contiguous(batch);
  busy_ = true;
  auto segment = std::make_shared<journal::SegmentWriter::Begun>();
  const std::uint64_t end = batch.end();
  place_.spooler.submit(
      lane_,
      [writer = writer_, batch = std::move(batch), sync, segment] {
        *segment = writer->append(batch, sync);
      },
      // Let go of in the loop, which alone knows what it is charged to.
      [this, here = std::weak_ptr(alive_), segment, end, alive = std::move(alive),
       done = std::move(done)](const std::exception_ptr& failure) {
        if (here.expired()) return;
        busy_ = false;
        if (failure) {
          left_ = 0;  // that file is not used again
        } else {
          begun(*segment);
          end_ = end;
        }
        done(failure);
      });
}

void Journal::append_now(const journal::Batch& batch, bool sync) {
  make_contiguous(batch);
  begun(writer_->append(batch, sync));
  end_ = batch.end();
}

void Journal::sync_now() {
  if (empty()) return;
  writer_->sync();
  place_.storage.sync_directory(directory_);
}

/// In a thread of its own: the disk may take its time over it.
void Journal::forget(std::uint64_t first) {
  segments_.erase(first);
  place_.spooler.submit(
      lane_, [&storage = place_.storage, path = path_of(first)] { storage.remove(path); },
      [](const std::exception_ptr& failure) {
        if (!failure) return;
        try {
          std::rethrow_exception(failure);
        } catch (const std::exception& error) {
          log(error.what());
        }
      });
}

void Journal::drop_below(std::uint64_t s, bool all) {
  while (segments_.size() > 1 && std::next(segments_.begin())->first <= s) forget(first());
  if (!all || segments_.empty() || busy_ || end_ > s) return;
  forget(first());
  left_ = 0;
  writer_ = std::make_shared<journal::SegmentWriter>(place_.storage, options_);
}

/// Behind what is on its way.
void Journal::remove() noexcept try {
  segments_.clear();
  place_.spooler.submit(
      lane_,
      [&storage = place_.storage, directory = directory_] { remove_all(storage, directory); },
      [](const std::exception_ptr&) {});   // what is left is removed at the next start
} catch (const std::exception& failure) {  // no memory for the work: likewise
  log(failure.what());
}

std::uint64_t Journal::bytes_from(std::uint64_t s) const noexcept {
  auto file = segments_.upper_bound(s);
  if (file != segments_.begin()) --file;
  std::uint64_t sum = 0;
  for (; file != segments_.end(); ++file) sum += file->second.bytes;
  return sum;
}

Journal::Segment Journal::segment_of(std::uint64_t s) const {
  const auto behind = segments_.upper_bound(s);
  if (behind == segments_.begin()) {
    throw Error(Code::not_found, fmt::format("number {} is not in the journal any more", s));
  }
  const std::uint64_t first = std::prev(behind)->first;
  return {place_.storage.open(path_of(first)), first,
          behind == segments_.end() ? 0 : behind->first};
}

}  // namespace spillring::daemon
