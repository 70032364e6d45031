// Appends batches to the segments of one queue's journal.
//
// A writer never goes on with a file that it has not begun itself: what a dead supervisor left
// behind a file's last counted batch is in nobody's way there, and its salt is nobody else's.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "journal/names.hpp"
#include "journal/storage.hpp"
#include "layout/journal.hpp"

namespace spillring::journal {

/// A run of numbers to be written. The pieces lie in the ring, one behind the other they are the
/// batch's data; who made the batch keeps them where they are.
struct Batch {
  std::uint64_t first = 0;
  std::vector<layout::Entry> entries;
  std::vector<Piece> pieces;
  std::uint64_t data = 0;
  // For statistics: numbers with a message, and their payload and metadata.
  std::uint64_t messages = 0;
  std::uint64_t message_bytes = 0;
  [[nodiscard]] std::uint64_t end() const noexcept { return first + entries.size(); }
  /// Of the file.
  [[nodiscard]] std::uint64_t size() const noexcept {
    return layout::batch_size(entries.size(), data);
  }
};

class SegmentWriter {
 public:
  struct Options {
    std::string directory;
    std::uint64_t queue_id = 0;
    std::uint64_t segment_size = 0;
  };
  /// Makes no file yet. `storage` is borrowed.
  SegmentWriter(Storage& storage, Options options);

  /// A segment that was begun.
  struct Begun {
    std::uint64_t first = 0;  // 0: none
    std::uint64_t size = 0;
    std::uint64_t cut = 0;  // what the one before was cut to; 0: there was none, or it is not known
  };
  /// Writes a batch; with `sync_follows` so that a sync is cheap, and the file has its name by
  /// then. What was in the file before is synced then if another is begun. Throws `Error`; the
  /// batch counts as not written then, nor does what its file was not synced for, and the file is
  /// never used again.
  Begun append(const Batch& batch, bool sync_follows);
  /// The size of the file that the batch begins where there is no room in the present one.
  [[nodiscard]] std::uint64_t file_for(const Batch& batch) const noexcept {
    return std::max(options_.segment_size, layout::first_batch_at + batch.size());
  }
  /// Whether the batch would go to the present segment.
  [[nodiscard]] bool has_room_for(const Batch& batch) const noexcept {
    return file_ != nullptr && position_ + batch.size() <= size_;
  }
  /// Brings the present segment to the disk. Throws `Error`; what was written to it since it was
  /// last synced may be lost then, and the next batch begins a file.
  void sync();
  /// The next batch begins a file; the present one is cut to what is in it.
  void finish();
  /// The next batch begins a file, and the present one is left as it is.
  void give_up() noexcept { file_.reset(); }

 private:
  void begin(std::uint64_t first, std::uint64_t size, bool sync);
  void discard(std::uint64_t first) noexcept;
  void write(const Batch& batch);
  void write_ahead(std::uint64_t size);

  Storage& storage_;
  Options options_;
  std::unique_ptr<File> file_;
  std::uint64_t salt_ = 0;
  std::uint64_t position_ = 0;
  std::uint64_t size_ = 0;
  std::uint64_t time_ = 0;
  std::uint64_t written_until_ = 0;  // of the file, zeros included
  bool entered_ = false;             // the directory that names the file was synced
  bool unsynced_ = false;            // something was written since the last sync
  std::uint64_t cut_ = 0;            // what the last file was cut to
};

}  // namespace spillring::journal
