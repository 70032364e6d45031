#include "journal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "journal/names.hpp"
#include "journal/segment_reader.hpp"
#include "log.hpp"
#include "os/clock.hpp"
#include "os/memory.hpp"
#include "spillring/error.hpp"

namespace spillring::daemon {

namespace {

// What is over is there for so long to be written over.
constexpr os::Instant spare_for = 500'000'000;

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
      lane_(place.spooler.new_lane()),
      removals_(place.spooler.new_lane()) {
  writer_ = std::make_shared<journal::SegmentWriter>(place_.storage, options_);
}

std::string Journal::path_of(std::uint64_t first) const {
  return directory_ + "/" + journal::segment_name(first);
}

std::uint64_t Journal::adopt(std::uint64_t next, std::uint64_t needed) {
  std::vector<std::uint64_t> found;
  for (const std::string& name : place_.storage.list(directory_)) {
    const std::uint64_t first = journal::first_of(name);
    if (first != 0 && first < next) {
      found.push_back(first);
    } else {  // begun and never counted, or under a name that does not count
      place_.storage.remove(directory_ + "/" + name);
    }
  }
  std::sort(found.begin(), found.end());
  for (const std::uint64_t first : found) {
    if (files_->by_first.empty() && is_over(first)) {
      place_.storage.remove(path_of(first));
    } else {
      files_->by_first.emplace(first, File{.bytes = bytes_of(first)});
    }
  }
  files_->end = next;
  const std::uint64_t begin = files_->by_first.empty() ? next : files_->by_first.begin()->first;
  // What is needed, and no file is for, is looked for in one that was removed. (There is no number
  // 0, whatever a forged floor says.)
  needed = std::max<std::uint64_t>(needed, 1);
  if (needed < begin)
    files_->by_first.emplace(needed, File{.begun = os::wall_clock(), .missed = true});
  return begin;
}

std::uint64_t Journal::find_end() const {
  const auto places = journal::places_of(place_.storage.list(directory_));
  if (places.empty()) return 0;
  const std::uint64_t last = places.back().first;
  try {
    journal::SegmentReader reader(place_.storage.open(path_of(last)), options_.queue_id);
    return reader.first() == last ? reader.end() : last;
  } catch (const Error& error) {
    if (error.code() != Code::corrupt) throw;
    return last;  // nothing in it can be read, and nothing is behind it
  }
}

/// It was about to be written over, and has the name and nothing of the segment any more
/// (segment_writer.hpp, O1). Only the oldest can be.
bool Journal::is_over(std::uint64_t first) const try {
  return journal::SegmentReader(place_.storage.open(path_of(first)), options_.queue_id).first() !=
         first;
} catch (const std::exception& failure) {
  log(failure.what());
  return false;
}

std::uint64_t Journal::bytes_of(std::uint64_t first) const noexcept {
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(path_of(first), error);
  return error ? place_.segment_size : size;
}

/// When it was begun. Of what another supervisor wrote the file says so, which is read when
/// somebody asks: there may be thousands. One that cannot be read is as young as can be, so that
/// nothing goes early for its sake. REQUIRES: the mutex.
std::uint64_t Journal::begun(std::uint64_t first, File& file) const noexcept {
  if (file.begun != 0) return file.begun;
  file.begun = os::wall_clock();
  try {
    const journal::SegmentReader reader(place_.storage.open(path_of(first)), options_.queue_id);
    file.begun = reader.header().created;
  } catch (const std::exception& failure) {
    log(failure.what());
  }
  return file.begun;
}

/// A file's last message is no younger than the file behind it.
std::uint64_t Journal::retained_from(Retention retention, std::uint64_t wall_clock) const noexcept {
  const std::lock_guard lock(files_->mutex);
  auto& files = files_->by_first;
  std::uint64_t behind = 0;  // but for the one that is being filled
  for (auto file = files.begin(); std::next(file) != files.end(); ++file)
    behind += file->second.bytes;
  for (auto file = files.begin();; ++file) {
    const auto next = std::next(file);
    if (next == files.end()) return file->first;
    behind -= file->second.bytes;
    const bool too_old = retention.nanoseconds != 0 &&
                         begun(next->first, next->second) + retention.nanoseconds <= wall_clock;
    const bool too_much = retention.bytes != 0 && behind >= retention.bytes;
    if (!too_old && !too_much) return file->first;
  }
}

std::uint64_t Journal::expires_at(Retention retention) const noexcept {
  const std::lock_guard lock(files_->mutex);
  auto& files = files_->by_first;
  if (retention.nanoseconds == 0 || files.size() < 2) return UINT64_MAX;
  const auto second = std::next(files.begin());
  return begun(second->first, second->second) + retention.nanoseconds;
}

bool Journal::was_begun_before(std::uint64_t wall_clock) const noexcept {
  const std::lock_guard lock(files_->mutex);
  auto& files = files_->by_first;
  return !files.empty() && begun(files.rbegin()->first, files.rbegin()->second) < wall_clock;
}

/// Where the work ends early, what was written and does not count must not stand before what comes:
/// the file is given up.
void Journal::Appender::run(const Work& work) try { work(*this); } catch (...) {
  writer_->give_up();
  const std::lock_guard lock(files_->mutex);
  if (auto& files = files_->by_first; !files.empty()) files.rbegin()->second.sound = false;
  throw;
}

/// REQUIRES: the mutex.
journal::Spare Journal::Files::take_spare() {
  if (over.empty()) return {};
  const journal::Spare file = over.front().file;
  over.pop_front();
  return file;
}

void Journal::Appender::append(const journal::Batch& batch, bool sync_follows) {
  journal::Spare spare;
  if (!has_room_for(batch)) {
    const std::lock_guard lock(files_->mutex);
    spare = files_->take_spare();
  }
  const journal::SegmentWriter::Begun begun = writer_->append(batch, sync_follows, spare);
  if (begun.first == 0 && sync_follows && spare.first == 0) return;
  const std::lock_guard lock(files_->mutex);
  auto& files = files_->by_first;
  // The present file has room after all: what was taken is over as before.
  if (begun.first == 0 && spare.first != 0) files_->over.push_front({spare, os::now()});
  if (begun.first != 0) {
    if (begun.cut != 0 && !files.empty()) files.rbegin()->second.bytes = begun.cut;
    const File file{.bytes = begun.size, .begun = os::wall_clock(), .sound = true, .synced = true};
    files.insert_or_assign(begun.first, file);
  }
  // What a sync follows does not count before that.
  // (None is left where the queue was removed meanwhile.)
  if (!sync_follows && !files.empty()) files.rbegin()->second.synced = false;
}

void Journal::Appender::count(std::uint64_t end) {
  const std::lock_guard lock(files_->mutex);
  files_->end = end;
}

void Journal::make_contiguous(std::uint64_t first) {
  const bool behind_a_gap = [&] {
    const std::lock_guard lock(files_->mutex);
    return first != files_->end;
  }();
  if (!behind_a_gap) return;
  drop_below(first, true);
  remove_all_that_is_over();
  place_.spooler.submit(
      lane_,
      [&storage = place_.storage, directory = directory_, first] {
        for (const auto& place : journal::places_of(storage.list(directory))) {
          if (place.first < first)
            storage.remove(directory + "/" + journal::segment_name(place.first));
        }
      },
      [](const std::exception_ptr&) {});  // what is left is removed at the next start
}

void Journal::write(std::uint64_t first, Work work, Done done) {
  make_contiguous(first);
  const auto shared = std::make_shared<Work>(std::move(work));
  place_.spooler.submit(
      lane_, [appender = appender(), shared]() mutable { appender.run(*shared); },
      // `shared` is let go of in the loop, which alone knows what that is charged to.
      [this, here = std::weak_ptr(alive_), shared,
       done = std::move(done)](const std::exception_ptr& failure) {
        if (here.expired()) return;
        busy_ = false;
        if (failure) forget_what_does_not_count();
        done(failure);
      });
  busy_ = true;  // `done` comes in the loop, and not before
}

/// Files that were begun for what has failed then: they would be charged.
void Journal::forget_what_does_not_count() {
  const std::lock_guard lock(files_->mutex);
  auto& files = files_->by_first;
  for (auto file = files.lower_bound(files_->end); file != files.end(); file = files.erase(file)) {
    remove_file(lane_, file->first);
  }
}

void Journal::write_now(std::uint64_t first, const Work& work) {
  make_contiguous(first);
  // What was written before and does not count may be about to be removed, under a name that comes
  // again now.
  place_.spooler.wait_for(lane_);
  appender().run(work);
}

/// All that can be; returns what the first that cannot has said.
std::exception_ptr Journal::sync_files() {
  std::exception_ptr failure;
  std::vector<std::uint64_t> unsynced;
  {
    const std::lock_guard lock(files_->mutex);
    for (const auto& [first, file] : files_->by_first) {
      if (!file.synced) unsynced.push_back(first);
    }
  }
  for (const std::uint64_t first : unsynced) {
    try {
      place_.storage.sync_file(path_of(first));
    } catch (const Error& error) {
      if (error.code() != Code::not_found) {
        if (!failure) failure = std::current_exception();
        continue;
      }
    }
    const std::lock_guard lock(files_->mutex);
    files_->by_first.at(first).synced = true;
  }
  return failure;
}

void Journal::sync_now() {
  if (empty()) return;
  const std::exception_ptr failure = sync_files();
  appender().run([](Appender& to) {
    if (!to.was_removed()) to.sync();
    to.sync_names();
  });
  if (failure) std::rethrow_exception(failure);
}

/// In a thread of its own: the disk may take its time over it.
void Journal::remove_file(const Spooler::Lane& lane, std::uint64_t first) {
  place_.spooler.submit(
      lane, [&storage = place_.storage, path = path_of(first)] { storage.remove(path); },
      [](const std::exception_ptr& failure) {
        if (!failure) return;
        try {
          std::rethrow_exception(failure);
        } catch (const std::exception& error) {
          log(error.what());
        }
      });
}

/// REQUIRES: the mutex.
void Journal::remove_oldest_over() { remove_file(removals_, files_->take_spare().first); }

/// One that is not sound, and what is older, goes at once.
void Journal::drop_first(os::Instant now) {
  const auto oldest = files_->by_first.begin();
  const auto& [first, file] = *oldest;
  files_->over.push_back({{first, file.bytes}, now});
  while (!file.sound && !files_->over.empty()) remove_oldest_over();
  files_->by_first.erase(oldest);
}

/// REQUIRES: the mutex.
bool Journal::first_is_below(std::uint64_t s) const noexcept {
  const auto& files = files_->by_first;
  return files.size() > 1 && std::next(files.begin())->first <= s;
}

/// REQUIRES: the mutex.
bool Journal::all_is_below(std::uint64_t s) const noexcept {
  return !files_->by_first.empty() && !busy_ && files_->end <= s;
}

bool Journal::has_below(std::uint64_t s, bool all) const noexcept {
  const std::lock_guard lock(files_->mutex);
  return first_is_below(s) || (all && all_is_below(s));
}

void Journal::drop_below(std::uint64_t s, bool all) {
  const os::Instant now = os::now();
  const std::lock_guard lock(files_->mutex);
  while (first_is_below(s)) drop_first(now);
  if (!all || !all_is_below(s)) return;
  drop_first(now);
  while (!files_->over.empty()) remove_oldest_over();
  writer_ = std::make_shared<journal::SegmentWriter>(place_.storage, options_);
}

/// While something is being written, one is left for the segment that it may begin.
os::Instant Journal::remove_what_is_over(os::Instant now) {
  const std::lock_guard lock(files_->mutex);
  const auto& over = files_->over;
  const std::size_t left = busy_ ? 1 : 0;
  while (over.size() > left && now - over.front().since >= spare_for) remove_oldest_over();
  if (over.empty()) return os::never;
  const os::Instant due = os::after(over.front().since, spare_for);
  return due > now ? due : os::after(now, spare_for);
}

void Journal::remove_all_that_is_over() {
  const std::lock_guard lock(files_->mutex);
  while (!files_->over.empty()) remove_oldest_over();
}

std::uint64_t Journal::spare_bytes() const noexcept {
  const std::lock_guard lock(files_->mutex);
  return files_->over.empty() ? 0 : files_->over.front().file.size;
}

/// Behind what is on its way.
void Journal::remove() noexcept try {
  const std::lock_guard lock(files_->mutex);
  files_->by_first.clear();
  files_->over.clear();
  place_.spooler.submit(
      lane_,
      [&storage = place_.storage, directory = directory_] { remove_all(storage, directory); },
      [](const std::exception_ptr&) {});   // what is left is removed at the next start
} catch (const std::exception& failure) {  // no memory for the work: likewise
  log(failure.what());
}

bool Journal::empty() const noexcept {
  const std::lock_guard lock(files_->mutex);
  return files_->by_first.empty();
}

std::uint64_t Journal::first() const noexcept {
  const std::lock_guard lock(files_->mutex);
  return files_->by_first.begin()->first;
}

std::size_t Journal::segments() const noexcept {
  const std::lock_guard lock(files_->mutex);
  return files_->by_first.size();
}

std::uint64_t Journal::bytes() const noexcept {
  std::uint64_t sum = bytes_from(0);
  const std::lock_guard lock(files_->mutex);
  for (const Over& over : files_->over) sum += over.file.size;
  return sum;
}

std::uint64_t Journal::bytes_from(std::uint64_t s) const noexcept {
  const std::lock_guard lock(files_->mutex);
  const auto& files = files_->by_first;
  auto file = files.upper_bound(s);
  if (file != files.begin()) --file;
  std::uint64_t sum = 0;
  for (; file != files.end(); ++file) sum += file->second.bytes;
  return sum;
}

Journal::Segment Journal::segment_of(std::uint64_t s) const {
  const std::lock_guard lock(files_->mutex);
  auto& files = files_->by_first;
  const auto behind = files.upper_bound(s);
  if (behind == files.begin()) {
    throw Error(Code::not_found, fmt::format("number {} is not in the journal any more", s));
  }
  auto& [first, file] = *std::prev(behind);
  Segment segment{{}, first, behind == files.end() ? 0 : behind->first};
  try {
    segment.file = place_.storage.open(path_of(first));
  } catch (const Error& error) {
    if (error.code() != Code::not_found) throw;
    // A reader finds no header in it, and counts what is looked for there as lost.
    segment.file = os::create_memory("spillring:removed", os::page_size);
    if (!std::exchange(file.missed, true)) {
      segment.lost = segment.next == 0 ? files_->end : segment.next;
    }
    file.sound = false;
  }
  return segment;
}

}  // namespace spillring::daemon
