// The groups of a queue: joining and leaving, what is kept for want of one, purging.
#include <fmt/format.h>

#include <algorithm>

#include "queue.hpp"
#include "ring/reclaim.hpp"

namespace spillring::daemon {

using layout::entry_generation;
using layout::entry_word;
using layout::Presence;

std::optional<std::uint16_t> Queue::find_group(std::string_view name) const noexcept {
  for (std::uint16_t slot = 0; slot < layout::max_groups; ++slot) {
    if (group_table_[slot] && !name.empty() && group_table_[slot]->name == name) return slot;
  }
  return std::nullopt;
}

/// A subscription without a name ends with its member.
bool Queue::is_over(std::uint16_t group) const noexcept {
  return group_table_[group]->name.empty() && group_table_[group]->members == 0;
}

bool Queue::has_named_group() const noexcept {
  return std::any_of(group_table_.begin(), group_table_.end(),
                     [](const auto& group) { return group && !group->name.empty(); });
}

std::uint64_t Queue::begin_of(Start start, std::uint64_t least) const noexcept {
  const std::uint64_t end = tail();
  // Nobody needs anything: only what comes from now on is sure to be kept.
  const std::uint64_t wanted = retention().any() ? std::min(least, this->earliest()) : least;
  const std::uint64_t earliest = std::clamp(wanted, std::min(oldest(), end), end);
  switch (start.from) {
    case Start::From::earliest:
      return earliest;
    case Start::From::latest:
      return end;
    default:
      return std::clamp(start.value, earliest, end);
  }
}

/// Moments are made sequences by who asks.
Start Queue::start_of(const layout::Request& request) {
  if (request.start <= static_cast<std::uint32_t>(Start::From::sequence)) {
    return {static_cast<Start::From>(request.start), request.number};
  }
  throw Error(Code::invalid, "unknown start", "the request is from another version");
}

std::uint16_t Queue::join_group(std::string_view name, GroupKind kind, Start start) {
  if (const auto found = find_group(name)) {
    if (group_table_[*found]->kind == kind) return *found;
    const bool is_shared = group_table_[*found]->kind == GroupKind::shared;
    throw Error(Code::exists, fmt::format("group '{}' of queue '{}' exists already", name, name_),
                is_shared ? "it is a shared group" : "it is a stream group",
                is_shared ? "consume from it, or choose another name to subscribe"
                          : "subscribe to it, or choose another name to consume");
  }
  return enter_group(name, kind, start);
}

std::uint16_t Queue::enter_group(std::string_view name, GroupKind kind, Start start) {
  const auto free = std::find(group_table_.begin(), group_table_.end(), nullptr);
  if (free == group_table_.end()) {
    throw Error(Code::busy, fmt::format("queue '{}' has no place for another group", name_),
                fmt::format("all {} places are taken", layout::max_groups),
                "remove groups that are not used, or close subscriptions");
  }
  const auto slot = static_cast<std::uint16_t>(free - group_table_.begin());
  const bool first_named = !name.empty() && !has_named_group();
  layout::GroupEntry& entry = manifest().groups[slot];
  layout::GroupCursor& cursor = cursors().cursors[slot];
  make_group(slot, name, kind);

  // In this order (ring/reclaim.hpp, B2): the group holds everything back, the table says so, and
  // only then are the others' floors read for what it is promised.
  const auto generation = entry_generation(entry.word.load(std::memory_order_relaxed));
  const auto kind_byte = static_cast<std::uint8_t>(kind);
  cursor.floor.store(newest().view().header().limit.load(std::memory_order_seq_cst),
                     std::memory_order_seq_cst);
  entry.word.store(entry_word(Presence::joining, kind_byte, generation), std::memory_order_seq_cst);
  ring::raise(manifest().groups_used, slot + 1U);
  manifest().group_version.fetch_add(1, std::memory_order_seq_cst);
  std::uint64_t begin = begin_of(start, needed(slot));
  if (drops_oldest()) {
    // Behind what is dropped, and where it is known of all that is below whether it is a message.
    begin = begin_count(slot, std::min(begin, settled_until()),
                        first_named && start.from == Start::From::earliest);
  }
  if (kind == GroupKind::shared) group_table_[slot]->shared.initialise(begin);
  cursor.floor.store(begin, std::memory_order_seq_cst);
  group_table_[slot]->finished = begin;  // what it held back meanwhile was no position of its own
  entry.start.store(begin, std::memory_order_seq_cst);
  entry.word.store(entry_word(Presence::live, kind_byte, generation), std::memory_order_seq_cst);
  // The group keeps from now on what the queue kept for want of one.
  if (first_named) drop_base();
  remember_group(slot);
  sync_groups();
  count_unused(slot);
  return slot;
}

/// A group with all it needs, in a place of the table that does not count yet.
Queue::Group& Queue::make_group(std::uint16_t slot, std::string_view name, GroupKind kind) {
  auto group = std::make_unique<Group>();
  group->name = name;
  group->kind = kind;
  layout::GroupEntry& entry = manifest().groups[slot];
  layout::GroupCursor& cursor = cursors().cursors[slot];
  const std::uint64_t window = std::min(options_.slots, layout::max_window);
  if (kind == GroupKind::shared) {
    group->words = new_segment("words", window * sizeof(layout::Word));
    group->shared = group::SharedGroup(entry, cursor, group->words.map.as<layout::Word>(), window,
                                       options_.max_deliveries, counts());
  }
  group->stream = group::StreamGroup(entry, cursor);
  entry.start.store(0, std::memory_order_relaxed);
  entry.window = kind == GroupKind::shared ? window : 0;
  entry.unused_since = 0;
  entry.unused_before = 0;
  entry.name.set(name);
  cursor.owner.store(0, std::memory_order_relaxed);
  for (auto* count :
       {&cursor.settled, &cursor.dropped, &cursor.told, &cursor.lost, &cursor.read_back,
        &cursor.read_back_bytes, &cursor.set_aside, &cursor.expired}) {
    count->store(0, std::memory_order_relaxed);
  }
  group_table_[slot] = std::move(group);
  deposit_words(slot);
  return *group_table_[slot];
}

void Queue::drop_base() noexcept {
  manifest().base.store(layout::no_sequence, std::memory_order_seq_cst);
  manifest().group_version.fetch_add(1, std::memory_order_seq_cst);
}

bool Queue::is_last_named(std::uint16_t slot) const noexcept {
  return !group_table_[slot]->name.empty() &&
         std::count_if(group_table_.begin(), group_table_.end(),
                       [](const auto& group) { return group && !group->name.empty(); }) == 1;
}

void Queue::free_group(std::uint16_t slot) noexcept {
  if (is_last_named(slot)) keep_base();
  free_group_entry(slot);
  const std::unique_ptr<Group> former = std::move(group_table_[slot]);
  if (!find_group(former->name)) forget_group(*former);  // else it has moved
  if (former->kind == GroupKind::shared) keeper_.drop(layout::Kept::words, id_, slot);
  ring_bells();
}

void Queue::free_group_entry(std::uint16_t slot) noexcept {
  layout::GroupEntry& entry = manifest().groups[slot];
  const auto generation =
      static_cast<std::uint16_t>(entry_generation(entry.word.load(std::memory_order_relaxed)) + 1);
  entry.word.store(entry_word(Presence::free, 0, generation), std::memory_order_seq_cst);
  manifest().group_version.fetch_add(1, std::memory_order_seq_cst);
  // Only now (D2): while the group is there, a promise forgotten is a copy made twice.
  forget_hand_overs_of(slot);
}

void Queue::keep_base() noexcept {
  if (options_.keep != static_cast<std::uint8_t>(Keep::unread)) return;
  // Joins as a group does (enter_group), before the last one leaves the table. Cut short, it is
  // dropped again (adopt_groups).
  manifest().base.store(oldest(), std::memory_order_seq_cst);
  manifest().group_version.fetch_add(1, std::memory_order_seq_cst);
  set_base(std::min(needed_with(layout::no_sequence, ring::no_group),
                    drops_oldest() ? settled_until() : tail()));
}

std::uint16_t Queue::named_group(std::string_view name) const {
  const auto slot = find_group(name);
  if (!slot) {
    throw Error(Code::not_found, fmt::format("queue '{}' has no group '{}'", name_, name));
  }
  return *slot;
}

std::uint16_t Queue::unused_group(std::string_view name) const {
  const std::uint16_t slot = named_group(name);
  if (const std::uint32_t members = group_table_[slot]->members; members != 0) {
    throw Error(Code::busy, fmt::format("group '{}' of queue '{}' is in use", name, name_),
                fmt::format("it has {} member(s)", members),
                "stop its consumers first; remove it with them: spillring group rm --force");
  }
  return slot;
}

void Queue::remove_group(std::string_view name, bool force) {
  const std::uint16_t slot = force ? named_group(name) : unused_group(name);
  auto place = std::make_unique<Group>();  // before anything is changed: there may be no memory
  // First, as with queues: nothing comes back that was removed.
  forget_group(*group_table_[slot]);
  sync_groups();
  if (group_table_[slot]->members == 0) return free_group(slot);
  remove_with_members(slot, std::move(place));
}

/// The table says from the word on that the group is not there: it keeps no message back, and its
/// members find out at their next look. Its place stays taken until the last of them has gone,
/// because they go on writing to its cursor; views need no group, holds protect them.
void Queue::remove_with_members(std::uint16_t slot, std::unique_ptr<Group> place) noexcept {
  if (is_last_named(slot)) keep_base();
  free_group_entry(slot);
  keep_place(slot, std::move(place));
  ring_bells();
}

/// What the supervisor has of a group that was removed with its members: nothing of it is looked
/// after any more, and it ends as a subscription without a name does. `place`: a new one.
void Queue::keep_place(std::uint16_t slot, std::unique_ptr<Group> place) noexcept {
  if (group_table_[slot] && group_table_[slot]->kind == GroupKind::shared) {
    keeper_.drop(layout::Kept::words, id_, slot);
  }
  place->kind = GroupKind::stream;
  place->members = group_table_[slot] ? group_table_[slot]->members : 0;
  place->stream = group::StreamGroup(manifest().groups[slot], cursors().cursors[slot]);
  group_table_[slot] = std::move(place);
  // What they hold is stale. Not before the table says that the group has gone: whoever takes over
  // in between would find a group that has finished with everything.
  ring::raise(manifest().groups[slot].start, tail());
}

bool Queue::is_removed(std::uint16_t slot) const noexcept {
  const std::uint64_t word = manifest().groups[slot].word.load(std::memory_order_relaxed);
  return layout::entry_presence(word) == Presence::free;
}

/// Floors only grow, so a group elsewhere is another group: it is there before the former goes, and
/// keeps what both need. Cut short, there are two of the name (adopt_groups).
void Queue::seek(const layout::Request& request) {
  const std::string name(request.name.view());
  const std::uint16_t former = unused_group(name);
  const GroupKind kind = group_table_[former]->kind;
  enter_group(name, kind, start_of(request));
  free_group(former);
}

Queue::Purge Queue::plan_purge() const noexcept {
  const std::uint64_t from = needed();
  const std::uint64_t to = tail();
  return {to, from < to ? to - from : 0};
}

void Queue::purge(std::uint64_t to) {
  // A loan below the line would be published and never seen: its owner is to know.
  for (const auto& ring : rings_) {
    const auto used = ring::in_use(ring->view());
    if (!used) continue;
    const std::uint64_t end = std::min(used->end, to);
    const std::uint64_t from = std::max(ring->settled(), used->first);
    for (std::uint64_t s = from; s < end; ++s) ring::revoke(ring->view(), s);
  }
  if (drops_oldest()) {
    purge_counting(to);
  } else {
    pass(to);
  }
  let_go();
  ring_bells();
}

void Queue::pass(std::uint64_t to) noexcept {
  for (std::uint16_t slot = 0; slot < layout::max_groups; ++slot) {
    if (!group_table_[slot]) continue;
    ring::raise(manifest().groups[slot].start, to);
    // What lies behind the line may have been acknowledged while the floor was below it.
    if (group_table_[slot]->kind == GroupKind::shared) group_table_[slot]->shared.move_floor();
  }
  // Without a base it is not below `to`.
  if (manifest().base.load(std::memory_order_relaxed) < to) put_base(to, to);
}

}  // namespace spillring::daemon
