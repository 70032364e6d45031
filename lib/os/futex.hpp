// Sleeping on a word of shared memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "os/atomic.hpp"
#include "os/clock.hpp"

namespace spillring::os {

enum class Woken : std::uint8_t { changed, timed_out, interrupted };

/// Sleeps while `*word == expected`, until `until` at the latest. Never a PRIVATE futex: the waker
/// is another process. One system call.
Woken futex_wait(const Atomic<std::uint32_t>& word, std::uint32_t expected, Instant until) noexcept;

/// A word, and the value at which to sleep on it.
struct FutexWait {
  const Atomic<std::uint32_t>* word = nullptr;
  std::uint32_t expected = 0;
  bool operator==(const FutexWait&) const = default;
};
inline constexpr std::size_t most_futexes = 128;

/// Sleeps while each word has its value, until `until` at the latest. `changed` also where one of
/// the words is no memory any more. REQUIRES: at most `most_futexes`. One system call (futex_waitv,
/// Linux 5.16).
Woken futex_wait_any(std::span<const FutexWait> waits, Instant until) noexcept;

/// Wakes everyone who sleeps on `word`. One system call.
void futex_wake_all(Atomic<std::uint32_t>& word) noexcept;

}  // namespace spillring::os
