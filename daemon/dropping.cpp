// Where the oldest messages are dropped for want of room: when producers may, and what that was.
//
// Producers drop in the newest ring (ring/reclaim.hpp), once `Manifest::drops` names it. That says:
// what is older is dropped as a whole, rings and what a clean stop has left in the journal, because
// the oldest goes first. Stored before it, `skipped_before` of that ring makes its count one of the
// whole queue; so what a group has missed is known from words that only grow (group/passage.hpp),
// and the next supervisor finds all of it, or stores the same again.
#include <algorithm>

#include "group/passage.hpp"
#include "queue.hpp"
#include "ring/reclaim.hpp"

namespace spillring::daemon {

group::SharedGroup::Counts Queue::counts() const noexcept {
  return drops_oldest() ? group::SharedGroup::Counts::yes : group::SharedGroup::Counts::no;
}

std::uint64_t Queue::messages_below(std::uint64_t s) const noexcept {
  std::uint64_t skipped = rings_.front()->view().header().skipped_before.load();
  for (std::size_t i = 0; i < rings_.size(); ++i) {
    const ring::RingView& view = rings_[i]->view();
    const std::uint64_t end =
        i + 1 < rings_.size() ? std::min(s, rings_[i + 1]->view().first()) : s;
    // What is counted may be overwritten once `gone` moves on: then it is counted by that.
    for (int races = 1000; races != 0; --races) {
      const ring::Gone gone = ring::read_gone(view);
      const std::uint64_t more =
          gone.sequence < end ? ring::skipped_between(view, gone.sequence, end) : 0;
      if (races > 1 && ring::read_gone(view).sequence != gone.sequence) continue;
      skipped += end > view.first() ? gone.skipped + more : 0;
      break;
    }
  }
  return s > skipped ? s - skipped : 0;
}

ring::Dropped Queue::dropped() const noexcept {
  const std::uint64_t name = manifest().drops.load(std::memory_order_relaxed);
  const auto found = std::find_if(rings_.begin(), rings_.end(), [name](const auto& ring) {
    return ring->view().first() == name;
  });
  return found == rings_.end() ? ring::Dropped{} : ring::dropped_of((*found)->view());
}

std::uint64_t Queue::settled_until() const noexcept {
  for (std::size_t i = 0; i + 1 < rings_.size(); ++i) {
    const std::uint64_t settled = rings_[i]->settled();
    if (settled < rings_[i + 1]->view().first()) return settled;
  }
  return newest().settled();
}

/// Of all that grows, what `wanted_` lacks has come to its limit.
bool Queue::is_out_of_room() const noexcept {
  ring::Room room{};
  const auto status = ring::probe(newest().view(), wanted_, room).status;
  const std::uint32_t growth = manifest().can_grow.load(std::memory_order_relaxed);
  return (status == ring::ClaimStatus::no_slots && (growth & layout::more_slots) == 0) ||
         (status == ring::ClaimStatus::no_bytes && (growth & layout::more_bytes) == 0);
}

/// Of the numbers below ring `ring`'s first. Before it is the oldest, or drops; any number of
/// times.
void Queue::carry_skipped(std::size_t ring) noexcept {
  const ring::RingView& view = rings_[ring]->view();
  const std::uint64_t first = view.first();
  view.header().skipped_before.store(first - messages_below(first), std::memory_order_seq_cst);
}

void Queue::consider_dropping(os::Instant now) noexcept {
  layout::Manifest& m = manifest();
  const std::uint64_t first = newest().view().first();
  if (!drops_oldest() || !room_is_wanted(now) || m.drops.load(std::memory_order_relaxed) == first) {
    return;
  }
  reclaim_newest();
  if (!is_out_of_room()) return;
  // What is only claimed is published soon, or revoked: the seal is behind it.
  if (settled_until() < first) return;
  if (rings_.size() > 1) carry_skipped(rings_.size() - 1);
  // SYNC POINT WRITE: drops. seq_cst: after skipped_before.
  m.drops.store(first, std::memory_order_seq_cst);
  let_go();
  ring_bells();
}

/// What a member has passed without having said so; and what nobody reads at present. The reader of
/// a stream alone knows what it has handed out.
void Queue::recount(std::uint16_t slot) const noexcept {
  Group& group = *group_table_[slot];
  layout::GroupCursor& cursor = cursors().cursors[slot];
  const ring::Dropped dropped = this->dropped();
  const group::Passage at = group::read(cursor);
  if (at.floor < dropped.until) {
    if (group.kind == GroupKind::shared) {
      group.shared.pass_dropped(dropped);
    } else if (cursor.owner.load(std::memory_order_seq_cst) == 0 &&
               group::swap(cursor, at, {dropped.until, at.settled})) {
      group::note_dropped(cursor, {dropped.until, at.settled}, dropped.messages);
    }
    return;
  }
  // As a rule nothing was given up, and nothing has to be counted.
  const std::uint64_t most = dropped.messages + (at.floor - dropped.until);
  if (most > at.settled + cursor.dropped.load(std::memory_order_relaxed)) {
    group::note_dropped(cursor, at, messages_below(at.floor));
  }
}

/// A group that inherits what the queue kept for want of one has missed what was dropped of that.
void Queue::begin_count(std::uint16_t slot, std::uint64_t begin, bool inherits) noexcept {
  layout::GroupCursor& cursor = cursors().cursors[slot];
  const layout::Manifest& m = manifest();
  const bool of_base = inherits && m.base.load(std::memory_order_relaxed) != layout::no_sequence;
  const std::uint64_t messages = messages_below(begin);
  const std::uint64_t settled = of_base ? std::min(m.base_settled, messages) : messages;
  cursor.settled.store(settled, std::memory_order_relaxed);
  group::note_dropped(cursor, {begin, settled}, messages);
}

std::uint64_t Queue::dropped_by_base() const noexcept {
  const layout::Manifest& m = manifest();
  const std::uint64_t base = m.base.load(std::memory_order_relaxed);
  const std::uint64_t messages = base < dropped().until ? dropped().messages : messages_below(base);
  if (base == layout::no_sequence) return 0;
  return messages > m.base_settled ? messages - m.base_settled : 0;
}

/// Purged is settled: what was dropped before stays what it was. Done again after a death.
void Queue::purge_counting(std::uint64_t to) noexcept {
  const std::uint64_t messages = messages_below(to);
  for (std::uint16_t slot = 0; slot < layout::max_groups; ++slot) {
    if (!group_table_[slot]) continue;
    recount(slot);
    layout::GroupCursor& cursor = cursors().cursors[slot];
    for (int races = 1000; races != 0; --races) {
      const group::Passage at = group::read(cursor);
      const std::uint64_t dropped = cursor.dropped.load(std::memory_order_seq_cst);
      if (at.floor >= to || group::swap(cursor, at, {to, messages - std::min(messages, dropped)})) {
        break;
      }
    }
  }
  layout::Manifest& m = manifest();
  if (m.base.load(std::memory_order_relaxed) != layout::no_sequence) {
    m.base_settled = messages - std::min(messages, dropped_by_base());
  }
}

void Queue::set_base(std::uint64_t base) noexcept {
  if (drops_oldest()) manifest().base_settled = messages_below(base);
  manifest().base.store(base, std::memory_order_seq_cst);
}

}  // namespace spillring::daemon
