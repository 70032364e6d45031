// Appends batches to the segments of one queue's journal.
//
// A writer never goes on with a file that it has not begun itself: what a dead supervisor left
// behind a file's last counted batch is in nobody's way there, and its salt is nobody else's.
//
// A file that everybody is past may be written over as the next one, which spares the disk's cache
// the removal of one file and the making of another:
//   O1  Its header, with a new salt and a new first number, is the first thing that is written to
//       it, and the name follows: so a name whose header says another first number is that of a
//       file whose turn is over, and what is in it is nobody's.
//   O2  Where a sync follows, the header is on the disk before the name, and the name before the
//       first batch.
//   O3  A batch that the file had does not add up under the new salt. Behind the last batch is a
//       place of zeros, as in a file that is new, so that its end can be told from damage.
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

/// A segment that everybody is past, begun by this process, and never given up.
struct Spare {
  std::uint64_t first = 0;  // 0: there is none
  std::uint64_t size = 0;
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
  /// then. What was in the file before is synced then if another is begun, in place of `spare` if
  /// there is one. Throws `Error`; the batch counts as not written then, nor does what its file was
  /// not synced for, and neither the file nor `spare` is ever used again.
  Begun append(const Batch& batch, bool sync_follows, const Spare& spare = {});
  /// The size of the file that the batch begins where there is no room in the present one.
  [[nodiscard]] std::uint64_t file_for(const Batch& batch) const noexcept {
    return std::max(options_.segment_size, layout::first_batch_at + batch.size());
  }
  /// Whether the batch would go to the present segment; not if somebody has removed that.
  [[nodiscard]] bool has_room_for(const Batch& batch) const noexcept {
    return file_ != nullptr && position_ + batch.size() <= size_ && !was_removed();
  }
  /// Brings the present segment to the disk. Throws `Error`; what was written to it since it was
  /// last synced may be lost then, and the next batch begins a file.
  void sync();
  /// Whether somebody has removed the present segment, or moved it: nothing that is in it will be
  /// found.
  [[nodiscard]] bool was_removed() const noexcept {
    return file_ != nullptr && !file_->is_at(file_path_);
  }
  /// Brings the names of all files to the disk, and those of the directory, which is made where it
  /// was removed, and of the one above. Throws `Error`; it may be tried again.
  void sync_names();
  /// The next batch begins a file; the present one is cut to what is in it.
  void finish();
  /// The next batch begins a file, and the present one is left as it is.
  void give_up() noexcept { file_.reset(); }

 private:
  void begin(std::uint64_t first, std::uint64_t size, bool sync, const Spare& spare);
  void make_directory();
  void enter();
  std::unique_ptr<File> reopened(const Spare& spare, std::uint64_t size);
  void discard(std::uint64_t first) noexcept;
  [[nodiscard]] std::string path_of(std::uint64_t first) const;
  void write(const Batch& batch);
  void write_ahead(std::uint64_t size);

  Storage& storage_;
  Options options_;
  std::unique_ptr<File> file_;
  std::string file_path_;  // where it was put
  std::uint64_t salt_ = 0;
  std::uint64_t position_ = 0;
  std::uint64_t size_ = 0;
  std::uint64_t time_ = 0;
  std::uint64_t written_until_ = 0;  // of the file, zeros and what it had before included
  std::uint64_t had_until_ = 0;      // what it had before ends here
  bool entered_ = false;             // the directory that names the file was synced
  bool placed_ = false;              // and so were those that name the directory
  bool unsynced_ = false;            // something was written since the last sync
  std::uint64_t cut_ = 0;            // what the last file was cut to
};

}  // namespace spillring::journal
