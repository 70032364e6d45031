// Sizes that both sides of every segment rely on. Fixed numbers, never derived from the compiler:
// two binaries must agree on them. Changing one changes `layout_version`.
#pragma once

#include <cstddef>
#include <cstdint>

namespace spillring::layout {

inline constexpr std::size_t cache_line = 64;
inline constexpr std::size_t page = 4096;

inline constexpr std::uint32_t max_handles = 1024;  // producers and consumers of one queue
inline constexpr std::uint32_t max_groups = 128;    // groups of one queue, subscriptions included
inline constexpr std::uint32_t max_rings = 8;       // rings of one queue alive at a time
inline constexpr std::uint32_t max_pinned = 4;      // rings kept alive by stopped clients only

inline constexpr std::uint64_t min_slots = 64;
inline constexpr std::uint64_t max_slots = std::uint64_t{1} << 26;
inline constexpr std::uint64_t min_capacity = 4096;
inline constexpr std::uint64_t max_capacity = std::uint64_t{1} << 40;
inline constexpr std::uint64_t max_message = (std::uint64_t{1} << 32) - page;

inline constexpr std::uint64_t first_slots = 4096;        // what a growing queue starts with
inline constexpr std::uint64_t first_arena = 256 * 1024;  // likewise, bytes
inline constexpr std::uint64_t growth_factor = 4;         // from one ring to the next
inline constexpr std::uint64_t max_window = 65536;        // words of a shared group's window

inline constexpr std::uint32_t most_deliveries = 250;   // that can be asked for: a word has 8 bits
inline constexpr std::uint32_t default_deliveries = 5;  // where there is a dead-letter queue
inline constexpr std::uint32_t max_hand_overs = 64;     // dead letters of one queue on their way

inline constexpr std::uint64_t extent_unit = 64;  // extents begin and end at multiples of it
inline constexpr std::size_t inline_size = 24;    // payload bytes a descriptor can hold
inline constexpr std::size_t max_metadata = 64 * 1024;
inline constexpr std::size_t max_alignment = 4096;

inline constexpr std::uint64_t no_sequence = UINT64_MAX;  // "none", and greater than all

static_assert(max_handles <= 4096, "a group word has 12 bits for its owner");
static_assert(max_window <= (1U << 22), "laps of a window are compared by signed difference");

}  // namespace spillring::layout
