#include "ring/claim.hpp"

#include <algorithm>

namespace spillring::ring {

using layout::claim_lap;
using layout::claim_owner;
using layout::lap_distance;
using layout::publish_lap;
using layout::publish_word;
using layout::Published;

namespace {

/// Steps that a walk may take before the ring is called corrupt: a scan of the ring, and as many
/// lost races as no real load reaches.
std::uint64_t patience(const RingView& ring) noexcept { return 4 * ring.slots() + (1U << 20); }

/// Where a walk for the end of the ring stands.
struct Look {
  enum class Found : std::uint8_t { end, seal, moved, corrupt } found;
  Slot slot;            // of s, as read
  std::uint64_t start;  // the end of s-1
};

/// Whether `s` is the next to claim. `moved`: no, and `s` has been put elsewhere. Takes what it
/// costs beyond one step from `steps`. Without the check of the distance, a sleeper with an old s
/// would put an *older* lap over a live claim; without that of s-1, a hint that is ahead would
/// leave a hole.
Look look_at(const RingView& ring, std::uint64_t& s, std::uint64_t& steps) noexcept {
  const Slot slot = read(ring.claim(s));
  const Slot before = read(ring.claim(s - 1));
  const std::int32_t distance = lap_distance(claim_lap(slot.word), ring.lap(s));
  if (distance >= 0) {
    if (distance == 0 && claim_owner(slot.word) == layout::seal_owner) {
      return {Look::Found::seal, slot, s};
    }
    s += static_cast<std::uint64_t>(distance) * ring.slots() + 1;
    return {Look::Found::moved, slot, 0};
  }
  if (distance < -1 || claim_lap(before.word) != ring.lap(s - 1)) {
    if (steps <= ring.slots()) return {Look::Found::corrupt, slot, 0};
    steps -= ring.slots();  // what the scan costs
    s = find_tail(ring);
    return {Look::Found::moved, slot, 0};
  }
  // The seal's owner is in C as soon as the seal is, before its P is stored.
  if (s > ring.first() && claim_owner(before.word) == layout::seal_owner) {
    return {Look::Found::seal, before, s - 1};
  }
  return {Look::Found::end, slot, before.end};
}

std::uint64_t first_guess(const RingView& ring) noexcept {
  // relaxed: a hint; every value is checked against C.
  const std::uint64_t s = ring.header().tail.load(std::memory_order_relaxed);
  if (s < ring.first()) return ring.first();
  // Laps repeat: a hint that is a whole round of them ahead would look like the end.
  const std::uint64_t limit = ring.header().limit.load(std::memory_order_acquire);
  return s <= limit + ring.slots() ? s : find_tail(ring);
}

/// The end of the ring: what a claim of `length` would do there, and the claim word it would swap.
struct End {
  Claim claim;
  Slot slot{};
};

End find_end(const RingView& ring, std::uint64_t length, Room& room) noexcept {
  // Ends and limits may be forged: no extent is longer than what is mapped.
  if (length > ring.arena()) return {{ClaimStatus::no_bytes, ring.first(), 0}};
  std::uint64_t s = first_guess(ring);
  for (std::uint64_t steps = patience(ring); steps != 0; --steps) {
    const Look look = look_at(ring, s, steps);
    if (look.found == Look::Found::corrupt) break;
    if (look.found == Look::Found::moved) continue;
    if (look.found == Look::Found::seal) {
      return {{ClaimStatus::sealed, look.start + 1, read(ring.claim(look.start)).end}};
    }
    const std::uint64_t end = look.start + length;
    const auto fits_slots = [&] { return s < room.limit + ring.slots() - 2; };
    const auto fits_bytes = [&] { return end - room.low <= ring.arena(); };
    if (!fits_slots() || !fits_bytes()) {
      if (!refresh(ring, room)) return {};
      if (!fits_slots()) return {{ClaimStatus::no_slots, s, look.start}};
      if (!fits_bytes()) return {{ClaimStatus::no_bytes, s, look.start}};
    }
    return {{ClaimStatus::claimed, s, look.start}, look.slot};
  }
  return {};
}

}  // namespace

bool refresh(const RingView& ring, Room& room) noexcept {
  // While `limit` moves, the slot of limit-1 may be claimed for a later lap: then it has moved far.
  for (int attempt = 0; attempt < 1000; ++attempt) {
    // SYNC POINT READ: limit. acquire: what the raiser saw finished is finished for us.
    const std::uint64_t limit = ring.header().limit.load(std::memory_order_acquire);
    const Slot before = read(ring.claim(limit - 1));
    if (claim_lap(before.word) == ring.lap(limit - 1)) {
      room = {limit, before.end};
      return true;
    }
  }
  return false;
}

Claim probe(const RingView& ring, std::uint64_t length, Room& room) noexcept {
  return find_end(ring, length, room).claim;
}

Claim search_and_claim(const RingView& ring, layout::Owner me, std::uint64_t length,
                       Room& room) noexcept {
  for (std::uint64_t races = patience(ring); races != 0; --races) {
    const End at = find_end(ring, length, room);
    if (at.claim.status != ClaimStatus::claimed) return at.claim;
    const std::uint64_t s = at.claim.sequence;
    const Slot mine{layout::claim_word(ring.lap(s), me), at.claim.start + length};
    if (swap(ring.claim(s), at.slot, mine)) {
      ring.header().tail.store(s + 1, std::memory_order_relaxed);
      return at.claim;
    }
  }
  return {};
}

std::uint64_t limit_needed(const RingView& ring, std::uint64_t s, std::uint64_t end) noexcept {
  const std::uint64_t limit = ring.header().limit.load(std::memory_order_acquire);
  const std::uint64_t for_slots = s + 3 > ring.slots() ? s + 3 - ring.slots() : 0;
  std::uint64_t low = std::max(limit, for_slots);
  if (end <= ring.arena()) return low;
  // Ends grow with the sequence: the first one that leaves `end - arena` behind it, or all that is
  // claimed. `s` may lie far behind that, where the slots have the ends of the last lap.
  std::uint64_t high = std::max(low, s);
  while (low < high) {
    const std::uint64_t middle = low + (high - low) / 2;
    const Slot before = read(ring.claim(middle - 1));
    if (claim_lap(before.word) != ring.lap(middle - 1) || before.end >= end - ring.arena()) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

std::optional<Span> in_use(const RingView& ring) noexcept {
  // `limit` may pass the end that was found before it was read again; then both are read anew.
  for (int attempt = 0; attempt < 100; ++attempt) {
    Room room;
    if (!refresh(ring, room)) break;
    const std::uint64_t limit = room.limit;
    const Claim end = probe(ring, 0, room);
    if (end.status == ClaimStatus::corrupt) break;
    const bool whole = end.sequence >= room.limit && end.sequence - room.limit <= ring.slots() &&
                       end.start - room.low <= ring.arena();
    if (whole) return Span{room.limit, end.sequence, room.low, end.start};
    if (ring.header().limit.load(std::memory_order_seq_cst) == limit) break;
  }
  return std::nullopt;
}

// SYNC POINT WRITE: P. seq_cst (release would do): all of the owner's writes to the extent are
// over.
PublishStatus let_go(const RingView& ring, std::uint64_t s) noexcept {
  const std::uint32_t lap = ring.lap(s);
  std::uint64_t revoked = publish_word(lap, Published::revoked);
  const bool was_revoked = ring.descriptor(s).published.compare_exchange_strong(
      revoked, publish_word(lap, Published::released), std::memory_order_seq_cst);
  return was_revoked || revoked == publish_word(lap, Published::aborted) ||
                 revoked == publish_word(lap, Published::released)
             ? PublishStatus::stale
             : PublishStatus::corrupt;
}

PublishStatus abort(const RingView& ring, std::uint64_t s) noexcept {
  return end_claim(ring, s, Published::aborted) ? PublishStatus::ok : let_go(ring, s);
}

bool is_claimed(const RingView& ring, std::uint64_t s) noexcept {
  if (claim_lap(read(ring.claim(s)).word) != ring.lap(s)) return false;
  const std::uint64_t published = ring.descriptor(s).published.load(std::memory_order_acquire);
  return lap_distance(publish_lap(published), ring.lap(s)) < 0;
}

bool is_followed(const RingView& ring, std::uint64_t s) noexcept {
  return claim_lap(read(ring.claim(s + 1)).word) == ring.lap(s + 1);
}

bool revoke(const RingView& ring, std::uint64_t s) noexcept {
  return is_claimed(ring, s) && end_claim(ring, s, Published::revoked);
}

std::uint64_t abort_claims_of(const RingView& ring, layout::Owner owner) noexcept {
  // What lies below `limit` is finished. `limit` may move on meanwhile: past what was finished.
  const std::uint64_t from = ring.header().limit.load(std::memory_order_seq_cst);
  std::uint64_t changed = 0;
  for (std::uint64_t s = from; s < from + ring.slots(); ++s) {
    const Slot slot = read(ring.claim(s));
    if (claim_lap(slot.word) != ring.lap(s) || claim_owner(slot.word) != owner) continue;
    if (end_claim(ring, s, Published::aborted)) {
      ++changed;
    } else {
      std::uint64_t revoked = publish_word(ring.lap(s), Published::revoked);
      changed +=
          ring.descriptor(s).published.compare_exchange_strong(
              revoked, publish_word(ring.lap(s), Published::released), std::memory_order_seq_cst)
              ? 1
              : 0;
    }
  }
  return changed;
}

std::uint64_t furthest_claim(const RingView& ring, std::uint64_t from,
                             std::uint64_t most) noexcept {
  std::uint64_t furthest = from;
  // One candidate for each slot, and the same some laps later.
  for (std::uint64_t s = from + 1; s <= from + ring.slots(); ++s) {
    const std::int32_t laps = lap_distance(claim_lap(read(ring.claim(s)).word), ring.lap(s));
    if (laps < 0) continue;
    const std::uint64_t named = s + static_cast<std::uint64_t>(laps) * ring.slots();
    if (named - from <= most) furthest = std::max(furthest, named);
  }
  return furthest;
}

std::uint64_t find_tail(const RingView& ring) noexcept {
  // Every live claim lies in [limit, limit + N): one candidate for each slot.
  const std::uint64_t limit = ring.header().limit.load(std::memory_order_acquire);
  std::uint64_t tail = std::max(limit, ring.first());
  for (std::uint64_t s = tail; s < tail + ring.slots(); ++s) {
    if (claim_lap(read(ring.claim(s)).word) != ring.lap(s)) return s;
  }
  return tail;
}

std::uint64_t seal(const RingView& ring) noexcept {
  std::uint64_t s = first_guess(ring);
  for (std::uint64_t steps = patience(ring); steps != 0; --steps) {
    const Look look = look_at(ring, s, steps);
    if (look.found == Look::Found::corrupt) break;
    if (look.found == Look::Found::moved) continue;
    if (look.found == Look::Found::end) {
      const std::uint64_t word = layout::claim_word(ring.lap(s), layout::seal_owner);
      // The seal's extent is empty; its slot is the one that `N - 2` has kept free.
      if (!swap(ring.claim(s), look.slot, {word, look.start})) continue;
      end_claim(ring, s, Published::sealed);
      return s;
    }
    // A seal found instead of a free slot: that is the ring's. Its writer may have died before P.
    end_claim(ring, look.start, Published::sealed);
    return look.start;
  }
  return 0;
}

void initialise(const RingView& ring) noexcept {
  const std::uint64_t first = ring.first();
  // Each slot has the lap before its next one; for first-1 that is lap(first-1), as claimers
  // expect.
  for (std::uint64_t s = first; s < first + ring.slots(); ++s) {
    const std::uint32_t before = ring.lap(s) - 1;
    ring.claim(s).word.store(layout::claim_word(before, {}), std::memory_order_relaxed);
    ring.claim(s).end.store(0, std::memory_order_relaxed);
    ring.descriptor(s).published.store(publish_word(before, Published::aborted),
                                       std::memory_order_relaxed);
  }
  layout::RingHeader& header = ring.header();
  header.magic = layout::ring_magic;
  header.first = first;
  header.slots = ring.slots();
  header.arena = ring.arena();
  header.tail.store(first, std::memory_order_relaxed);
  header.gone.store(first, std::memory_order_relaxed);
  header.skipped.store(0, std::memory_order_relaxed);
  header.skipped_before.store(0, std::memory_order_relaxed);
  header.limit.store(first, std::memory_order_seq_cst);
}

}  // namespace spillring::ring
