// The journal of one queue as the supervisor holds it: which segments there are, and one batch at a
// time on its way to them.
//
// Segments follow one another without a gap: before the first number of a batch is greater than the
// end of the one before, all that was there is removed. So what is missing between two batches was
// lost, and is known to be.
#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "journal/segment_writer.hpp"
#include "journal/storage.hpp"
#include "spooler.hpp"

namespace spillring::daemon {

/// Where journals are, and who writes them.
struct JournalPlace {
  journal::Storage& storage;
  Spooler& spooler;
  std::string directory;  // of all queues
  std::uint64_t segment_size = 0;
};

class Journal {
 public:
  Journal(const JournalPlace& place, std::uint64_t queue_id);
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;
  ~Journal() = default;

  /// Removes the journals of queues that are not known (any more).
  static void remove_orphans(const JournalPlace& place,
                             const std::function<bool(std::uint64_t)>& is_known);

  /// Takes over what another supervisor wrote, of which everything below `next` counts.
  void adopt(std::uint64_t next);

  /// The end of what the last segment has, as far as it can be read. 0: there is none. Throws
  /// `Error` (io).
  [[nodiscard]] std::uint64_t find_end() const;

  /// The size of the file that this batch would begin; 0: it goes to one that is there. REQUIRES:
  /// not busy().
  [[nodiscard]] std::uint64_t file_for(const journal::Batch& batch) const noexcept;
  /// True while a batch is on its way.
  [[nodiscard]] bool busy() const noexcept { return busy_; }
  using Done = std::function<void(std::exception_ptr)>;
  /// Writes a batch. `alive` is kept until that is done: what the batch's pieces lie in. `done` is
  /// called in the loop, unless this object is gone by then. REQUIRES: not busy().
  void append(journal::Batch batch, std::shared_ptr<const void> alive, bool sync, Done done);
  /// The same at once, in this thread. Throws `Error`.
  void append_now(const journal::Batch& batch, bool sync);
  /// Brings what was written since the segment was begun to the disk. Throws `Error`.
  void sync_now();

  /// How much is kept to be read again; 0: no matter how much.
  struct Retention {
    std::uint64_t nanoseconds = 0;
    std::uint64_t bytes = 0;
    [[nodiscard]] bool any() const noexcept { return nanoseconds != 0 || bytes != 0; }
  };
  /// The first number that has to be kept. REQUIRES: not empty().
  [[nodiscard]] std::uint64_t retained_from(Retention retention,
                                            std::uint64_t wall_clock) const noexcept;
  /// When the oldest file is too old, on the wall clock; UINT64_MAX: never.
  [[nodiscard]] std::uint64_t expires_at(Retention retention) const noexcept;
  /// The next batch begins a file if the present one was begun before. REQUIRES: not busy().
  void rotate_before(std::uint64_t wall_clock);

  /// Nobody needs anything below `s` any more; `all`: nor anything that was written so far.
  void drop_below(std::uint64_t s, bool all);
  /// Removes all there is.
  void remove() noexcept;

  [[nodiscard]] bool empty() const noexcept { return segments_.empty(); }
  /// The first number it has. REQUIRES: not empty().
  [[nodiscard]] std::uint64_t first() const noexcept { return segments_.begin()->first; }
  [[nodiscard]] std::size_t segments() const noexcept { return segments_.size(); }
  /// Disk space set aside; and that of the files which have `s` and what is behind it.
  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_from(0); }
  [[nodiscard]] std::uint64_t bytes_from(std::uint64_t s) const noexcept;

  struct Segment {
    os::Fd file;
    std::uint64_t first = 0;
    std::uint64_t next = 0;  // first number of the segment behind; 0: none
  };
  /// The segment that `s` is in. Throws `Error` (not_found: there is none any more; io).
  [[nodiscard]] Segment segment_of(std::uint64_t s) const;

 private:
  [[nodiscard]] std::string path_of(std::uint64_t first) const;
  void begun(const journal::SegmentWriter::Begun& segment);
  void end_file() noexcept;
  void forget(std::uint64_t first);
  void make_contiguous(const journal::Batch& batch);

  JournalPlace place_;
  std::string directory_;
  std::shared_ptr<journal::SegmentWriter> writer_;  // used by one thread at a time: see busy()
  journal::SegmentWriter::Options options_;
  Spooler::Lane lane_;
  struct File {
    std::uint64_t bytes = 0;  // set aside
    std::uint64_t begun = 0;  // nanoseconds since 1970
  };
  [[nodiscard]] File adopted(std::uint64_t first) const;
  std::map<std::uint64_t, File> segments_;  // by first number
  std::uint64_t end_ = 0;                   // of the last batch
  std::uint64_t left_ = 0;                  // of the file that is being filled
  bool busy_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace spillring::daemon
