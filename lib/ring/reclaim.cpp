#include "ring/reclaim.hpp"

#include <algorithm>

#include "os/atomic128.hpp"
#include "ring/claim.hpp"
#include "spillring/options.hpp"

namespace spillring::ring {

namespace {

static_assert(static_cast<std::uint8_t>(Full::drop_oldest) == 3, "layout::drops_oldest()");

// What is dropped beyond what is needed at once: enough that a reader which begins at the oldest
// has a start, not so much that large messages are dropped for nothing.
constexpr std::uint64_t most_spare_bytes = 64 * 1024;
constexpr std::uint64_t most_spare_slots = 1024;

// Each failure means that somebody else has come further: as many as no real load reaches.
constexpr int most_races = 1000;

// One, and some for those who were about to drop when the hold was stored.
constexpr int most_tries_to_hold = 4;

std::uint64_t floors(const layout::Manifest& manifest, const layout::Groups& groups,
                     std::uint32_t except) noexcept {
  std::uint64_t lowest = manifest.base.load(std::memory_order_seq_cst);
  const std::uint32_t used =
      std::min(manifest.groups_used.load(std::memory_order_seq_cst), layout::max_groups);
  for (std::uint32_t i = 0; i < used; ++i) {
    const layout::GroupEntry& entry = manifest.groups[i];
    const auto presence = layout::entry_presence(entry.word.load(std::memory_order_seq_cst));
    if (presence == layout::Presence::free || i == except) continue;
    const std::uint64_t floor = groups.cursors[i].floor.load(std::memory_order_seq_cst);
    const std::uint64_t start = entry.start.load(std::memory_order_seq_cst);
    lowest = std::min(lowest, std::max(floor, start));
  }
  return lowest;
}

/// The end of the finished prefix of [from, to): stops at a claimed one and at a REVOKED one.
std::uint64_t finished_until(const RingView& ring, std::uint64_t from, std::uint64_t to) noexcept {
  std::uint64_t s = from;
  for (; s < to; ++s) {
    // seq_cst: whoever overwrites the extent does so after its owner's last access; and it is the
    // look of who is about to sleep for room (wait/bell.hpp, W1).
    const std::uint64_t word = ring.descriptor(s).published.load(std::memory_order_seq_cst);
    if (layout::publish_lap(word) != ring.lap(s)) break;
    if (layout::publish_state(word) == layout::Published::revoked) break;
  }
  return s;
}

/// SYNC POINT WRITE: {gone, skipped}, one pair (B4). A full fence, before the holds are looked at
/// (B1).
bool swap_gone(const RingView& ring, Gone from, Gone to) noexcept {
  return os::compare_and_swap(&ring.header().gone, {from.sequence, from.skipped},
                              {to.sequence, to.skipped});
}

/// Raises `gone` to `to`, where everything below is published or given up.
void raise_gone(const RingView& ring, const layout::Manifest& manifest, std::uint64_t to) noexcept {
  if (!layout::drops_oldest(manifest)) {
    raise(ring.header().gone, to);
    return;
  }
  for (int races = most_races; races != 0; --races) {
    const Gone seen = read_gone(ring);
    if (seen.sequence >= to) return;
    const std::uint64_t more = skipped_between(ring, seen.sequence, to);
    if (swap_gone(ring, seen, {to, seen.skipped + more})) return;
  }
}

/// The sequence that `limit` has to reach for a claim of `length` at `end`, and some more.
std::uint64_t dropped_for(const RingView& ring, const Claim& end, std::uint64_t length) noexcept {
  const std::uint64_t slots = std::min(ring.slots() / 8, most_spare_slots);
  const std::uint64_t bytes = std::min(ring.arena() / 8, most_spare_bytes);
  const std::uint64_t first_fit = limit_needed(ring, end.sequence, end.start + length + bytes);
  const std::uint64_t for_slots = end.sequence + slots + 3;
  return std::max(first_fit, for_slots > ring.slots() ? for_slots - ring.slots() : 0);
}

}  // namespace

Gone read_gone(const RingView& ring) noexcept {
  // SYNC POINT READ: {gone, skipped}. The two change together, and `gone` only grows: if it is the
  // same before and after, `skipped` belongs to it.
  const layout::RingHeader& header = ring.header();
  Gone seen{header.gone.load(std::memory_order_seq_cst), 0};
  for (int races = most_races; races != 0; --races) {
    seen.skipped = header.skipped.load(std::memory_order_seq_cst);
    const std::uint64_t again = header.gone.load(std::memory_order_seq_cst);
    if (again == seen.sequence) break;
    seen.sequence = again;
  }
  return seen;
}

std::optional<Dropped> dropped_of(const RingView& ring, std::uint64_t known) noexcept {
  const Gone gone = read_gone(ring);
  if (gone.sequence > known) {
    // After it: the end only grows.
    Room room;
    const Claim end = probe(ring, 0, room);
    if (end.status == ClaimStatus::corrupt || gone.sequence > end.sequence) return std::nullopt;
  }
  const std::uint64_t skipped =
      gone.skipped + ring.header().skipped_before.load(std::memory_order_seq_cst);
  return Dropped{gone.sequence, gone.sequence > skipped ? gone.sequence - skipped : 0};
}

std::uint64_t skipped_between(const RingView& ring, std::uint64_t from, std::uint64_t to) noexcept {
  std::uint64_t count = 0;
  const std::uint64_t end = std::min(to, from + ring.slots());
  for (std::uint64_t s = from; s < end; ++s) {
    const std::uint64_t word = ring.descriptor(s).published.load(std::memory_order_acquire);
    if (word != layout::publish_word(ring.lap(s), layout::Published::committed)) ++count;
  }
  return count;
}

std::optional<std::uint64_t> skipped_below(const RingView& ring, std::uint64_t end,
                                           os::Atomic<std::uint64_t>& hold) noexcept {
  std::optional<std::uint64_t> skipped;
  // Who drops respects the hold: only what was under way may still come before it.
  for (int tries = most_tries_to_hold; tries != 0 && !skipped; --tries) {
    const Gone gone = read_gone(ring);
    if (gone.sequence > end) break;
    // SYNC POINT WRITE: hold. seq_cst: before the second look at `gone` (B1). If that is where it
    // was, nothing from there on is used again, wherever it goes meanwhile.
    if (gone.sequence < end) hold.store(gone.sequence, std::memory_order_seq_cst);
    if (ring.header().gone.load(std::memory_order_seq_cst) != gone.sequence) continue;
    skipped = gone.skipped + skipped_between(ring, gone.sequence, end);
  }
  hold.store(layout::no_sequence, std::memory_order_seq_cst);
  return skipped;
}

bool drop_oldest(const RingView& ring, const layout::Manifest& manifest,
                 const layout::Groups& groups, std::uint64_t length) noexcept {
  if (length > ring.arena() / 8 * 7) return false;
  Room room;
  for (int races = most_races; races != 0; --races) {
    const Claim end = probe(ring, length, room);
    if (end.status != ClaimStatus::no_slots && end.status != ClaimStatus::no_bytes) return true;
    const Gone seen = read_gone(ring);
    // A hold in the way would keep the room from being used: dropping what is held gains nothing.
    // Who stores one after this look loses its message, not its bytes (B1).
    const std::uint64_t held = lowest_hold(ring, manifest, groups);
    const std::uint64_t wanted = std::min(dropped_for(ring, end, length), held);
    const std::uint64_t to =
        wanted > seen.sequence ? finished_until(ring, seen.sequence, wanted) : seen.sequence;
    if (to > seen.sequence) {
      const std::uint64_t more = skipped_between(ring, seen.sequence, to);
      if (!swap_gone(ring, seen, {to, seen.skipped + more})) continue;
    }
    // Up to where `gone` is by now, whoever brought it there: the holds are looked at after that.
    const std::uint64_t gone = ring.header().gone.load(std::memory_order_seq_cst);
    const bool raised =
        raise(ring.header().limit, std::min(gone, lowest_hold(ring, manifest, groups)));
    if (to == seen.sequence && !raised) break;
  }
  const ClaimStatus status = probe(ring, length, room).status;
  return status != ClaimStatus::no_slots && status != ClaimStatus::no_bytes;
}

std::uint64_t needed_from(const layout::Manifest& manifest, const layout::Groups& groups,
                          std::uint32_t except) noexcept {
  // The table is read before the floors; a group that joins in between changes the version, and
  // what was computed without it is thrown away.
  for (int attempt = 0; attempt < 1000; ++attempt) {
    const std::uint64_t version = manifest.group_version.load(std::memory_order_seq_cst);
    const std::uint64_t lowest = floors(manifest, groups, except);
    // What is dropped is needed by nobody, though its groups may not know it yet.
    if (manifest.group_version.load(std::memory_order_seq_cst) == version) {
      return std::max(lowest, manifest.drops.load(std::memory_order_seq_cst));
    }
  }
  return 0;  // a table that never rests frees nothing
}

std::uint64_t free_until(const layout::Manifest& manifest, const layout::Groups& groups) noexcept {
  return free_until(manifest, needed_from(manifest, groups));
}

std::uint64_t free_until(const layout::Manifest& manifest, std::uint64_t needed) noexcept {
  // What is journaled was read before it was said to be. seq_cst: also the look of who is about to
  // sleep for room (wait/bell.hpp, W1).
  const std::uint64_t journaled = manifest.journaled.load(std::memory_order_seq_cst);
  std::uint64_t free = needed;
  if (manifest.full == static_cast<std::uint8_t>(Full::spill)) free = std::max(free, journaled);
  return layout::follows(manifest) ? std::min(free, journaled) : free;
}

std::uint64_t lowest_hold(const RingView& ring, const layout::Manifest& manifest,
                          const layout::Groups& groups) noexcept {
  std::uint64_t lowest = layout::no_sequence;
  // seq_cst, and read after `gone` was raised: a consumer that is not counted yet will read `gone`
  // after that.
  const std::uint32_t used =
      std::min(manifest.handles_used.load(std::memory_order_seq_cst), layout::max_handles);
  for (std::uint32_t i = 0; i < used; ++i) {
    const std::uint64_t hold = groups.holds[i].sequence.load(std::memory_order_seq_cst);
    if (hold >= ring.first()) lowest = std::min(lowest, hold);
  }
  return lowest;
}

bool reclaim(const RingView& ring, const layout::Manifest& manifest,
             const layout::Groups& groups) noexcept {
  layout::RingHeader& header = ring.header();
  const std::uint64_t limit = header.limit.load(std::memory_order_seq_cst);
  // The walk first, the floors after it: what the walk passed was published before the look at the
  // table, so a group that joins after that look begins behind it (B2). The other way round, a
  // reclaimer that pauses in between would pass what was published for a group it does not know.
  const std::uint64_t finished = finished_until(ring, limit, limit + ring.slots() / 8);
  const std::uint64_t free = std::min(finished, free_until(manifest, groups));
  if (free <= limit) return header.limit.load(std::memory_order_seq_cst) > limit;
  // SYNC POINT WRITE: gone. seq_cst, before the holds are looked at (B1):
  //   reader: hold = s | full fence | gone > s ?      reclaimer: gone = s+1 | full fence | hold <=
  //   s ?
  raise_gone(ring, manifest, free);
  // No further than `gone` has come: it stays behind where others never let it be raised.
  const std::uint64_t gone = header.gone.load(std::memory_order_seq_cst);
  raise(header.limit, std::min({free, gone, lowest_hold(ring, manifest, groups)}));
  return header.limit.load(std::memory_order_seq_cst) > limit;
}

}  // namespace spillring::ring
