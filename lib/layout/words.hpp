// The words that many processes swap: packed, unpacked, compared. No memory is touched here.
#pragma once

#include <cstdint>

namespace spillring::layout {

/// Who a handle is in its queue's table: the slot, and how often the slot was given out.
struct Owner {
  std::uint16_t slot = 0;
  std::uint16_t generation = 0;
  friend constexpr bool operator==(Owner, Owner) = default;
};
/// Stands in a claim word for the end of a ring. No handle has this slot.
inline constexpr Owner seal_owner{0xFFFF, 0xFFFF};

// ---- laps -----------------------------------------------------------------------------------

/// Which time round the ring of `slots` (a power of two) sequence `s` is; its low 32 bits.
constexpr std::uint32_t lap_of(std::uint64_t s, unsigned slots_log2) noexcept {
  return static_cast<std::uint32_t>((s >> slots_log2) + 1);
}
/// Positive: `a` is newer. Laps wrap, so they are compared by difference, never by size.
constexpr std::int32_t lap_distance(std::uint32_t a, std::uint32_t b) noexcept {
  return static_cast<std::int32_t>(a - b);
}

// ---- the first half of a claim word: {lap:32 | slot:16 | generation:16} ------------------------

constexpr std::uint64_t claim_word(std::uint32_t lap, Owner owner) noexcept {
  return (std::uint64_t{lap} << 32) | (std::uint64_t{owner.slot} << 16) | owner.generation;
}
constexpr std::uint32_t claim_lap(std::uint64_t word) noexcept {
  return static_cast<std::uint32_t>(word >> 32);
}
constexpr Owner claim_owner(std::uint64_t word) noexcept {
  return {static_cast<std::uint16_t>(word >> 16), static_cast<std::uint16_t>(word)};
}

// ---- the publish word: {lap:32 | 0:24 | state:8} ------------------------------------------------

enum class Published : std::uint8_t {
  committed = 1,
  aborted = 2,   // given up, or its owner died: skipped
  revoked = 3,   // taken from an owner that took too long: skipped; its bytes stay the owner's
  released = 4,  // the owner of a revoked one has let go: skipped; its bytes are free
  sealed = 5,    // the end of this ring: the next sequence is in the next one
};

constexpr std::uint64_t publish_word(std::uint32_t lap, Published state) noexcept {
  return (std::uint64_t{lap} << 32) | static_cast<std::uint8_t>(state);
}
constexpr std::uint32_t publish_lap(std::uint64_t word) noexcept {
  return static_cast<std::uint32_t>(word >> 32);
}
constexpr Published publish_state(std::uint64_t word) noexcept {
  return static_cast<Published>(static_cast<std::uint8_t>(word));
}

// ---- a shared group's word: {lap:24 | state:4 | count:8 | slot:12 | generation:16} --------------

enum class Delivery : std::uint8_t {
  available = 0,  // handed back; count says how often it was given out. (An older lap: never was.)
  claimed = 1,
  finished = 2,  // acknowledged, or settled otherwise by the group
  // Set aside: nobody claims it; the supervisor alone goes on with it.
  delayed = 3,  // handed back, and available after so many milliseconds: delay_of()
  doomed = 4,   // handed back after its last delivery: to the dead letters, or discarded
  expired = 5,  // its time was over before it was handed out: likewise
  passed = 6,   // finished, and the number carries no message that the group could have
  dropped = 7,  // the queue has dropped it: the floor goes over it with all that is dropped
};

struct GroupWord {
  std::uint32_t lap = 0;  // 24 bits
  Delivery state = Delivery::available;
  std::uint8_t count = 0;
  Owner owner{};
};

constexpr bool is_finished(Delivery state) noexcept {
  return state == Delivery::finished || state == Delivery::passed;
}

inline constexpr std::uint32_t group_lap_mask = (1U << 24) - 1;

constexpr std::uint32_t group_lap_of(std::uint64_t s, unsigned window_log2) noexcept {
  return static_cast<std::uint32_t>((s >> window_log2) + 1) & group_lap_mask;
}
/// Positive: `a` is newer; 24-bit laps, by signed difference.
constexpr std::int32_t group_lap_distance(std::uint32_t a, std::uint32_t b) noexcept {
  return static_cast<std::int32_t>((a - b) << 8) >> 8;
}
constexpr std::uint64_t packed(GroupWord w) noexcept {
  return (std::uint64_t{w.lap & group_lap_mask} << 40) |
         (std::uint64_t{static_cast<std::uint8_t>(w.state)} << 36) |
         (std::uint64_t{w.count} << 28) | (std::uint64_t{w.owner.slot & 0xFFFU} << 16) |
         w.owner.generation;
}
constexpr GroupWord unpacked(std::uint64_t word) noexcept {
  return {static_cast<std::uint32_t>(word >> 40),
          static_cast<Delivery>((word >> 36) & 0xF),
          static_cast<std::uint8_t>(word >> 28),
          {static_cast<std::uint16_t>((word >> 16) & 0xFFF), static_cast<std::uint16_t>(word)}};
}
/// Where a delayed word has its milliseconds: in the bits of its owner.
inline constexpr std::uint64_t longest_delay_ms = (std::uint64_t{1} << 28) - 1;

static_assert(longest_delay_ms > 72 * 3'600'000, "spillring::longest_delay");

constexpr Owner delay_as_owner(std::uint64_t ms) noexcept {
  return {static_cast<std::uint16_t>(ms >> 16), static_cast<std::uint16_t>(ms)};
}
constexpr std::uint64_t delay_of(GroupWord word) noexcept {
  return (std::uint64_t{word.owner.slot} << 16) | word.owner.generation;
}
/// One more delivery: counts to 255, then on from 128, so that it never looks like a first one.
constexpr std::uint8_t counted_on(std::uint8_t count) noexcept {
  return count == 255 ? 128 : static_cast<std::uint8_t>(count + 1);
}

// ---- rescan: {sequence:56 | version:8} ----------------------------------------------------------

inline constexpr std::uint64_t rescan_none = (std::uint64_t{1} << 56) - 1;

constexpr std::uint64_t rescan_word(std::uint64_t sequence, std::uint8_t version) noexcept {
  return (sequence << 8) | version;
}
constexpr std::uint64_t rescan_sequence(std::uint64_t word) noexcept { return word >> 8; }
constexpr std::uint8_t rescan_version(std::uint64_t word) noexcept {
  return static_cast<std::uint8_t>(word);
}

// ---- a bell's mark: {0:31 | set:1 | value:32}
// -----------------------------------------------------

inline constexpr std::uint64_t mark_clear = 0;
constexpr std::uint64_t mark_word(std::uint32_t bell) noexcept {
  return (std::uint64_t{1} << 32) | bell;
}
constexpr bool mark_is_set(std::uint64_t mark) noexcept { return (mark >> 32) != 0; }
constexpr std::uint32_t mark_value(std::uint64_t mark) noexcept {
  return static_cast<std::uint32_t>(mark);
}

// ---- entries of the tables in the manifest
// ----------------------------------------------------------

enum class Presence : std::uint8_t {
  free = 0,
  joining = 1,  // a group: holds messages back already, has no start yet
  live = 2,
  dying = 3,  // a handle: its repair has begun, and is done again if it is cut short
};
enum class Role : std::uint8_t { producer = 1, shared_consumer = 2, stream_consumer = 3 };

/// {presence:8 | kind or role:8 | generation:16 | group slot:16 | rings:16}
/// Rings: of a handle, those that it has been handed and has not dropped (manifest.hpp, ring_bit).
constexpr std::uint64_t entry_word(Presence presence, std::uint8_t kind, std::uint16_t generation,
                                   std::uint16_t group = 0, std::uint16_t rings = 0) noexcept {
  return (std::uint64_t{static_cast<std::uint8_t>(presence)} << 56) | (std::uint64_t{kind} << 48) |
         (std::uint64_t{generation} << 32) | (std::uint64_t{group} << 16) | rings;
}
constexpr Presence entry_presence(std::uint64_t word) noexcept {
  return static_cast<Presence>(static_cast<std::uint8_t>(word >> 56));
}
constexpr std::uint8_t entry_kind(std::uint64_t word) noexcept {
  return static_cast<std::uint8_t>(word >> 48);
}
constexpr std::uint16_t entry_generation(std::uint64_t word) noexcept {
  return static_cast<std::uint16_t>(word >> 32);
}
constexpr std::uint16_t entry_group(std::uint64_t word) noexcept {
  return static_cast<std::uint16_t>(word >> 16);
}
constexpr std::uint16_t entry_rings(std::uint64_t word) noexcept {
  return static_cast<std::uint16_t>(word);
}

/// A stream group's owner: {set:1 | slot:16 | generation:16}; 0: nobody.
constexpr std::uint64_t stream_owner(Owner owner) noexcept {
  return (std::uint64_t{1} << 32) | (std::uint64_t{owner.slot} << 16) | owner.generation;
}

}  // namespace spillring::layout
