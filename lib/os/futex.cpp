#include "os/futex.hpp"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>

#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif

namespace spillring::os {

Woken futex_wait(const Atomic<std::uint32_t>& word, std::uint32_t expected,
                 Instant until) noexcept {
  timespec at{};
  at.tv_sec = until / 1'000'000'000;
  at.tv_nsec = until % 1'000'000'000;
  // BITSET, because only that form takes an absolute time (on CLOCK_MONOTONIC).
  const long result = ::syscall(SYS_futex, &word, FUTEX_WAIT_BITSET, expected,
                                until == never ? nullptr : &at, nullptr, FUTEX_BITSET_MATCH_ANY);
  if (result == 0 || errno == EAGAIN) return Woken::changed;
  return errno == EINTR ? Woken::interrupted : Woken::timed_out;
}

Woken futex_wait_any(std::span<const FutexWait> waits, Instant until) noexcept {
  std::array<::futex_waitv, most_futexes> list{};
  std::ranges::transform(waits, list.begin(), [](const FutexWait& wait) {
    ::futex_waitv entry{};
    entry.uaddr = reinterpret_cast<std::uintptr_t>(wait.word);
    entry.val = wait.expected;
    entry.flags = FUTEX_32;
    return entry;
  });
  timespec at{};
  at.tv_sec = until / 1'000'000'000;
  at.tv_nsec = until % 1'000'000'000;
  const long result = ::syscall(SYS_futex_waitv, list.data(), waits.size(), 0,
                                until == never ? nullptr : &at, CLOCK_MONOTONIC);
  if (result >= 0 || (errno != ETIMEDOUT && errno != EINTR)) return Woken::changed;
  return errno == EINTR ? Woken::interrupted : Woken::timed_out;
}

void futex_wake_all(Atomic<std::uint32_t>& word) noexcept {
  ::syscall(SYS_futex, &word, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
}

}  // namespace spillring::os
