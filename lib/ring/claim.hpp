// Claiming the next sequence of a ring, and ending the claim: publish, abort, revoke, seal.
//
// Truth is in two words per slot that only move forward:
//   C = claim(s): {lap, owner} and the extent's end, changed by one 128-bit compare-and-swap;
//   P = descriptor(s).published: {lap, state}, changed by 64-bit compare-and-swap.
// Sequence s is *claimed* while C has lap(s) and P has an older lap. `tail` is a hint.
//
// Invariants
//   A1  A slot's C.lap and (P.lap, state) only grow, and P.lap <= C.lap.
//   A2  s+1 can be claimed only after s: a claimer needs C(s-1) to have lap(s-1).
//   A3  Extents are disjoint and contiguous: the extent of s begins where that of s-1 ends, and
//   that
//       end does not change until the slot of s-1 is claimed again, a lap later.
//   A4  Only the owner writes its extent and descriptor fields, and neither is used again before
//   the
//       message is COMMITTED and reclaimed, ABORTED, or RELEASED.
//   A5  publish() says `ok` exactly if the message became COMMITTED, once.
//
// Why the start is right: if the compare-and-swap succeeds, s was unclaimed until then, so nothing
// behind s was claimed (A2), so the slot of s-1 still held s-1, whose end is fixed (A3).
// Why `N - 2`: one slot keeps limit-1, from which the oldest start is derived without a second
// variable; one is left for the seal, which needs no room of its own.
#pragma once

#include <cstdint>
#include <optional>

#include "layout/words.hpp"
#include "os/atomic128.hpp"
#include "ring/ring_view.hpp"

