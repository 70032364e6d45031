// Stands in for lib/os/atomic128.hpp.
#pragma once

#include <cstdint>

namespace spillring::os {

struct alignas(16) Pair {
  std::uint64_t low;
  std::uint64_t high;
};

}  // namespace spillring::os

namespace explore {

bool swap_pair(void* at, spillring::os::Pair expected, spillring::os::Pair desired) noexcept;

}  // namespace explore

namespace spillring::os {

/// A full fence either way, as the instruction is.
inline bool compare_and_swap(void* at, Pair expected, Pair desired) noexcept {
  return explore::swap_pair(at, expected, desired);
}

}  // namespace spillring::os
