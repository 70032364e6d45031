// The journal of one queue as the supervisor holds it: which segments there are, and one batch at a
// time on its way to them.
//
// Segments follow one another without a gap: before the first number of a batch is greater than the
// end of the one before, all that was there is removed. So what is missing between two batches was
// lost, and is known to be.
//
// A segment that nobody needs any more is over, and is not removed at once: for a while the next
// one may be written over it, the oldest first, so that what is left has no gap. Removing is as
// much work as writing, and is better done when nobody waits to read on.
#pragma once

#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "journal/segment_writer.hpp"
#include "journal/storage.hpp"
#include "os/clock.hpp"
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
  struct Files;

 public:
  Journal(const JournalPlace& place, std::uint64_t queue_id);
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;
  ~Journal() = default;

  /// Removes the journals of queues that are not known (any more).
  static void remove_orphans(const JournalPlace& place,
                             const std::function<bool(std::uint64_t)>& is_known);

  /// Takes over what another supervisor wrote, of which everything below `next` counts, and
  /// everything from `needed` on is still needed. Returns the first number that any file is for, or
  /// `next`.
  std::uint64_t adopt(std::uint64_t next, std::uint64_t needed = UINT64_MAX);

  /// The end of what the last segment has, as far as it can be read. 0: there is none. Throws
  /// `Error` (io).
  [[nodiscard]] std::uint64_t find_end() const;

  /// True while a batch is on its way.
  [[nodiscard]] bool busy() const noexcept { return busy_; }
  /// What writes to it, by one thread at a time.
  class Appender {
   public:
    [[nodiscard]] bool has_room_for(const journal::Batch& batch) const noexcept {
      return writer_->has_room_for(batch);
    }
    /// The size of the file that is begun where there is no room.
    [[nodiscard]] std::uint64_t file_for(const journal::Batch& batch) const noexcept {
      return writer_->file_for(batch);
    }
    /// Writes a batch; with `sync_follows`, it does not count before sync(). Throws `Error`.
    void append(const journal::Batch& batch, bool sync_follows);
    void sync() { writer_->sync(); }
    [[nodiscard]] bool was_removed() const noexcept { return writer_->was_removed(); }
    void sync_names() { writer_->sync_names(); }
    /// The next batch begins a file; the present one is cut to what is in it.
    void finish() { writer_->finish(); }
    /// Everything below `end` counts. Before somebody who reads is told.
    void count(std::uint64_t end);

   private:
    friend class Journal;
    void run(const std::function<void(Appender&)>& work);
    Appender(std::shared_ptr<journal::SegmentWriter> writer, std::shared_ptr<Files> files)
        : writer_(std::move(writer)), files_(std::move(files)) {}
    std::shared_ptr<journal::SegmentWriter> writer_;
    std::shared_ptr<Files> files_;
  };
  using Work = std::function<void(Appender&)>;
  using Done = std::function<void(std::exception_ptr)>;
  /// Has numbers from `first` on written by `work`, in a thread beside the loop, which is destroyed
  /// in the loop. `done` is called in the loop, unless this object is gone by then. REQUIRES: not
  /// busy().
  void write(std::uint64_t first, Work work, Done done);
  /// The same at once, in this thread, behind what was left to be done. Throws `Error`.
  void write_now(std::uint64_t first, const Work& work);
  /// Brings all that counts to the disk, but for what somebody has removed: that is missed at the
  /// next start. Throws `Error`.
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
  /// Whether the file that is being filled was begun before that moment.
  [[nodiscard]] bool was_begun_before(std::uint64_t wall_clock) const noexcept;

  /// What is up to `end` never comes: what is written next is as if that were there. REQUIRES: not
  /// busy().
  void pass(std::uint64_t end) { appender().count(end); }

  /// Whether drop_below() would drop anything.
  [[nodiscard]] bool has_below(std::uint64_t s, bool all) const noexcept;
  /// Nobody needs anything below `s` any more; `all`: nor anything that was written so far, and it
  /// is removed at once.
  void drop_below(std::uint64_t s, bool all);
  /// Removes what has been over for a while; returns when there may be more to remove, os::never
  /// where nothing is over.
  os::Instant remove_what_is_over(os::Instant now);
  /// The same without delay: the space is needed.
  void remove_all_that_is_over();
  /// Bytes of the file that the next segment is written over; 0: a new one is made.
  [[nodiscard]] std::uint64_t spare_bytes() const noexcept;
  /// Removes all there is.
  void remove() noexcept;

  [[nodiscard]] bool empty() const noexcept;
  /// The first number it has. REQUIRES: not empty().
  [[nodiscard]] std::uint64_t first() const noexcept;
  [[nodiscard]] std::size_t segments() const noexcept;
  /// Disk space set aside, also where it is over; and that of the files which have `s` and what is
  /// behind it.
  [[nodiscard]] std::uint64_t bytes() const noexcept;
  [[nodiscard]] std::uint64_t bytes_from(std::uint64_t s) const noexcept;

  struct Segment {
    os::Fd file;
    std::uint64_t first = 0;
    std::uint64_t next = 0;  // first number of the segment behind; 0: none
    std::uint64_t lost = 0;  // somebody has removed it, which is found now: with it, all up to here
  };
  /// The segment that `s` is in; one that has no header where somebody else has removed it. Throws
  /// `Error` (not_found: nobody needs `s` any more; io).
  [[nodiscard]] Segment segment_of(std::uint64_t s) const;

 private:
  struct File {
    std::uint64_t bytes = 0;  // set aside
    std::uint64_t begun = 0;  // nanoseconds since 1970; 0: the file says so
    // It was begun here, and nothing has failed in it: only such a file may be written over.
    bool sound = false;
    bool missed = false;  // somebody has removed it
    bool synced = false;  // what counts in it is on the disk
  };
  struct Over {
    journal::Spare file;
    os::Instant since = 0;
  };
  /// What the loop knows, and who writes adds to.
  struct Files {
    std::mutex mutex;
    std::map<std::uint64_t, File> by_first;  // by first number
    std::deque<Over> over;                   // oldest first
    std::uint64_t end = 0;                   // of what counts

    journal::Spare take_spare();
  };
  [[nodiscard]] std::string path_of(std::uint64_t first) const;
  [[nodiscard]] bool is_over(std::uint64_t first) const;
  [[nodiscard]] std::uint64_t bytes_of(std::uint64_t first) const noexcept;
  std::uint64_t begun(std::uint64_t first, File& file) const noexcept;
  [[nodiscard]] Appender appender() { return {writer_, files_}; }
  void remove_file(const Spooler::Lane& lane, std::uint64_t first);
  void remove_oldest_over();
  void drop_first(os::Instant now);
  [[nodiscard]] bool first_is_below(std::uint64_t s) const noexcept;
  [[nodiscard]] bool all_is_below(std::uint64_t s) const noexcept;
  void forget_what_does_not_count();
  std::exception_ptr sync_files();
  /// The numbers that follow are not to come behind a gap.
  void make_contiguous(std::uint64_t first);

  JournalPlace place_;
  std::string directory_;
  std::shared_ptr<journal::SegmentWriter> writer_;  // used by one thread at a time: see busy()
  journal::SegmentWriter::Options options_;
  Spooler::Lane lane_;
  Spooler::Lane removals_;  // of what is over: nobody waits for them
  std::shared_ptr<Files> files_ = std::make_shared<Files>();
  bool busy_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace spillring::daemon
