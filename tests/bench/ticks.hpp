// Time by the processor's counter.
#pragma once

#include <x86intrin.h>

#include <chrono>
#include <cstdint>
#include <thread>

namespace spillring::bench {

using Ticks = std::uint64_t;

/// After all loads before it.
inline Ticks ticks() {
  unsigned core = 0;
  return __rdtscp(&core);
}

/// Measured once, over 20 ms, by whoever asks first: before processes are forked.
inline double nanoseconds_per_tick() {
  static const double measured = [] {
    using Clock = std::chrono::steady_clock;
    const Ticks first = ticks();
    const auto begin = Clock::now();
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    const Ticks last = ticks();
    return std::chrono::duration<double, std::nano>(Clock::now() - begin).count() /
           static_cast<double>(last - first);
  }();
  return measured;
}

inline std::uint64_t nanoseconds(Ticks duration) {
  return static_cast<std::uint64_t>(static_cast<double>(duration) * nanoseconds_per_tick());
}

}  // namespace spillring::bench
