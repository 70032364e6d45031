// Where the oldest messages are dropped for want of room: when producers may, and what that was.
//
// Producers drop in the newest ring (ring/reclaim.hpp), once `Manifest::drops` names it. That says:
// what is older is dropped as a whole, rings and what a clean stop has left in the journal, because
// the oldest goes first. Stored before it, `skipped_before` of that ring makes its count one of the
// whole queue; so what a group has missed is known from words that only grow (group/passage.hpp),
// and the next supervisor finds all of it, or stores the same again.
#include <algorithm>

#include "group/passage.hpp"
#include "journal/segment_reader.hpp"
#include "os/atomic128.hpp"
#include "queue.hpp"
#include "ring/reclaim.hpp"
#include "wait/bell.hpp"

namespace spillring::daemon {

namespace {

constexpr os::Instant check_rest = 10'000'000;
constexpr os::Instant check_again_after = 1'000'000'000;

}  // namespace

group::SharedGroup::Counts Queue::counts() const noexcept {
  return drops_oldest() ? group::SharedGroup::Counts::yes : group::SharedGroup::Counts::no;
}

std::optional<std::uint64_t> Queue::messages_below(std::uint64_t s) const noexcept {
  std::uint64_t skipped = rings_.front()->view().header().skipped_before.load();
  // That counts what is in the journal, too.
  if (const std::uint64_t first = rings_.front()->view().first(); s < first) {
    skipped -= std::min(skipped, skipped == 0 ? 0 : skipped_in_journal(s, first));
  }
  for (std::size_t i = 0; i < rings_.size(); ++i) {
    const ring::RingView& view = rings_[i]->view();
    const std::uint64_t end =
        i + 1 < rings_.size() ? std::min(s, rings_[i + 1]->view().first()) : s;
    if (end <= view.first()) break;
    // The supervisor's hold is free: nothing goes from here to the journal before a clean stop, and
    // nobody claims any more then.
    const auto more = ring::skipped_below(view, end, cursors().holds[0].sequence);
    wait::ring(bells().room);
    if (!more) return std::nullopt;
    skipped += *more;
  }
  return s > skipped ? s - skipped : 0;
}

/// What the last clean stop has left there: less than the queue's slots. What cannot be read was
/// lost, and counts as messages, as it does for who reads it.
std::uint64_t Queue::skipped_in_journal(std::uint64_t s, std::uint64_t end) const noexcept {
  if (journal_ == nullptr || journal_->empty()) return 0;
  std::uint64_t skipped = 0;
  try {
    for (s = std::max(s, journal_->first()); s < end;) {
      Journal::Segment file = segment_of(s);
      journal::SegmentReader segment(std::move(file.file), id_);
      const std::uint64_t until = file.next == 0 ? end : std::min(end, file.next);
      for (const auto* spot = segment.find(s); spot != nullptr && s < until;
           spot = segment.find(s)) {
        const std::uint64_t from = std::max(s, spot->first);
        if (from >= until) break;
        s = std::min(until, spot->end());
        skipped += s - from - segment.count_messages(*spot, from, s);
      }
      s = until;
    }
  } catch (const std::exception&) {  // lost
  }
  return skipped;
}

std::optional<Queue::Count> Queue::count_from(std::uint64_t s) const noexcept {
  // The second time, if `s` was dropped in between, the pair says it.
  for (int tries = 2; tries != 0; --tries) {
    const ring::Dropped dropped = this->dropped();
    if (s <= dropped.until) return Count{dropped.until, dropped.messages};
    if (const auto messages = messages_below(s)) return Count{s, *messages};
  }
  return std::nullopt;
}

ring::Dropped Queue::dropped() const noexcept {
  const std::uint64_t name = manifest().drops.load(std::memory_order_relaxed);
  const auto found = std::find_if(rings_.begin(), rings_.end(), [name](const auto& ring) {
    return ring->view().first() == name;
  });
  if (found == rings_.end()) return {};
  const auto dropped = ring::dropped_of((*found)->view());
  if (!dropped && manifest().condition.load(std::memory_order_relaxed) ==
                      static_cast<std::uint32_t>(layout::Condition::ok))
    poison("what it says to have dropped was never there");
  return dropped.value_or(ring::Dropped{});
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
  const auto messages = messages_below(first);
  if (!messages) return poison("what it has dropped cannot be counted");
  view.header().skipped_before.store(first - *messages, std::memory_order_seq_cst);
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
      group.shared.pass_dropped(dropped, 2);  // as a rule one does; nobody is made to wait for more
    } else if (cursor.owner.load(std::memory_order_seq_cst) == 0 &&
               group::swap(cursor, at, {dropped.until, at.settled})) {
      group::note_dropped(cursor, {dropped.until, at.settled}, dropped.messages);
    }
    return;
  }
  // As a rule nothing was given up, and nothing has to be counted.
  const std::uint64_t most = dropped.messages + (at.floor - dropped.until);
  if (most > at.settled + cursor.dropped.load(std::memory_order_relaxed)) {
    if (const auto messages = messages_below(at.floor)) {
      group::note_dropped(cursor, at, *messages);
    }
  }
}

