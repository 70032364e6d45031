// How a queue outlives all processes: saved at a clean stop, and restored at the next start.
//
// Saving takes the queue away from its clients first, so that what they are told is true of what is
// saved: the newest ring is sealed (no claim succeeds any more), every claim is published or
// revoked (its owner gets `stale`), what consumers hold is handed back (their acknowledgements are
// `stale`, and the messages come again, counted). Only then all messages go to the journal, and
// everything else to the catalogue. Cut short, it is done again from the beginning.
#include <fmt/format.h>

#include <algorithm>

#include "layout/last_sequence.hpp"
#include "log.hpp"
#include "queue.hpp"
#include "ring/claim.hpp"
#include "saved_row.hpp"

namespace spillring::daemon {

using layout::Presence;

namespace {

constexpr os::Instant remembered_every = 1'000'000'000;

/// Before anything is made, or removed, after them.
const layout::Request& options_of(const SavedQueue& saved) {
  require_possible(saved);
  return saved.options;
}

}  // namespace

// What there is to say of it, with nothing saved.
SavedQueue Queue::definition() const {
  SavedQueue saved;
  saved.id = id_;
  saved.name = name_;
  saved.options = options_;
  saved.access = access_;
  return saved;
}

SavedGroup Queue::saved(std::uint16_t slot, std::uint64_t end) const {
  const Group& group = *group_table_[slot];
  if (drops_oldest()) recount(slot);  // who was stopped may have gone on meanwhile
  SavedGroup saved = position_of(slot);
  if (group.kind == GroupKind::shared) {
    // From the floor that is saved: the one in memory may be another by now.
    const std::uint64_t until = std::min(end, saved.floor + group.shared.window());
    for (std::uint64_t s = saved.floor; s < until; ++s) {
      saved.standing.push_back(group.shared.standing_to_save(s));
    }
  }
  return saved;
}

/// Without how the messages in its window stand.
SavedGroup Queue::position_of(std::uint16_t slot) const {
  const Group& group = *group_table_[slot];
  const layout::GroupCursor& cursor = cursors().cursors[slot];
  const group::Passage at = group::read(cursor);
  return {group.name,
          group.kind,
          believed(slot, at.floor, tail()),
          {},
          unused_for(slot, os::now()),
          at.settled,
          cursor.dropped.load(std::memory_order_relaxed),
          cursor.told.load(std::memory_order_relaxed)};
}

bool Queue::stopped() const noexcept {
  return manifest().condition.load(std::memory_order_relaxed) ==
         static_cast<std::uint32_t>(layout::Condition::stopped);
}

bool Queue::can_be_saved() const noexcept {
  const auto condition =
      static_cast<layout::Condition>(manifest().condition.load(std::memory_order_relaxed));
  return condition == layout::Condition::ok || condition == layout::Condition::stopped;
}

/// Where the newest ring is damaged, in one that takes its place, or behind all that it can have
/// given out where there is no memory for another. 0: nobody knows.
std::uint64_t Queue::end_rings() noexcept {
  consider_condemned(os::now());  // what is condemned cannot be sealed
  if (!is_condemned(newest())) {
    if (const auto seal = seal_newest()) return *seal;
    condemn_ring(newest(), "its end cannot be found");
    consider_condemned(os::now());
  }
  return is_condemned(newest()) ? last_of_newest() + 1 : seal_newest().value_or(0);
}

std::uint64_t Queue::take_from_clients() noexcept {
  set_condition(layout::Condition::stopped);
  const std::uint64_t seal = end_rings();
  for (const auto& ring : rings_) {
    if (is_condemned(*ring)) continue;
    const auto used = ring::in_use(ring->view());
    if (!used) continue;
    const std::uint64_t from = std::max(ring->settled(), used->first);
    for (std::uint64_t s = from; s < used->end; ++s) ring::revoke(ring->view(), s);
  }
  for (const auto& group : group_table_) {
    if (!group || group->kind != GroupKind::shared) continue;
    group->shared.for_each_claimed([&](std::uint64_t s, std::uint64_t word) {
      group->shared.hand_back(s, word, was_seen(s, word));
    });
    group->shared.move_floor();
  }
  for (std::uint16_t slot = 0; drops_oldest() && slot < layout::max_groups; ++slot) {
    if (group_table_[slot]) recount(slot);
  }
  ring_bells();
  return seal;
}

std::uint64_t Queue::bring_to_disk() {
  // The number of the seal was no message's: the next life of the queue begins with it.
  std::uint64_t next = take_from_clients();
  if (next < newest().view().first() || next > layout::last_sequence) {
    throw Error(Code::corrupt, fmt::format("queue '{}' is damaged", name_),
                "its newest ring contradicts itself");
  }
  for (auto plan = plan_copy(); plan && plan->from < next; plan = plan_copy()) {
    plan->until = std::min(plan->until, next);
    plan->most = UINT64_MAX;
    plan->longest = os::never;
    plan->file = RingToJournal::any_files;
    try {
      journal_->write_now(plan->from,
                          RingToJournal(*plan, std::make_shared<RingToJournal::Report>()));
    } catch (const Error& error) {
      if (error.code() == Code::corrupt) condemn_ring(*plan->ring, error.summary());
      if (error.code() == Code::stale) examine(*plan->ring);
      if (!is_condemned(*plan->ring)) throw;  // it is well, or the queue is given up
      next = end_rings();
    }
    consider_condemned(os::now());  // the next ring may be
  }
  journal_->sync_now();
  return next;
}

SavedQueue Queue::save(std::uint64_t next) {
  settle_hand_overs();
  SavedQueue result = definition();
  result.complete = true;
  result.next = next;
  result.base = manifest().base.load(std::memory_order_relaxed);
  result.base_settled = manifest().base_settled;
  if (drops_oldest()) result.skipped = next - messages_below(next).value_or(next);
  for (std::uint16_t slot = 0; slot < layout::max_groups; ++slot) {
    if (group_table_[slot] && !group_table_[slot]->name.empty()) {
      result.groups.push_back(saved(slot, result.next));
    }
  }
  return result;
}

/// The first number that somebody needs; `end` is that of what the journal has. UINT64_MAX: nobody
/// can know, as a power cut may have undone that groups went on, and not that files of theirs were
/// dropped (of a durable queue: remember_all_groups()). The last file of a queue that follows is
/// never dropped.
std::uint64_t Queue::needed_of(const SavedQueue& saved, std::uint64_t end) const noexcept {
  const bool all_removed = end == 0 && follows();
  if (drops_oldest() || (!saved.complete && !all_removed && !is_durable())) return UINT64_MAX;
  std::uint64_t needed = saved.complete ? saved.base : UINT64_MAX;
  for (const SavedGroup& group : saved.groups) needed = std::min(needed, group.floor);
  return needed;
}

void Queue::adopt_journal(std::uint64_t next, std::uint64_t needed) {
  say_lost(needed, journal_->adopt(next, needed));
  charge_journal();
}

void Queue::say_lost(std::uint64_t from, std::uint64_t until) const {
  if (from >= until) return;
  log(fmt::format(
      "queue '{}': the messages {} to {} were in its journal, and cannot be found there", name_,
      from, until - 1));
}

Queue::Queue(const SavedQueue& saved, KeeperLine& keeper, Accounts& accounts, State& state)
    : keeper_(keeper),
      accounts_(accounts),
      state_(&state),
      id_(saved.id),
      name_(saved.name),
      access_(saved.access),
      options_(options_of(saved)),
      memory_(std::make_shared<QueueMemory>(
          QueueMemory{new_segment("manifest", sizeof(layout::Manifest)),
                      new_segment("groups", sizeof(layout::Groups)),
                      new_segment("bells", sizeof(layout::Bells))})),
      service_(os::make_event()),
      journal_(new_journal()) {
  write_identity();
  // What the journal has counts, whatever the catalogue says: it may be older.
  const std::uint64_t end = journal_->find_end();
  const std::uint64_t next = std::max({saved.next, end, std::uint64_t{1}});
  const std::uint64_t needed = needed_of(saved, end);
  adopt_journal(next, needed);
  if (end != 0 && (saved.complete || follows())) {
    say_lost(std::max(end, saved.complete ? needed : 0), saved.next);
  }
  begin_ring(next);
  layout::Manifest& m = manifest();
  m.journaled.store(next, std::memory_order_relaxed);
  newest().view().header().skipped_before.store(saved.complete ? saved.skipped : 0,
                                                std::memory_order_relaxed);
  m.base_settled = saved.base_settled;
  if (follows()) m.follow_from.store(next, std::memory_order_relaxed);
  const std::uint64_t first = journal_->empty() ? next : journal_->first();
  for (const SavedGroup& group : saved.groups) restore(group, first, next, saved.complete);
  const bool keeps = options_.keep == static_cast<std::uint8_t>(Keep::unread);
  if (saved.complete) {
    m.base.store(saved.base, std::memory_order_relaxed);
  } else {
    m.base_settled = first;  // numbers, as for groups: see restore()
    m.base.store(keeps && saved.groups.empty() ? first : layout::no_sequence,
                 std::memory_order_relaxed);
  }
  m.magic = layout::manifest_magic;  // last: now it is a manifest
  deposit();
}

void Queue::restore(const SavedGroup& saved, std::uint64_t first, std::uint64_t next,
                    bool complete) {
  const auto slot = static_cast<std::uint16_t>(
      std::find(group_table_.begin(), group_table_.end(), nullptr) - group_table_.begin());
  if (slot == layout::max_groups) {
    throw Error(Code::corrupt, fmt::format("queue '{}' has too many groups", name_));
  }
  Group& group = make_group(slot, saved.name, saved.kind);
  layout::GroupEntry& entry = manifest().groups[slot];
  const std::uint64_t floor = std::clamp(saved.floor, first, next);
  if (saved.kind == GroupKind::shared) {
    group.shared.initialise(floor);
    for (std::size_t i = floor - saved.floor; i < saved.standing.size(); ++i) {
      group.shared.restore(saved.floor + i, saved.standing[i]);
    }
  }
  layout::GroupCursor& cursor = cursors().cursors[slot];
  cursor.floor.store(floor, std::memory_order_relaxed);
  // After the death of everything nobody knows which numbers were messages: then all count.
  cursor.settled.store(complete ? saved.settled + saved.finished_below(floor)
                                : floor - std::min(floor, saved.dropped),
                       std::memory_order_relaxed);
  cursor.dropped.store(saved.dropped, std::memory_order_relaxed);
  cursor.told.store(saved.told, std::memory_order_relaxed);
  entry.start.store(floor, std::memory_order_relaxed);
  entry.unused_before = saved.unused_ns;
  group.unused_remembered = saved.unused_ns;
  count_unused(slot);
  entry.word.store(layout::entry_word(Presence::live, static_cast<std::uint8_t>(saved.kind), 0),
                   std::memory_order_relaxed);
  ring::raise(manifest().groups_used, slot + 1U);
}

os::Instant Queue::remember_groups(os::Instant now) noexcept {
  if (journal_->empty()) return os::never;  // nothing outlives everything
  const std::uint64_t end = tail();
  bool all = true;
  bool noted = true;
  for (std::uint16_t slot = 0; slot < layout::max_groups; ++slot) {
    const auto& group = group_table_[slot];
    if (!group || group->name.empty()) continue;
    const bool is_old = floor_of(slot) != group->remembered ||
                        (group->members != 0 && group->unused_remembered != 0);
    if (now >= remember_at_ && is_old) noted = noted && remember_group(slot);
    all = all && group->remembered >= end;
  }
  if (now >= remember_at_) {
    noted = noted && remember_journaled();
    remember_at_ = now + remembered_every;
    if (noted && files_rest_until_ == 0) say_remembered();
  }
  all = all && (!follows() || noted_ == manifest().journaled.load(std::memory_order_relaxed));
  return all ? os::never : remember_at_;
}

bool Queue::remember_journaled() noexcept try {
  const std::uint64_t journaled = manifest().journaled.load(std::memory_order_relaxed);
  if (!follows() || journaled == noted_) return true;
  state_->catalogue().put_next(id_, journaled);
  noted_ = journaled;
  return true;
} catch (const std::exception& failure) {  // what was noted before is true, too
  say_not_remembered(failure.what());
  return false;
}

bool Queue::remember_group(std::uint16_t slot) noexcept try {
  Group& group = *group_table_[slot];
  if (state_ == nullptr || group.name.empty()) return true;
  const SavedGroup position = position_of(slot);
  state_->catalogue().put(id_, position);
  group.remembered = position.floor;
  group.unused_remembered = position.unused_ns;
  return true;
} catch (const std::exception& failure) {  // it is saved whole at a clean stop
  say_not_remembered(failure.what());
  return false;
}

/// Of a durable queue a power cut undoes none of it: what was removed behind a group that was noted
/// is not missed, and what was removed before it is.
bool Queue::remember_all_groups() noexcept try {
  bool noted = true;
  for (std::uint16_t slot = 0; slot < layout::max_groups; ++slot) {
    if (group_table_[slot]) noted = noted && remember_group(slot);
  }
  if (noted && is_durable()) state_->catalogue().sync();
  return noted;
} catch (const std::exception& failure) {
  say_not_remembered(failure.what());
  return false;
}

void Queue::say_not_remembered(const std::string& why) noexcept {
  if (!std::exchange(remembers_, false)) return;
  log(
      fmt::format("queue '{}': where its groups are cannot be noted{}: {}; it is tried again every "
                  "second",
                  name_, is_durable() ? ", and so no file of its journal goes" : "", why));
}

void Queue::say_remembered() noexcept {
  if (std::exchange(remembers_, true)) return;
  log(fmt::format("queue '{}': where its groups are is noted again", name_));
}

/// Of a durable queue: what a group needs is kept only while the group is known.
void Queue::sync_groups() const noexcept {
  if (!is_durable()) return;
  try {
    state_->catalogue().sync();
  } catch (const std::exception& failure) {
    log(fmt::format("queue '{}': {}", name_, failure.what()));
  }
}

void Queue::forget_group(const Group& group) const noexcept {
  if (state_ == nullptr || group.name.empty()) return;
  try {
    state_->catalogue().remove(id_, group.name);
  } catch (const std::exception& failure) {
    log(fmt::format("queue '{}': {}", name_, failure.what()));
  }
}

}  // namespace spillring::daemon
