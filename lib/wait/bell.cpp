#include "wait/bell.hpp"

#include <algorithm>

namespace spillring::wait {

using layout::mark_is_set;
using layout::mark_value;
using layout::mark_word;

namespace {

bool newer(std::uint32_t a, std::uint32_t b) noexcept {
  return static_cast<std::int32_t>(a - b) > 0;
}

}  // namespace

void wake(layout::Bell& bell, std::uint64_t mark) noexcept {
  // seq_cst: a sleeper that announces from here on reads the new value, and futex_wait compares it.
  bell.value.fetch_add(1, std::memory_order_seq_cst);
  os::futex_wake_all(bell.value);
  // Only the mark that was served; a newer one belongs to a sleeper that this wake may have missed.
  bell.mark.compare_exchange_strong(mark, layout::mark_clear, std::memory_order_seq_cst);
}

std::uint32_t announce(layout::Bell& bell) noexcept {
  const std::uint32_t value = bell.value.load(std::memory_order_seq_cst);
  std::uint64_t mark = bell.mark.load(std::memory_order_seq_cst);
  // SYNC POINT WRITE: mark. seq_cst: before the caller looks again (W1).
  while (!mark_is_set(mark) || newer(value, mark_value(mark))) {
    if (bell.mark.compare_exchange_weak(mark, mark_word(value), std::memory_order_seq_cst)) {
      return value;
    }
  }
  // Somebody's mark is as new and stands for us too: a ringer that missed it changed what it
  // changed before that mark was stored, and so before our next look, which is seq_cst as well.
  return value;
}

os::Woken nap(const layout::Bell& bell, std::uint32_t value, os::Instant until) noexcept {
  return os::futex_wait(bell.value, value, std::min(until, os::now() + longest_nap));
}

}  // namespace spillring::wait
