// How long to spin before sleeping: as long as it has paid off lately.
#pragma once

#include <algorithm>
#include <atomic>

#include "os/clock.hpp"

namespace spillring::wait {

inline void pause() noexcept { __builtin_ia32_pause(); }

/// Spins on a condition for a time that doubles when it was worth it and halves when it was not.
/// Thread-safe (two threads of one handle may wait at once; the budget is only an estimate).
class Spin {
 public:
  /// True as soon as `done()` is; false when the budget or the time until `until` is used up.
  template <typename Done>
  bool until(Done done, os::Instant until) noexcept {
    const os::Instant budget = budget_.load(std::memory_order_relaxed);
    const os::Instant start = os::now();
    const os::Instant end = std::min(until, start + budget);
    do {
      // Between two looks at the clock (25 ns): looks that cost the writer its cache line, apart by
      // pauses so that it gets on with its work.
      for (int i = 0; i < 16; ++i) {
        if (done()) {
          budget_.store(std::min(longest, budget * 2), std::memory_order_relaxed);
          return true;
        }
        pause();
      }
    } while (os::now() < end);
    budget_.store(std::max(shortest, budget / 2), std::memory_order_relaxed);
    return false;
  }

 private:
  static constexpr os::Instant longest = 50'000;  // about what a sleep and a wake cost
  static constexpr os::Instant shortest = 2'000;
  std::atomic<os::Instant> budget_{longest};
};

}  // namespace spillring::wait
