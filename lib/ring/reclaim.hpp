// Reading under a hold, and making room that nobody needs any more.
//
// Two words in the ring: readers must not start on anything below `gone`; everything below `limit`
// may be overwritten. limit <= gone; both only grow. One word for both would be unsafe: a reader
// needs a moment between "it is still there" and "I have said that I look at it".
//
// Invariants
//   B1  A reader that stored hold <= s before it read gone <= s keeps the bytes of s: every
//   reclaimer
//       that could free s raises `gone` above s first and scans the holds afterwards, so either the
//       reader sees its `gone` or it sees the reader's hold.
//   B2  What a reclaimer computed stays true: floors, `base` and starts only grow, a joining group
//       enters the table before the others' floors are read for it (group_version).
//       So a slow or dying reclaimer harms nobody.
//   B3  `limit` passes neither a claimed sequence nor a REVOKED one.
//   B4  Where the oldest are dropped, `gone` passes what groups still need, and {gone, skipped} is
//       one pair: how many numbers below `gone` are no messages. The numbers from `gone` on cannot
//       change while it stays where it is (limit <= gone), so what was counted up to a new `gone`
//       is true if the swap of the pair succeeds.
#pragma once

#include <cstdint>
#include <optional>

#include "layout/groups.hpp"
#include "layout/manifest.hpp"
#include "ring/ring_view.hpp"

namespace spillring::ring {

/// What there is to see of a sequence.
enum class Seen : std::uint8_t {
  nothing,    // not published yet
  committed,  // a message
  skipped,    // a number without a message: aborted, revoked, released
  sealed,     // the ring's last number
  gone,       // it was here and is not any more
};

/// Looks at `s` without touching its bytes.
/// SYNC POINT READ: P. seq_cst: pairs with end_claim(); a sleeper's second look must not be
/// reordered before its mark.
inline Seen look(const RingView& ring, std::uint64_t s) noexcept {
  const std::uint64_t word = ring.descriptor(s).published.load(std::memory_order_seq_cst);
  const std::int32_t distance = layout::lap_distance(layout::publish_lap(word), ring.lap(s));
  if (distance < 0) return Seen::nothing;
  if (distance > 0) return Seen::gone;
  switch (layout::publish_state(word)) {
    case layout::Published::committed:
      return Seen::committed;
    case layout::Published::sealed:
      return Seen::sealed;
    default:
      return Seen::skipped;
  }
}

/// True if the number behind s-1 is this ring's, its seal at least: s-1 was claimed here
/// (claim.hpp, A2), and not for the seal. That stays so. False: this cannot tell. The reader of s-1
/// has its line at hand, and nobody writes it for a lap.
inline bool goes_on_at(const RingView& ring, std::uint64_t s) noexcept {
  if (s <= ring.first()) return false;
  // relaxed: whenever it was written, it holds from then on; no other word is read because of it.
  const std::uint64_t before = ring.descriptor(s - 1).published.load(std::memory_order_relaxed);
  return layout::publish_lap(before) == ring.lap(s - 1) &&
         layout::publish_state(before) != layout::Published::sealed;
}

/// True if `s` may be read: REQUIRES hold <= s, stored before with a full fence in between.
/// SYNC POINT READ: gone. seq_cst: pairs with reclaim().
inline bool still_here(const RingView& ring, std::uint64_t s) noexcept {
  return ring.header().gone.load(std::memory_order_seq_cst) <= s;
}

/// The first sequence that some group may still need: the least of all groups' max(floor, start)
/// and of `base`. `no_sequence` where nobody needs anything. Hostile values in `groups` can lose or
/// hold back messages, nothing worse: the caller clamps. `except`: a group that does not count.
inline constexpr std::uint32_t no_group = UINT32_MAX;
std::uint64_t needed_from(const layout::Manifest& manifest, const layout::Groups& groups,
                          std::uint32_t except = no_group) noexcept;

/// Everything below may be used again once it is finished and nobody holds it: what every group has
/// finished with, or the journal has, where messages need not stay in memory; and nothing that the
/// journal still has to get.
std::uint64_t free_until(const layout::Manifest& manifest, const layout::Groups& groups) noexcept;
/// The same where it is known what is needed.
std::uint64_t free_until(const layout::Manifest& manifest, std::uint64_t needed) noexcept;

/// The lowest hold that protects bytes of this ring. Holds below its first sequence belong to views
/// in older rings, which are sealed and need none.
std::uint64_t lowest_hold(const RingView& ring, const layout::Manifest& manifest,
                          const layout::Groups& groups) noexcept;

/// What is dropped of a ring, or was finished with: everything below `sequence`. Of the numbers of
/// the ring below it, `skipped` are no messages.
struct Gone {
  std::uint64_t sequence = 0;
  std::uint64_t skipped = 0;
};
/// REQUIRES: layout::drops_oldest().
Gone read_gone(const RingView& ring) noexcept;

/// What the queue has dropped, or its groups have finished with: everything below `until`, which
/// was `messages` since the queue began.
struct Dropped {
  std::uint64_t until = 0;  // 0: nothing
  std::uint64_t messages = 0;
};
/// REQUIRES: the ring is the one that Manifest::drops names. nullopt: it contradicts itself, as
/// `gone` lies behind its end. Up to `known` that is not looked at.
std::optional<Dropped> dropped_of(const RingView& ring, std::uint64_t known = 0) noexcept;

/// How many numbers in [from, to) are no messages. REQUIRES: all are published or given up, and
/// from >= gone; true only if `gone` has not moved since before.
std::uint64_t skipped_between(const RingView& ring, std::uint64_t from, std::uint64_t to) noexcept;

/// How many numbers of the ring below `end` are no messages, whoever drops meanwhile: they are
/// looked at under `hold`, once, and it is free again afterwards. It is in the way of those who
/// drop for that long, and the caller rings `room`. nullopt: `end` is dropped, or `gone` never
/// rests. REQUIRES: all below `end` are published or given up.
std::optional<std::uint64_t> skipped_below(const RingView& ring, std::uint64_t end,
                                           os::Atomic<std::uint64_t>& hold) noexcept;

/// Drops the oldest until `length` bytes and a number are free, and some more, so that not every
/// claim has to: at most 64 KiB and 1,024 numbers, and at most an eighth of the ring. What somebody
/// holds is not dropped, nor what is only claimed. Returns true if there is room, or the ring has
/// ended. By anyone who maps the ring writable. REQUIRES: layout::drops_oldest(), and that nothing
/// older is needed (Manifest::drops).
bool drop_oldest(const RingView& ring, const layout::Manifest& manifest,
                 const layout::Groups& groups, std::uint64_t length) noexcept;

/// Raises `gone` and `limit` by up to an eighth of the ring. Returns true if `limit` is higher than
/// before. By anyone who maps the ring writable.
bool reclaim(const RingView& ring, const layout::Manifest& manifest,
             const layout::Groups& groups) noexcept;

}  // namespace spillring::ring
