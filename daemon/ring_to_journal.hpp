// Copies what is published in a ring to the journal, in a thread beside the loop.
//
// Invariants
//   J1  One at a time for each queue, and the loop touches neither `journaled` nor hold 0
//   meanwhile:
//       both have one writer.
//   J2  `journaled` rises when a batch is written, and with `sync` when that is on the disk; never
//       before. What is below it is in no ring's keeping any more.
//   J3  The file that a number is in is known to the loop before `journaled` passes the number
//       (Journal::Appender): whoever sees the one may ask for the other.
//   J4  Hold 0 was stored by the loop before it looked at `gone`, and is raised only behind what is
//       written: nothing of `from` and above is overwritten under the copy (ring/reclaim.hpp, B1).
//   J5  Holds and floors may be forged. So what was copied counts only where `limit`, behind which
//       nothing is overwritten, has not passed its first number when it is written.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "journal.hpp"
#include "os/clock.hpp"
#include "queue_memory.hpp"
#include "ring_segment.hpp"

namespace spillring::daemon {

/// True where `s` is published, or a number without a message.
[[nodiscard]] bool is_published(const ring::RingView& ring, std::uint64_t s) noexcept;

class RingToJournal {
 public:
  struct Plan {
    std::shared_ptr<QueueMemory> memory;
    std::shared_ptr<RingSegment> ring;
    std::uint64_t from = 0;                     // the first number to be copied
    std::uint64_t until = layout::no_sequence;  // and where it ends at the latest
    std::uint64_t most = 0;            // bytes: about where it ends, so that the loop has its say
    os::Instant longest = 10'000'000;  // and when, so that other queues have theirs
    std::uint64_t batch_goal = layout::batch_goal;
    std::uint64_t file = 0;  // the size of a file that it may begin, one
    bool sync = false;       // the disk has to have it
    bool new_file = false;   // the present one is too old
    bool once = false;       // it ends when something was counted
  };
  static constexpr std::uint64_t any_files = UINT64_MAX;

  /// For the loop, when it is done.
  struct Report {
    std::uint64_t messages = 0;     // that were written
    std::uint64_t bytes = 0;        // of their payload and metadata
    bool progress = false;          // something was counted
    std::uint64_t wanted_file = 0;  // it needs a file of this size to go on
  };
  RingToJournal(Plan plan, std::shared_ptr<Report> report)
      : plan_(std::move(plan)),
        report_(std::move(report)),
        next_(plan_.from),
        counted_(plan_.from) {}

  /// Copies until nothing more is published, `most` or `longest` is reached, the ring ends, or a
  /// file would have to be begun that it may not begin. Throws `Error`; what was counted before
  /// stays so.
  void operator()(Journal::Appender& journal);

 private:
  [[nodiscard]] bool may_go_on() const noexcept { return written_ < plan_.most && !ended_; }
  [[nodiscard]] bool takes_too_long() const noexcept { return os::now() - began_ >= plan_.longest; }
  void write_some(Journal::Appender& journal);
  bool may_append(const Journal::Appender& journal, const journal::Batch& batch);
  void count(Journal::Appender& journal);
  void ring_bells() const noexcept;

  Plan plan_;
  std::shared_ptr<Report> report_;
  std::uint64_t next_;         // to be written
  std::uint64_t counted_;      // below: `journaled`
  std::uint64_t written_ = 0;  // bytes
  os::Instant began_ = 0;
  Report uncounted_;    // written, and not yet counted
  bool ended_ = false;  // the ring's last number is written, or a file is wanted
};

/// The published numbers of the ring from `first` on and below `until`, up to one that is only
/// claimed, as many as make a batch. Empty: there are none. The pieces lie in the ring. Throws
/// `Error` (corrupt: that proves damage; stale: J5).
[[nodiscard]] journal::Batch batch_of(const ring::RingView& ring, std::uint64_t first,
                                      std::uint64_t until = layout::no_sequence,
                                      std::uint64_t goal = layout::batch_goal);

}  // namespace spillring::daemon