namespace spillring::ring {

/// How far the ring is free, as far as this claimer knows. Old values are safe: they only know
/// less.
struct Room {
  std::uint64_t limit = 0;  // everything below may be overwritten
  std::uint64_t low = 0;    // the arena position where `limit` begins
};

enum class ClaimStatus : std::uint8_t {
  claimed,
  no_slots,  // more than N - 3 sequences are in use
  no_bytes,  // the arena has no `length` bytes left
  sealed,    // the ring has ended; the next sequence is in the next ring
  corrupt,   // the ring contradicts itself
};

struct Claim {
  ClaimStatus status = ClaimStatus::corrupt;
  std::uint64_t sequence =
      0;  // claimed: it; no room: the one that would have been next; sealed: the next
  std::uint64_t start = 0;  // arena position of the extent
};

/// The two halves of a claim word.
struct Slot {
  std::uint64_t word;
  std::uint64_t end;
};

/// The pair may be torn; whoever acts on it does so by a compare-and-swap of both, or needs only an
/// end that cannot have changed (A3).
/// SYNC POINT READ: C. acquire: the end must be at least as new as the lap before it says.
inline Slot read(const layout::ClaimWord& claim) noexcept {
  const std::uint64_t word = claim.word.load(std::memory_order_acquire);
  return {word, claim.end.load(std::memory_order_acquire)};
}

/// SYNC POINT WRITE: C. The locked instruction is a full fence: owner and extent appear in one
/// step.
inline bool swap(layout::ClaimWord& claim, Slot expected, Slot desired) noexcept {
  return os::compare_and_swap(&claim, {expected.word, expected.end}, {desired.word, desired.end});
}

/// claim() where the end of the ring has to be looked for, or room.
Claim search_and_claim(const RingView& ring, layout::Owner me, std::uint64_t length,
                       Room& room) noexcept;

/// Claims the next sequence with an extent of `length` bytes (a multiple of extent_unit, at most
/// the arena). Lock-free. Looks at `room` first and refreshes it only where it says no.
inline Claim claim(const RingView& ring, layout::Owner me, std::uint64_t length,
                   Room& room) noexcept {
  // As a rule the hint is right and there is room: everything that makes `s` the next to claim
  // (look_at) is checked here too, and the rest is left to the search.
  const std::uint64_t s = ring.header().tail.load(std::memory_order_relaxed);
  if (s > ring.first() && length <= ring.arena()) {
    const std::uint32_t lap = ring.lap(s);
    const Slot slot = read(ring.claim(s));
    const Slot before = read(ring.claim(s - 1));
    const std::uint64_t end = before.end + length;
    const bool is_next = layout::claim_lap(slot.word) == lap - 1 &&
                         layout::claim_lap(before.word) == ring.lap(s - 1) &&
                         layout::claim_owner(before.word) != layout::seal_owner;
    const bool has_room = s < room.limit + ring.slots() - 2 && end - room.low <= ring.arena();
    if (is_next && has_room && swap(ring.claim(s), slot, {layout::claim_word(lap, me), end})) {
      // A plain store may take the hint back over a later claim's; that costs others a few steps.
      ring.header().tail.store(s + 1, std::memory_order_relaxed);
      return {ClaimStatus::claimed, s, before.end};
    }
  }
  return search_and_claim(ring, me, length, room);
}

/// Reads how far the ring is free. False: it contradicts itself.
bool refresh(const RingView& ring, Room& room) noexcept;

/// What a claim would find now: `claimed` stands for "there is room". Changes nothing.
Claim probe(const RingView& ring, std::uint64_t length, Room& room) noexcept;

/// What of a ring is in use: sequences [first, end) and arena positions [low, high). At most one
/// ring full, whatever the ring's words say.
struct Span {
  std::uint64_t first = 0;
  std::uint64_t end = 0;
  std::uint64_t low = 0;
  std::uint64_t high = 0;
};
/// nullopt: the ring contradicts itself.
std::optional<Span> in_use(const RingView& ring) noexcept;

/// The least sequence that `limit` has to reach before an extent that ends at `end` fits behind
/// sequence `s`. For a sleeper's sake: a hint.
std::uint64_t limit_needed(const RingView& ring, std::uint64_t s, std::uint64_t end) noexcept;

enum class PublishStatus : std::uint8_t { ok, stale, corrupt };

/// P: an older lap -> {lap(s), state}. False if P has lap(s) already.
/// SYNC POINT WRITE: P. seq_cst: releases the payload and the fields to readers, and is the fence
/// between the message and the look at the bell (wait/bell.hpp), without which a sleeper is missed.
inline bool end_claim(const RingView& ring, std::uint64_t s, layout::Published state) noexcept {
  auto& published = ring.descriptor(s).published;
  const std::uint32_t lap = ring.lap(s);
  std::uint64_t seen = published.load(std::memory_order_relaxed);  // only a guess for the swap
  while (layout::lap_distance(layout::publish_lap(seen), lap) < 0) {
    if (published.compare_exchange_strong(seen, layout::publish_word(lap, state),
                                          std::memory_order_seq_cst)) {
      return true;
    }
  }
  return false;
}

/// The owner's last access to a revoked claim: from here on its bytes may be used again.
PublishStatus let_go(const RingView& ring, std::uint64_t s) noexcept;

/// Makes the owner's claimed `s` visible. REQUIRES: the caller owns s and has filled it.
/// `stale`: it was revoked; the caller has now let go of its bytes.
inline PublishStatus publish(const RingView& ring, std::uint64_t s) noexcept {
  return end_claim(ring, s, layout::Published::committed) ? PublishStatus::ok : let_go(ring, s);
}

/// Gives the owner's claimed `s` up. Returns as publish().
PublishStatus abort(const RingView& ring, std::uint64_t s) noexcept;

/// True if `s` is claimed and nothing has become of it yet.
bool is_claimed(const RingView& ring, std::uint64_t s) noexcept;

/// True if something behind `s` is claimed (the seal counts).
bool is_followed(const RingView& ring, std::uint64_t s) noexcept;

/// Takes a claimed `s` from its owner: it will be skipped, its bytes stay the owner's. False if it
/// was not claimed any more.
bool revoke(const RingView& ring, std::uint64_t s) noexcept;

/// After `owner` is dead: all it claimed is ABORTED, all that was revoked from it RELEASED. Any
/// number of times, by anyone. Returns how many words it changed.
std::uint64_t abort_claims_of(const RingView& ring, layout::Owner owner) noexcept;

/// The greatest number above `from`, by no more than `most`, that a claim word names; `from` where
/// none does. For what is believed of a ring that contradicts itself.
std::uint64_t furthest_claim(const RingView& ring, std::uint64_t from, std::uint64_t most) noexcept;

/// The next sequence to be claimed, from the claim words themselves.
std::uint64_t find_tail(const RingView& ring) noexcept;

/// Ends the ring: takes the next sequence for the seal, which needs no room. Returns its number (or
/// that of the seal found). 0: corrupt.
std::uint64_t seal(const RingView& ring) noexcept;

/// Writes the first state of a ring that begins at `ring.first()`. REQUIRES: nobody else maps it.
void initialise(const RingView& ring) noexcept;

}  // namespace spillring::ring
