// M, the manifest of a queue: what the queue is and who takes part. Only the supervisor writes it.
//
//   offset     0  Manifest header: identity and options, written before anybody maps it
//            256  moving words
//            576  groups[max_groups]
//          25152  handles[max_handles]
//          57920  dead letters
//
// It is all that a restarted supervisor knows of the queue, so names are in it too. An entry of a
// table becomes valid by its word, which is written last.
//
// `layout_version` must be raised when a field changes its place, width or meaning, when a table
// changes its length, or when a word of words.hpp is packed differently.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "layout/limits.hpp"
#include "layout/text.hpp"
#include "layout/words.hpp"
#include "os/atomic.hpp"

namespace spillring::layout {

inline constexpr std::uint64_t manifest_magic = 0x314E414D4C495053;  // "SPILMAN1"

/// What the queue's memory is good for now.
enum class Condition : std::uint32_t {
  ok = 0,
  deleted = 1,
  poisoned = 2,
  stopped = 3,  // its supervisor has ended on purpose, and has taken the messages along
};

/// In which way the newest ring is still below its limits.
enum CanGrow : std::uint32_t { more_slots = 1, more_bytes = 2 };

struct GroupEntry {
  os::Atomic<std::uint64_t> word;  // entry_word: presence, kind, generation
  os::Atomic<std::uint64_t>
      start;                    // everything below is finished, whatever the floor says; only grows
  std::uint64_t window;         // words of a shared group; 0 for a stream
  std::int64_t unused_since;    // monotonic, ns; 0: it has members. For the supervisor alone
  std::uint64_t unused_before;  // how long it had been unused when that began, in other lives
  std::uint64_t reserved[4];
  Text<name_size> name;  // empty: a subscription's own
};
static_assert(offsetof(GroupEntry, name) == 72);
static_assert(sizeof(GroupEntry) == 192,
              "whole cache lines, so that groups do not disturb one another");

struct HandleEntry {
  os::Atomic<std::uint64_t> word;  // entry_word: presence, role, generation, group, rings
  std::uint32_t pid;               // for people; liveness is the pidfd's
  std::uint32_t user;              // likewise
  std::uint64_t session;           // of the connection that it was given to
  std::uint64_t request;           // for which it was made
};
static_assert(sizeof(HandleEntry) == 32, "a table of 1,024 takes 32 KiB");

/// A message of a group on its way to the dead-letter queue: what was promised to it before the
/// copy became visible (daemon/dead_letters.cpp).
struct HandOver {
  os::Atomic<std::uint64_t> word;  // of the group's window, doomed; 0: this entry is free
  std::uint64_t sequence;
  std::uint64_t target;           // id of the dead-letter queue
  std::uint64_t target_sequence;  // the copy's
  std::uint32_t group;            // slot
  std::uint32_t reserved;
};
static_assert(sizeof(HandOver) == 40, "no padding");

inline constexpr std::uint32_t sync_never = UINT32_MAX;

struct Manifest {
  // -- written once; the options that can be set (control.hpp, Setting) as whole words, any time
  std::uint64_t magic;
  std::uint32_t layout_version;
  std::uint32_t size;  // of this segment
  std::uint64_t features_compatible;
  std::uint64_t features_required;  // a bit that is not known: refuse
  std::uint64_t queue_id;
  std::uint64_t capacity;         // bytes: the largest arena
  std::uint64_t slots;            // the most slots
  std::uint64_t largest_message;  // payload and metadata
  std::uint64_t stall_timeout_ns;
  std::uint64_t lease_ns;  // 0: none
  std::uint8_t full;       // spillring::Full
  std::uint8_t keep;       // spillring::Keep
  std::uint8_t prealloc;
  std::uint8_t durability;  // spillring::Durability
  std::uint32_t sync_ms;    // least time between two syncs; 0: none; sync_never: there are none
  Text<name_size> name;
  std::uint64_t made_by_session;  // who created it, and by which request: done twice, it is known
  std::uint64_t made_by_request;
  std::uint32_t owner;  // user id
  std::uint32_t owner_group;
  std::uint32_t mode;
  std::uint32_t max_deliveries;  // 0: without end
  std::uint64_t retain_ns;       // messages stay in the journal this long after they were sent,
  std::uint64_t retain_bytes;    // and so many bytes of them; both 0: until they are read

