// The greatest number that a message can have.
#pragma once

#include <cstdint>

namespace spillring::layout {

// No queue comes to it: what names a greater number on the disk is damaged. Below it, a number and
// a size can be added.
inline constexpr std::uint64_t last_sequence = (std::uint64_t{1} << 55) - 1;

}  // namespace spillring::layout
