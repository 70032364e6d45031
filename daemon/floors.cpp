// How far the groups have come, as far as the supervisor believes it.
//
// Floors lie in G, where every consumer of the queue may write. What they say goes for the ring,
// where producers look at them, too. But for what the supervisor does by itself (what it writes to
// the journal and removes there, where a group begins, what it saves) they count only as far as
// they can be true: up to the end of what was claimed, and no less than what the group was once
// seen to have finished, as floors only grow. And what is not there any more nobody can need. So a
// forged floor loses what its group had not finished, and nothing else.
#include <algorithm>
#include <array>

#include "queue.hpp"
#include "ring/reclaim.hpp"

namespace spillring::daemon {

/// What `floor` says of that group; `end`: what was claimed, read after it, so that what is true is
/// not behind it.
std::uint64_t Queue::believed(std::uint16_t slot, std::uint64_t floor,
                              std::uint64_t end) const noexcept {
  const std::uint64_t start = manifest().groups[slot].start.load(std::memory_order_acquire);
  std::uint64_t& finished = group_table_[slot]->finished;
  finished = std::max({finished, start, std::min(floor, end)});
  return finished;
}

std::uint64_t Queue::floor_of(std::uint16_t slot) const noexcept {
  const std::uint64_t floor = cursors().cursors[slot].floor.load(std::memory_order_seq_cst);
  return believed(slot, floor, tail());
}

std::uint64_t Queue::oldest() const noexcept {
  const ring::RingView& front = rings_.front()->view();
  // A condemned one is all there, as lost.
  const auto used = is_condemned(*rings_.front()) ? std::nullopt : ring::in_use(front);
  std::uint64_t limit = used ? used->first : front.first();
  // It never passes what is free, so more is no more than a producer's word. (Of what is dropped
  // producers say it.)
  if (!drops_oldest()) limit = std::min(limit, ring::free_until(manifest(), cursors()));
  const std::uint64_t in_memory = std::max(limit, front.first());
  const bool on_disk = journal_ != nullptr && !journal_->empty();
  return on_disk ? std::min(in_memory, journal_->first()) : in_memory;
}

std::uint64_t Queue::needed(std::uint32_t except) const noexcept {
  return needed_with(manifest().base.load(std::memory_order_relaxed), except);
}

std::uint64_t Queue::needed_with(std::uint64_t base, std::uint32_t except) const noexcept {
  std::uint64_t lowest = base;
  std::array<std::uint64_t, layout::max_groups> floors{};
  for (std::uint16_t slot = 0; slot < layout::max_groups; ++slot) {
    floors[slot] = cursors().cursors[slot].floor.load(std::memory_order_seq_cst);
  }
  // Once for all of them: producers may make it a long way to the end.
  const std::uint64_t end = tail();
  for (std::uint16_t slot = 0; slot < layout::max_groups; ++slot) {
    if (!group_table_[slot] || is_removed(slot) || slot == except) continue;
    lowest = std::min(lowest, believed(slot, floors[slot], end));
  }
  lowest = std::max({lowest, manifest().drops.load(std::memory_order_relaxed), oldest()});
  return drops_oldest() ? std::max(lowest, dropped().until) : lowest;
}

std::uint64_t Queue::free_until() const noexcept { return ring::free_until(manifest(), needed()); }

}  // namespace spillring::daemon
