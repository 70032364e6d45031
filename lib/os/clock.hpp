// Time: monotonic for deadlines, wall clock only as data.
#pragma once

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <ctime>

namespace spillring::os {

/// A point on CLOCK_MONOTONIC, in nanoseconds.
using Instant = std::int64_t;
inline constexpr Instant never = INT64_MAX;

inline Instant now() noexcept {
  timespec ts{};
  ::clock_gettime(CLOCK_MONOTONIC, &ts);
  return static_cast<Instant>(ts.tv_sec) * 1'000'000'000 + ts.tv_nsec;
}

/// `now()` at the kernel's last tick: 5 ns to read, no system call.
inline Instant tick() noexcept {
  timespec ts{};
  ::clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
  return static_cast<Instant>(ts.tv_sec) * 1'000'000'000 + ts.tv_nsec;
}

/// The instant `timeout` from now; `never` where that overflows. Negative timeouts are zero.
inline Instant deadline(std::chrono::nanoseconds timeout) noexcept {
  if (timeout == std::chrono::nanoseconds::max()) return never;
  const Instant start = now();
  if (timeout.count() <= 0) return start;
  return timeout.count() > never - start ? never : start + timeout.count();
}

/// `start` and so many nanoseconds; `never` where that overflows.
inline Instant after(Instant start, std::uint64_t nanoseconds) noexcept {
  return nanoseconds > static_cast<std::uint64_t>(never - start)
             ? never
             : start + static_cast<Instant>(nanoseconds);
}

/// Sleeps; signals do not shorten it.
inline void sleep_until(Instant until) noexcept {
  const timespec at{until / 1'000'000'000, until % 1'000'000'000};
  while (::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, nullptr) == EINTR) {
  }
}

/// Nanoseconds since 1970 with the resolution of the kernel's tick: 5 ns to read, no system call.
inline std::uint64_t wall_clock() noexcept {
  timespec ts{};
  ::clock_gettime(CLOCK_REALTIME_COARSE, &ts);
  return static_cast<std::uint64_t>(ts.tv_sec) * 1'000'000'000U +
         static_cast<std::uint64_t>(ts.tv_nsec);
}

}  // namespace spillring::os
