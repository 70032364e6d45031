#include "journal/segment_writer.hpp"

#include <algorithm>
#include <array>

#include "journal/checksum.hpp"
#include "os/clock.hpp"
#include "os/directory.hpp"
#include "os/random.hpp"
#include "spillring/error.hpp"

namespace spillring::journal {

namespace {

template <typename T>
Piece piece_of(const T& object) noexcept {
  return std::as_bytes(std::span(&object, 1));
}

}  // namespace

SegmentWriter::SegmentWriter(Storage& storage, Options options)
    : storage_(storage), options_(std::move(options)) {}

std::string SegmentWriter::path_of(std::uint64_t first) const {
  return options_.directory + "/" + segment_name(first);
}

SegmentWriter::Begun SegmentWriter::append(const Batch& batch, bool sync_follows,
                                           const Spare& spare) {
  Begun begun;
  try {
    if (file_ != nullptr && !has_room_for(batch)) {
      if (sync_follows) sync();
      finish();
    }
    if (file_ == nullptr) {
      begun = {batch.first, std::max(file_for(batch), spare.size), cut_};
      begin(begun.first, begun.size, sync_follows, spare);
      cut_ = 0;
    }
    if (sync_follows) write_ahead(batch.size());
    write(batch);
    unsynced_ = true;
  } catch (...) {
    file_.reset();
    placed_ = false;  // somebody may have taken the directory away
    if (begun.first != 0) discard(begun.first);
    if (spare.first != 0) discard(spare.first);
    throw;
  }
  return begun;
}

/// A file that nothing counts in; the space may be what is missing.
void SegmentWriter::discard(std::uint64_t first) noexcept try {
  storage_.remove(path_of(first));
  storage_.remove(path_of(first) + ".new");
} catch (const Error&) {  // it is begun anew under the same name, or removed at the next start
}

void SegmentWriter::sync() try {
  if (file_ == nullptr || !unsynced_) return;
  file_->sync();
  if (!entered_) enter();
  if (was_removed()) {
    throw Error(Code::io, "cannot sync " + file_path_, "somebody has removed or moved it",
                "leave the files of a supervisor to it");
  }
  unsynced_ = false;
} catch (...) {
  file_.reset();
  placed_ = false;
  throw;
}

void SegmentWriter::sync_names() {
  make_directory();
  enter();
}

/// Each writer syncs the way to its directory once, whoever has made that: who did may have been
/// killed before it was on the disk. And again when it has made it itself.
void SegmentWriter::enter() {
  storage_.sync_directory(options_.directory);
  entered_ = true;
  if (placed_) return;
  const std::string all_journals = os::directory_of(options_.directory);
  storage_.sync_directory(all_journals);
  storage_.sync_directory(os::directory_of(all_journals));
  placed_ = true;
}

void SegmentWriter::finish() {
  if (file_ == nullptr) return;
  const std::unique_ptr<File> file = std::move(file_);
  file->truncate(position_);
  cut_ = position_;
}

/// What is made anew, as somebody has taken it away, is not on the disk, whatever was there before.
void SegmentWriter::make_directory() {
  if (!storage_.make_directory(options_.directory)) return;
  entered_ = false;
  placed_ = false;
}

/// nullptr: there is none, or somebody has removed it.
std::unique_ptr<File> SegmentWriter::reopened(const Spare& spare, std::uint64_t size) try {
  return spare.first == 0 ? nullptr : storage_.reopen(path_of(spare.first), size);
} catch (const Error& error) {
  if (error.code() != Code::not_found) throw;
  return nullptr;
}

/// A file that has to be there after a power cut comes under a name that does not count first.
void SegmentWriter::begin(std::uint64_t first, std::uint64_t size, bool sync, const Spare& spare) {
  const std::string path = path_of(first);
  file_path_ = path;
  make_directory();
  file_ = reopened(spare, size);
  const bool over = file_ != nullptr;
  const std::string made_at = over ? path_of(spare.first) : sync ? path + ".new" : path;
  if (!over) file_ = storage_.create(made_at, size);
  layout::SegmentHeader header{};
  header.magic = layout::segment_magic;
  header.version = layout::journal_version;
  header.queue_id = options_.queue_id;
  header.salt = os::random_number();
  header.first = first;
  header.created = os::wall_clock();
  header.checksum = checksum_of(header);
  static constexpr std::array<std::byte, layout::first_batch_at> zeros{};
  const std::array pieces{piece_of(header), Piece(zeros).first(over ? zeros.size() : 0)};  // O3
  file_->write(0, pieces);
  salt_ = header.salt;
  position_ = layout::first_batch_at;
  size_ = size;
  time_ = 0;
  had_until_ = over ? spare.size : 0;
  written_until_ = std::max(layout::first_batch_at, had_until_);
  entered_ = false;
  unsynced_ = true;
  if (sync) file_->sync();
  if (made_at != path) storage_.rename(made_at, path);  // O1
  if (sync) enter();
}

/// Zeros where the batches to come will be. Space that was set aside and never written costs the
/// sync of a small batch many times as much: the file system has to note that it is in use now.
void SegmentWriter::write_ahead(std::uint64_t size) {
  static const std::array<std::byte, 64 * 1024> zeros{};
  constexpr std::uint64_t stretch = 1024 * 1024;
  if (position_ + size <= written_until_) return;
  if (size > stretch / 4) return;  // the note is small beside it
  const std::uint64_t until = std::min(position_ + stretch, size_);
  std::vector<Piece> pieces;
  for (std::uint64_t left = until - written_until_; left != 0; left -= pieces.back().size()) {
    pieces.push_back(Piece(zeros).first(std::min<std::uint64_t>(left, zeros.size())));
  }
  file_->write(written_until_, pieces);
  written_until_ = until;
}

void SegmentWriter::write(const Batch& batch) {
  for (const layout::Entry& entry : batch.entries) time_ = std::max(time_, entry.timestamp);
  layout::BatchHeader header{};
  header.magic = layout::batch_magic;
  header.count = static_cast<std::uint32_t>(batch.entries.size());
  header.first = batch.first;
  header.data = batch.data;
  header.time = time_;
  std::vector<Piece> pieces;
  pieces.reserve(batch.pieces.size() + 3);
  pieces.push_back(piece_of(header));
  pieces.push_back(std::as_bytes(std::span(batch.entries)));
  pieces.insert(pieces.end(), batch.pieces.begin(), batch.pieces.end());
  Checksum sum(salt_);
  for (const Piece& piece : std::span(pieces).subspan(1)) sum.add(piece);
  header.body_sum = sum.value();
  header.checksum = checksum_of(header, salt_);
  static constexpr std::array<std::byte, sizeof(layout::BatchHeader)> end_mark{};
  const std::uint64_t end = position_ + batch.size();
  if (end < had_until_) {  // O3
    pieces.push_back(Piece(end_mark).first(std::min(end_mark.size(), had_until_ - end)));
  }
  file_->write(position_, pieces);
  position_ = end;
  written_until_ = std::max(written_until_, position_);
}

}  // namespace spillring::journal
