// The bells of a queue: whoever sleeps, sleeps here. Every client may write all of it; nothing in
// it is true or false, it only wakes. Damage to it costs a bounded wait.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "layout/limits.hpp"
#include "layout/words.hpp"
#include "os/atomic.hpp"

namespace spillring::layout {

struct Bell {
  alignas(cache_line) os::Atomic<std::uint32_t> value;  // the futex word: grows with each ring
  std::uint32_t reserved_value;
  os::Atomic<std::uint64_t> mark;  // mark_word: somebody sleeps, and saw this value
  std::uint64_t reserved[6];
};
static_assert(sizeof(Bell) == 64, "the bells are rung by different sides");
static_assert(offsetof(Bell, mark) == 8, "one line: whoever looks at the mark is about to ring");

struct Bells {
  Bell data;                         // there may be something to read
  Bell room;                         // there may be room to write
  Bell disk;                         // more has reached the disk
  os::Atomic<std::uint64_t> wanted;  // bytes of the largest extent that did not fit into the ring
  os::Atomic<std::uint64_t> damage;  // somebody found a contradiction: the supervisor should look
  std::uint64_t reserved[6];
  // For each handle: the sequence that `limit` has to reach before it is worth waking; 0: none.
  os::Atomic<std::uint64_t> need[max_handles];
};
static_assert(offsetof(Bells, room) == 64);
static_assert(offsetof(Bells, disk) == 128);
static_assert(offsetof(Bells, wanted) == 192);
static_assert(offsetof(Bells, damage) == 200);
static_assert(offsetof(Bells, need) == 256);
static_assert(sizeof(Bells) == 256 + 8 * max_handles, "no padding anywhere");
static_assert(std::is_standard_layout_v<Bells>);

}  // namespace spillring::layout