  // -- moving
  os::Atomic<std::uint32_t> condition;  // Condition; looked at by every claim and before sleeping
  os::Atomic<std::uint32_t> can_grow;   // CanGrow bits: a ring with more may still come
  os::Atomic<std::uint64_t> group_version;  // changes after a group has joined or left the table
  // A group without members; no_sequence: not there. Where the oldest are dropped, so many messages
  // below it were not: one pair, as the cursors have it (group/passage.hpp).
  alignas(16) os::Atomic<std::uint64_t> base;
  std::uint64_t base_settled;
  // Everything below is in the journal, or was finished by every group before spilling began.
  os::Atomic<std::uint64_t> journaled;
  // Who claims from this sequence, or from this arena position on, rings the supervisor: the queue
  // fills up. no_sequence: nobody needs to.
  os::Atomic<std::uint64_t> alert_sequence;
  os::Atomic<std::uint64_t> alert_position;
  // Who publishes this number or a later one rings the supervisor, which has written what is
  // before. no_sequence: nobody needs to.
  os::Atomic<std::uint64_t> follow_from;
  os::Atomic<std::uint64_t> first[max_rings];  // first sequence, and name, of each ring; 0: none
  std::uint64_t pinned[max_pinned];      // rings let go of that a stopped client may map; 0: none
  os::Atomic<std::uint32_t> disk_alarm;  // spillring::DiskAlarm: why nothing is written at present
  std::uint32_t exclusive_producer;      // 1: at most one is attached; written once
  std::uint64_t boot;                    // of the machine; written once
  std::uint64_t ttl_ns;                  // of what is sent without one; 0: none; can be set
  // A named group that has had no members for so long is removed; 0: none is; can be set.
  std::uint64_t group_expiry_ns;
  // The ring in which the oldest may be dropped, by its first sequence: everything below that is
  // dropped, or was finished with. 0: none yet. Only grows.
  os::Atomic<std::uint64_t> drops;
  os::Atomic<std::uint32_t> handles_used;  // handles[i] with i >= this were never given out
  os::Atomic<std::uint32_t> groups_used;   // likewise
  // What is below, in a ring that was condemned and not in the journal, is lost. Only grows.
  os::Atomic<std::uint64_t> lost_until;
  std::uint64_t reserved_rings[5];
  // The name of the last ring at that place of first[] that was condemned: of it, and of any before
  // it, nothing is believed any more. 0: none was. Only grows.
  os::Atomic<std::uint64_t> condemned[max_rings];

  // -- tables
  GroupEntry groups[max_groups];
  HandleEntry handles[max_handles];

