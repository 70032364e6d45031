// Sleeping on a word of shared memory.
#pragma once

#include <atomic>
#include <cstdint>

#include "os/clock.hpp"

namespace spillring::os {

enum class Woken : std::uint8_t { changed, timed_out, interrupted };

/// Sleeps while `*word == expected`, until `until` at the latest. Never a PRIVATE futex: the waker
/// is another process. One system call.
Woken futex_wait(const std::atomic<std::uint32_t>& word, std::uint32_t expected,
                 Instant until) noexcept;

/// Wakes everyone who sleeps on `word`. One system call.
void futex_wake_all(std::atomic<std::uint32_t>& word) noexcept;

}  // namespace spillring::os