Queue::Account Queue::account_of(std::uint16_t slot) const noexcept {
  const layout::GroupCursor& cursor = cursors().cursors[slot];
  // In this order: what was dropped when something was said is in `dropped`. seq_cst, as in
  // behind_dropped() (client/stream_consumer.cpp).
  const std::uint64_t said = cursor.dropped.load(std::memory_order_seq_cst);
  const ring::Dropped dropped = this->dropped();
  return {said, dropped, group::read(cursor)};
}

/// A stream's reader says what it has missed before its floor comes there; a purge in between
/// cannot know of that, and settles it. Behind what is dropped it shows: there the pair has all
/// that was said, as messages - settled never falls. False: it cannot be told now.
bool Queue::unsettle_what_was_said(std::uint16_t slot) noexcept {
  Group& group = *group_table_[slot];
  const auto [said, dropped, at] = account_of(slot);
  if (at.floor < dropped.until) return false;
  if (at.floor < rings_.front()->view().first()) return true;  // no purge has been there
  if (group.checked.said == said && group.checked.at == at) return true;
  const auto messages = messages_below(at.floor);
  if (!messages) return false;
  const group::Passage right{at.floor, std::min(at.settled, *messages - std::min(*messages, said))};
  if (right != at && !group::swap(cursors().cursors[slot], at, right)) return false;
  group.checked = {said, dropped, right};
  return true;
}

/// Once the floor has left the line of a purge its reader says no more what that does not know.
/// Returns when to look again.
os::Instant Queue::check_purged(os::Instant now) noexcept {
  os::Instant next = os::never;
  for (std::uint16_t slot = 0; drops_oldest() && slot < layout::max_groups; ++slot) {
    Group* const group = group_table_[slot].get();
    if (group == nullptr || group->purged_to == 0 || is_removed(slot)) continue;
    if (now < group->check_from) {
      next = std::min(next, group->check_from);
      continue;
    }
    const std::uint64_t floor = cursors().cursors[slot].floor.load(std::memory_order_seq_cst);
    const os::Instant began = os::now();
    const bool checked = unsettle_what_was_said(slot);
    const os::Instant ended = os::now();
    // Members may forge such words, and each look counts: it takes little of the time.
    group->check_from =
        os::after(ended, std::max(checked ? check_rest : check_again_after, 16 * (ended - began)));
    if (!checked) next = std::min(next, group->check_from);
    if (checked && floor > group->purged_to) group->purged_to = 0;
  }
  return next;
}

