// G, the groups: how far each has come and what each consumer may still look at. Written by
// consumers. Beside it, one segment of words for each shared group, written by its members only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "layout/limits.hpp"
#include "layout/words.hpp"
#include "os/atomic.hpp"

namespace spillring::layout {

inline constexpr std::uint64_t groups_magic = 0x315052474C495053;  // "SPILGRP1"

struct GroupCursor {
  alignas(cache_line) os::Atomic<std::uint64_t> floor;  // first sequence not finished; only grows
  // Where the oldest are dropped: how many messages below the floor the group has settled itself,
  // changed together with the floor by one 128-bit compare-and-swap (group/passage.hpp); how many
  // it has missed, as far as it has come; and how many of these a member was told of.
  os::Atomic<std::uint64_t> settled;
  os::Atomic<std::uint64_t> dropped;
  os::Atomic<std::uint64_t> told;
  std::uint64_t reserved_floor[4];
  alignas(
      cache_line) os::Atomic<std::uint64_t> next;  // a hint: below it everything was claimed once
  os::Atomic<std::uint64_t> rescan;                // a hint: the lowest that was handed back
  os::Atomic<std::uint64_t> owner;                 // of a stream group: stream_owner, or 0
  os::Atomic<std::uint64_t> lost;                  // numbers that went with the journal or a ring
  os::Atomic<std::uint64_t> read_back;        // messages that members were given from the journal
  os::Atomic<std::uint64_t> read_back_bytes;  // payload and metadata of these
  os::Atomic<std::uint64_t> set_aside;        // words were, since the supervisor has looked
  os::Atomic<std::uint64_t> expired;          // messages whose time was over before delivery
};
static_assert(offsetof(GroupCursor, settled) == 8, "the upper half of a pair with the floor");
static_assert(offsetof(GroupCursor, dropped) == 16);
static_assert(offsetof(GroupCursor, next) == 64,
              "producers read the floor, not what members fight over");
static_assert(offsetof(GroupCursor, read_back) == 96);
static_assert(sizeof(GroupCursor) == 128);

struct Hold {
  alignas(cache_line) os::Atomic<std::uint64_t> sequence;  // oldest in use; no_sequence: none
  // What this consumer has claimed from here on was claimed ahead, and nobody has seen it;
  // no_sequence: nothing. Stored before a message is handed out.
  os::Atomic<std::uint64_t> ahead;
  std::uint64_t reserved[6];
};
static_assert(sizeof(Hold) == 64, "each consumer writes its own line");

struct Groups {
  std::uint64_t magic;
  std::uint64_t queue_id;
  std::uint64_t reserved[6];
  GroupCursor cursors[max_groups];
  Hold holds[max_handles];
};
static_assert(offsetof(Groups, cursors) == 64);
static_assert(offsetof(Groups, holds) == 64 + 128 * max_groups);
static_assert(sizeof(Groups) == 64 + 128 * max_groups + 64 * max_handles, "no padding anywhere");
static_assert(std::is_standard_layout_v<Groups>);

using Word = os::Atomic<std::uint64_t>;  // of a shared group's window; words.hpp: GroupWord

}  // namespace spillring::layout
