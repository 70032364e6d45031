// The words that processes share, and the fence between two of them: one name for both, so that the
// explorer (tests/explore) can compile the same protocols over words whose every access it
// schedules. Whatever else is shared is plain memory, which its owner alone touches.
#pragma once

#include <atomic>
#include <cstdint>

namespace spillring::os {

template <typename T>
using Atomic = std::atomic<T>;

static_assert(Atomic<std::uint64_t>::is_always_lock_free, "a lock would be private to a process");
static_assert(Atomic<std::uint32_t>::is_always_lock_free, "likewise");

inline void fence(std::memory_order order) noexcept { std::atomic_thread_fence(order); }

}  // namespace spillring::os