/// Behind what is dropped, and where it is known of all that is below whether it is a message. A
/// group that inherits what the queue kept for want of one has missed what was dropped of that.
std::uint64_t Queue::begin_count(std::uint16_t slot, std::uint64_t begin, bool inherits) noexcept {
  layout::GroupCursor& cursor = cursors().cursors[slot];
  const layout::Manifest& m = manifest();
  const bool of_base = inherits && m.base.load(std::memory_order_relaxed) != layout::no_sequence;
  const auto counted = count_from(begin);
  if (!counted) poison("its messages cannot be counted");
  const Count at = counted.value_or(Count{begin, begin});
  const std::uint64_t settled = of_base ? std::min(m.base_settled, at.messages) : at.messages;
  cursor.settled.store(settled, std::memory_order_relaxed);
  group::note_dropped(cursor, {at.sequence, settled}, at.messages);
  return at.sequence;
}

std::uint64_t Queue::dropped_by_base() const noexcept {
  const layout::Manifest& m = manifest();
  const std::uint64_t base = m.base.load(std::memory_order_relaxed);
  if (base == layout::no_sequence) return 0;
  const auto at = count_from(base);
  return at && at->messages > m.base_settled ? at->messages - m.base_settled : 0;
}

/// Purged is settled: what was dropped before stays what it was. Done again after a death. False:
/// the group is left as it is.
bool Queue::purge_group(std::uint16_t slot, Count to) noexcept {
  layout::GroupCursor& cursor = cursors().cursors[slot];
  std::optional<Count> known;  // what was dropped of the messages below a floor
  for (int races = 100; races != 0; --races) {
    recount(slot);
    const auto [said, dropped, at] = account_of(slot);
    if (at.floor >= to.sequence) return true;
    if (at.floor < dropped.until) {
      if (group_table_[slot]->kind == GroupKind::shared) continue;
      // A stream's member says what it has missed before it passes that. Where all of this was
      // dropped, it may have said more than that.
      if (dropped.until >= to.sequence) return false;
      known = Count{at.floor, said};
    } else if (!known || known->sequence < dropped.until) {
      // From there on the floor goes over settled messages alone until more is dropped.
      const auto below = count_from(at.floor);
      if (!below || below->sequence != at.floor) continue;
      known = Count{at.floor, below->messages - std::min(below->messages, at.settled)};
    }
    const group::Passage after{to.sequence, to.messages - std::min(to.messages, known->messages)};
    if (!group::swap(cursor, at, after)) continue;
    group::note_dropped(cursor, after, to.messages);
    if (group_table_[slot]->kind == GroupKind::stream) {
      group_table_[slot]->purged_to = to.sequence;
      for (int tries = 8; tries != 0 && !unsettle_what_was_said(slot); --tries) {
      }
    }
    return true;
  }
  return false;
}

/// The floor first, then `start`: a floor behind `start` would stay there, with its words used
/// again (G3), if this ended in between.
void Queue::purge_counting(std::uint64_t to) noexcept {
  const auto messages = messages_below(to);
  if (!messages) return;  // all of that was dropped meanwhile
  for (std::uint16_t slot = 0; slot < layout::max_groups; ++slot) {
    if (!group_table_[slot] || !purge_group(slot, {to, *messages})) continue;
    ring::raise(manifest().groups[slot].start, to);
  }
  purge_base({to, *messages});
}

/// What was dropped of it stays what it was.
void Queue::purge_base(Count to) noexcept {
  // Without one it is not below `to`.
  if (manifest().base.load(std::memory_order_relaxed) >= to.sequence) return;
  put_base(to.sequence, to.messages - std::min(to.messages, dropped_by_base()));
}

/// In one step: whoever takes over finds both or neither.
void Queue::put_base(std::uint64_t base, std::uint64_t settled) noexcept {
  layout::Manifest& m = manifest();
  os::compare_and_swap(&m.base, {m.base.load(std::memory_order_relaxed), m.base_settled},
                       {base, settled});
}

void Queue::set_base(std::uint64_t base) noexcept {
  if (!drops_oldest()) return put_base(base, base);
  const auto at = count_from(base);
  if (!at) poison("its messages cannot be counted");
  const Count known = at.value_or(Count{base, base});
  put_base(known.sequence, known.messages);
}

}  // namespace spillring::daemon
