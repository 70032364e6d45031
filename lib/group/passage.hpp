// Where the oldest are dropped: how far a group has come, and what it has settled on the way.
//
// {floor, settled} is one pair, changed by a 128-bit compare-and-swap: of the messages below the
// floor the group has settled so many itself (acknowledged, or whatever else ends a message). With
// C(s), the messages that were ever published below s (ring/reclaim.hpp, B4):
//
//   dropped = C(floor) - settled
//
// So nothing is added up where something is dropped, and nothing can be counted twice, or not, by
// whoever is killed or stopped between two steps. `GroupCursor::dropped` is that number as it was
// last found out; `told` is how much of it a member was told of.
#pragma once

#include <cstdint>

#include "layout/groups.hpp"
#include "os/atomic128.hpp"

namespace spillring::group {

struct Passage {
  std::uint64_t floor = 0;
  std::uint64_t settled = 0;
  bool operator==(const Passage&) const = default;
};

/// Both as they were at one moment.
/// SYNC POINT READ: {floor, settled}. They change together, and the floor only grows.
inline Passage read(const layout::GroupCursor& cursor) noexcept {
  Passage seen{cursor.floor.load(std::memory_order_seq_cst), 0};
  for (int races = 1000; races != 0; --races) {
    seen.settled = cursor.settled.load(std::memory_order_seq_cst);
    const std::uint64_t again = cursor.floor.load(std::memory_order_seq_cst);
    if (again == seen.floor) break;
    seen.floor = again;
  }
  return seen;
}

/// SYNC POINT WRITE: {floor, settled}. A full fence.
inline bool swap(layout::GroupCursor& cursor, Passage from, Passage to) noexcept {
  return os::compare_and_swap(&cursor.floor, {from.floor, from.settled}, {to.floor, to.settled});
}

/// After the floor came to `at.floor`, below which there were `messages`: says how many the group
/// has missed.
void note_dropped(layout::GroupCursor& cursor, Passage at, std::uint64_t messages) noexcept;

/// How many messages the group has missed that nobody was told of yet; from then on somebody is.
std::uint64_t hear_of_dropped(layout::GroupCursor& cursor) noexcept;

}  // namespace spillring::group