  // -- dead letters
  Text<name_size> dead_letter;  // name of the queue that they go to; empty: none; written once
  os::Atomic<std::uint64_t> dead_lettered;
  os::Atomic<std::uint64_t> discarded;  // delivered too often, where there is no such queue
  HandOver hand_overs[max_hand_overs];
  std::uint64_t reserved_end;
};

static_assert(offsetof(Manifest, magic) == 0, "checked before anything else is believed");
static_assert(offsetof(Manifest, layout_version) == 8, "likewise");
static_assert(offsetof(Manifest, full) == 80);
static_assert(offsetof(Manifest, durability) == 83);
static_assert(offsetof(Manifest, sync_ms) == 84);
static_assert(offsetof(Manifest, name) == 88);
static_assert(offsetof(Manifest, retain_ns) == 240);
static_assert(offsetof(Manifest, condition) == 256, "apart from what never changes");
static_assert(offsetof(Manifest, group_version) == 264);
static_assert(offsetof(Manifest, base) == 272);
static_assert(offsetof(Manifest, base_settled) == 280, "the upper half of a pair with base");
static_assert(offsetof(Manifest, journaled) == 288);
static_assert(offsetof(Manifest, follow_from) == 312);
static_assert(offsetof(Manifest, first) == 320, "a line of its own: looked at before each sleep");
static_assert(offsetof(Manifest, disk_alarm) == 416);
static_assert(offsetof(Manifest, exclusive_producer) == 420);
static_assert(offsetof(Manifest, ttl_ns) == 432);
static_assert(offsetof(Manifest, group_expiry_ns) == 440);
static_assert(offsetof(Manifest, drops) == 448);
static_assert(offsetof(Manifest, handles_used) == 456);
static_assert(offsetof(Manifest, lost_until) == 464);
static_assert(offsetof(Manifest, condemned) == 512,
              "a line of its own, seldom written: looked at with every message");
static_assert(offsetof(Manifest, groups) == 576);
static_assert(offsetof(Manifest, handles) == 576 + sizeof(GroupEntry) * max_groups);
static_assert(offsetof(Manifest, dead_letter) == 576 + 192 * max_groups + 32 * max_handles);
static_assert(offsetof(Manifest, hand_overs) == offsetof(Manifest, dead_letter) + name_size + 16);
static_assert(sizeof(Manifest) == offsetof(Manifest, hand_overs) + 40 * max_hand_overs + 8,
              "no padding anywhere");
static_assert(std::is_standard_layout_v<Manifest>, "offsets mean something only then");

/// Everything published goes to the journal, without a gap, before its memory is used again.
// Bits of entry_rings(): for the ring at each place of first[], and for that at each of pinned[].
constexpr std::uint16_t ring_bit(std::size_t place) noexcept {
  return static_cast<std::uint16_t>(1U << place);
}
constexpr std::uint16_t pinned_bit(std::size_t place) noexcept {
  return static_cast<std::uint16_t>(1U << (max_rings + place));
}
static_assert(max_rings + max_pinned <= 16, "a bit each");

inline bool follows(const Manifest& manifest) noexcept {
  return manifest.durability != 0 || manifest.retain_ns != 0 || manifest.retain_bytes != 0;
}

/// The word that says whether the ring of that name is condemned; nullptr: M does not name it.
/// Whoever has found it may go on looking there when the place is another ring's: names only grow.
template <typename AnyManifest>
auto condemned_word(AnyManifest& manifest, std::uint64_t name) noexcept
    -> decltype(&manifest.condemned[0]) {
  for (std::size_t place = 0; place < max_rings; ++place) {
    if (manifest.first[place].load(std::memory_order_seq_cst) == name) {
      return &manifest.condemned[place];
    }
  }
  return nullptr;
}

/// Of the ring whose word that is.
/// SYNC POINT READ: condemned. seq_cst: behind the swap that claims or publishes, so that what
/// comes later than the supervisor's store is seen to (docs/protocols.md, Damage).
inline bool is_condemned(const os::Atomic<std::uint64_t>& word, std::uint64_t name) noexcept {
  return word.load(std::memory_order_seq_cst) >= name;
}

/// The oldest are dropped where there is no room, and what is missed is counted.
inline bool drops_oldest(const Manifest& manifest) noexcept { return manifest.full == 3; }

/// Bytes of messages that the caches of processors hold, beside what else they are for.
inline constexpr std::uint64_t cached_arena = 4 * 1024 * 1024;

/// A ring so large grows only when a sender asks for it, who does so where readers are slow: in a
/// larger one each message goes through memory (docs/decisions/0011-rings-stay-in-the-cache.md).
/// Where a full ring is copied, dropped from or refused, a larger one comes first.
inline bool grows_when_asked(const Manifest& manifest, std::uint64_t arena) noexcept {
  return manifest.full == 0 && !follows(manifest) && arena >= cached_arena;
}

/// Bits of `features_required` that this build understands.
inline constexpr std::uint64_t features_known = 0;

}  // namespace spillring::layout
