// Sleeping on a bell and ringing it, with no wake-up lost.
//
//   sleep:  e = value;  mark = max(mark, {set, e});  look again;  futex_wait(value, e)
//   ring:   (after the change)  m = mark;  if m is set: value++; wake all; CAS(mark, m -> clear)
//
// Invariants
//   W1  Either the ringer sees the mark, or the sleeper's second look sees the change: both sides
//   put
//       a full fence between their store and their load (seq_cst below; the change itself is a
//       seq_cst swap or followed by one).
//   W2  Whoever dies or stops half way through ringing leaves the mark set, so the next ringer does
//   it
//       again: the mark is cleared after the wake, and only if it is the one that was seen.
//   W3  An older mark never replaces a newer one, so a slow sleeper cannot hide a fresh one.
//   W4  A burst costs a sleeper one wake: after the first ring the mark is clear.
// What remains, a publisher stopped between change and ring, costs a bounded wait: nobody sleeps
// longer than `longest_nap`; a client's call not longer than the stall timeout of its queue.
#pragma once

#include <cstdint>

#include "layout/bells.hpp"
#include "os/clock.hpp"
#include "os/futex.hpp"

namespace spillring::wait {

inline constexpr os::Instant longest_nap = 1'000'000'000;

/// Wakes those who sleep and takes back the `mark` that they were seen by.
void wake(layout::Bell& bell, std::uint64_t mark) noexcept;

/// Rings `bell` if anybody sleeps. REQUIRES: what changed was stored by a seq_cst operation, or a
/// seq_cst fence came after it.
/// One load where nobody sleeps; one system call where somebody does.
inline void ring(layout::Bell& bell) noexcept {
  // SYNC POINT READ: mark. seq_cst: after the caller's change (W1).
  const std::uint64_t mark = bell.mark.load(std::memory_order_seq_cst);
  if (layout::mark_is_set(mark)) wake(bell, mark);
}

/// Says that somebody is about to sleep. Returns what to wait for. A full fence.
std::uint32_t announce(layout::Bell& bell) noexcept;

/// Sleeps until `bell` is rung after `announce` returned `value`, until `until`, or for
/// `longest_nap`.
os::Woken nap(const layout::Bell& bell, std::uint32_t value, os::Instant until) noexcept;

}  // namespace spillring::wait
