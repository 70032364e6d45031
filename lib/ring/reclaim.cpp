#include "ring/reclaim.hpp"

#include <algorithm>

#include "spillring/options.hpp"

namespace spillring::ring {

namespace {

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
    // acquire: whoever overwrites the extent does so after its owner's last access.
    const std::uint64_t word = ring.descriptor(s).published.load(std::memory_order_acquire);
    if (layout::publish_lap(word) != ring.lap(s)) break;
    if (layout::publish_state(word) == layout::Published::revoked) break;
  }
  return s;
}

}  // namespace

std::uint64_t needed_from(const layout::Manifest& manifest, const layout::Groups& groups,
                          std::uint32_t except) noexcept {
  // The table is read before the floors; a group that joins in between changes the version, and
  // what was computed without it is thrown away.
  for (int attempt = 0; attempt < 1000; ++attempt) {
    const std::uint64_t version = manifest.group_version.load(std::memory_order_seq_cst);
    const std::uint64_t lowest = floors(manifest, groups, except);
    if (manifest.group_version.load(std::memory_order_seq_cst) == version) return lowest;
  }
  return 0;  // a table that never rests frees nothing
}

std::uint64_t free_until(const layout::Manifest& manifest, const layout::Groups& groups) noexcept {
  // acquire: what is journaled was read before it was said to be.
  const std::uint64_t journaled = manifest.journaled.load(std::memory_order_acquire);
  std::uint64_t free = needed_from(manifest, groups);
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
  raise(header.gone, free);
  raise(header.limit, std::min(free, lowest_hold(ring, manifest, groups)));
  return header.limit.load(std::memory_order_seq_cst) > limit;
}

}  // namespace spillring::ring
