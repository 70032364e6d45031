// The one 128-bit compare-and-swap. std::atomic<__int128> will not do: gcc 12 sends it to
// libatomic, whose fallback is a lock private to the process.
#pragma once

#include <cstdint>

namespace spillring::os {

struct alignas(16) Pair {
  std::uint64_t low;
  std::uint64_t high;
};

__extension__ using Uint128 = unsigned __int128;

constexpr Uint128 joined(Pair pair) noexcept {
  return (static_cast<Uint128>(pair.high) << 64) | pair.low;
}

/// Replaces `*at` by `desired` if it equals `expected`. A full fence either way (lock cmpxchg16b).
/// REQUIRES: `at` is aligned to 16.
inline bool compare_and_swap(void* at, Pair expected, Pair desired) noexcept {
  return __sync_bool_compare_and_swap(static_cast<Uint128*>(at), joined(expected), joined(desired));
}

}  // namespace spillring::os
