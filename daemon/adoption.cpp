// How a queue goes on under the next supervisor.
//
// The keeper has the descriptors, M says what they are: rings by first[], groups and handles by
// their tables, names and options beside them. An entry counts by its word, which is written last,
// so what a dying supervisor left half-made is recognised, and is undone (a group JOINING, parts
// that M does not name) or done again (a handle DYING, a ring sealed or condemned without a
// successor, a queue removed). Nothing here is needed once: it may be cut short itself.
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <string>

#include "queue.hpp"
#include "ring/ring_view.hpp"
#include "spillring/version.hpp"

namespace spillring::daemon {

using layout::entry_group;
using layout::entry_kind;
using layout::entry_presence;
using layout::Kept;
using layout::Presence;

namespace {

constexpr std::size_t parts_of_queue = 4;

[[noreturn]] void contradicts(const std::string& what) {
  throw Error(Code::corrupt, "what the keeper kept contradicts itself", what);
}

os::Fd& part(KeptPacket& kept, std::size_t index, std::size_t expected) {
  if (kept.descriptors.size() != expected) contradicts("descriptors are missing");
  return kept.descriptors[index];
}

layout::Request options_of(const layout::Manifest& m) {
  layout::Request options{};
  options.capacity = m.capacity;
  options.slots = m.slots;
  options.stall_timeout_ns = m.stall_timeout_ns;
  options.lease_ns = m.lease_ns;
  options.ttl_ns = m.ttl_ns;
  options.group_expiry_ns = m.group_expiry_ns;
  options.full = m.full;
  options.keep = m.keep;
  options.prealloc = m.prealloc;
  options.exclusive_producer = m.exclusive_producer;
  options.durability = m.durability;
  options.sync_ms = m.sync_ms;
  options.retain_ns = m.retain_ns;
  options.retain_bytes = m.retain_bytes;
  options.max_deliveries = m.max_deliveries;
  options.dead_letter = m.dead_letter;
  return options;
}

/// The first number that a group asks for, whether it is there or not. One that was joining has not
/// begun anywhere yet. Floors may be forged, and only grow: none is below what was `noted` of it,
/// and nothing from there on was removed by a supervisor.
std::uint64_t asked_for(const layout::Manifest& m, const layout::Groups& cursors,
                        const std::map<std::string, std::uint64_t, std::less<>>& noted) {
  std::uint64_t lowest = m.base.load(std::memory_order_relaxed);
  for (std::size_t slot = 0; slot < layout::max_groups; ++slot) {
    const layout::GroupEntry& entry = m.groups[slot];
    if (entry_presence(entry.word.load(std::memory_order_relaxed)) != Presence::live) continue;
    const auto found = noted.find(entry.name.view());
    const std::uint64_t least = found == noted.end() ? 0 : found->second;
    const std::uint64_t floor = cursors.cursors[slot].floor.load(std::memory_order_relaxed);
    const std::uint64_t start = entry.start.load(std::memory_order_relaxed);
    lowest = std::min(lowest, std::max({floor, start, least}));
  }
  return std::max(lowest, m.drops.load(std::memory_order_relaxed));
}

}  // namespace

Queue::Queue(KeptQueue kept, KeeperLine& keeper, Accounts& accounts, State* state)
    : keeper_(keeper),
      accounts_(accounts),
      state_(state),
      id_(kept.queue.record.id),
      options_(),
      memory_(std::make_shared<QueueMemory>(
          QueueMemory{{std::move(part(kept.queue, 0, parts_of_queue)), sizeof(layout::Manifest)},
                      {std::move(part(kept.queue, 1, parts_of_queue)), sizeof(layout::Groups)},
                      {std::move(part(kept.queue, 2, parts_of_queue)), sizeof(layout::Bells)}})),
      service_(std::move(part(kept.queue, 3, parts_of_queue))) {
  const layout::Manifest& m = manifest();
  if (m.magic == layout::manifest_magic &&
      (m.layout_version != layout_version || m.size != sizeof(layout::Manifest))) {
    throw Error(Code::version_mismatch, "the queues that are there are of another version",
                fmt::format("this supervisor has layout {}, they have layout {}", layout_version,
                            m.layout_version),
                "stop all of the old version before the new one is installed");
  }
  if (m.magic != layout::manifest_magic || m.queue_id != id_) {
    contradicts("a manifest is of another queue");
  }
  name_ = m.name.view();
  access_ = {m.owner, m.owner_group, m.mode};
  options_ = options_of(m);
  for (Segment* segment : {&memory_->manifest, &memory_->groups, &memory_->bells})
    charge(segment->charge, segment->size);
  try {
    adopt_rings(kept);
    if (state_ != nullptr) {
      journal_ = new_journal();
      // What the groups ask for, whether it is there or not: that is what is to be found out.
      adopt_journal(manifest().journaled.load(std::memory_order_relaxed),
                    drops_oldest()
                        ? UINT64_MAX
                        : behind_what_is_lost(asked_for(manifest(), cursors(),
                                                        state_->catalogue().floors_of(id_))));
    }
    // The one before held what it was looking at.
    cursors().holds[0].sequence.store(layout::no_sequence, std::memory_order_seq_cst);
    adopt_groups(kept.words);
    adopt_handles();
    finish_what_was_cut_short();
    ring_bells();  // the one before may have died between a change and the ring for it
  } catch (const Error& error) {
    if (error.code() == Code::corrupt)
      set_condition(layout::Condition::poisoned);  // clients are told
    throw;
  }
}

void Queue::charge(Accounts::Charge& charge, std::size_t bytes) const {
  charge = accounts_.adopt(access_.owner, Accounts::Item::memory, bytes);
}

void Queue::adopt_rings(KeptQueue& kept) {
  for (KeptPacket& ring : kept.rings) {
    const std::uint64_t first = ring.record.number;
    const layout::RingGeometry geometry{ring.record.slots, ring.record.arena};
    const auto& names = manifest().first;
    const bool named = std::any_of(std::begin(names), std::end(names), [&](const auto& name) {
      return name.load(std::memory_order_relaxed) == first;
    });
    if (!named || first == 0) {
      keeper_.drop(Kept::ring, id_, first);
      continue;
    }
    if (!geometry.valid()) contradicts("a ring's geometry cannot be");
    rings_.push_back(std::make_shared<RingSegment>(std::move(part(ring, 0, 1)), geometry, first));
    charge(rings_.back()->charge, geometry.segment_size());
  }
  if (rings_.empty()) contradicts(fmt::format("queue '{}' has no ring", name_));
  std::sort(rings_.begin(), rings_.end(), [](const auto& left, const auto& right) {
    return left->view().first() < right->view().first();
  });
  unfinished_ = !is_condemned(newest()) && is_sealed();
  for (const std::uint64_t name : manifest().pinned) {
    if (name != 0) pinned_rings_.insert(name);
  }
}

void Queue::adopt_groups(std::vector<KeptPacket>& words) {
  for (std::uint16_t slot = 0; slot < layout::max_groups; ++slot) {
    layout::GroupEntry& entry = manifest().groups[slot];
    const std::uint64_t word = entry.word.load(std::memory_order_relaxed);
    if (entry_presence(word) == Presence::joining) free_group_entry(slot);
    if (entry_presence(word) == Presence::free) forget_hand_overs_of(slot);
    if (entry_presence(word) != Presence::live) continue;
    auto group = std::make_unique<Group>();
    group->name = entry.name.view();
    group->kind = static_cast<GroupKind>(entry_kind(word));
    layout::GroupCursor& cursor = cursors().cursors[slot];
    if (group->kind == GroupKind::shared) {
      const auto kept = std::find_if(words.begin(), words.end(), [&](const KeptPacket& packet) {
        return packet.record.number == slot;
      });
      if (kept == words.end()) contradicts(fmt::format("group '{}' has no words", group->name));
      group->words = Segment(std::move(part(*kept, 0, 1)), entry.window * sizeof(layout::Word));
      charge(group->words.charge, group->words.size);
      words.erase(kept);
      group->shared = group::SharedGroup(entry, cursor, group->words.map.as<layout::Word>(),
                                         entry.window, options_.max_deliveries, counts());
    }
    group->stream = group::StreamGroup(entry, cursor);
    if (drops_oldest() && group->kind == GroupKind::stream) {
      group->purged_to = cursor.floor.load(std::memory_order_relaxed);  // a purge may be unchecked
    }
    group->unused_remembered = UINT64_MAX;  // nobody knows
    // Nor how much of the time since the last note there was a supervisor.
    if (entry.unused_since != 0) entry.unused_since = os::now();
    group_table_[slot] = std::move(group);
  }
  for (const KeptPacket& left : words) keeper_.drop(Kept::words, id_, left.record.number);
}

void Queue::adopt_handles() {
  for (std::uint32_t slot = 1; slot < layout::max_handles; ++slot) {
    const std::uint64_t word = manifest().handles[slot].word.load(std::memory_order_relaxed);
    if (entry_presence(word) == Presence::free) continue;
    const auto role = static_cast<layout::Role>(entry_kind(word));
    const std::uint16_t group = entry_group(word);
    const bool consumes = role != layout::Role::producer;
    if (consumes && group >= layout::max_groups) {
      contradicts(fmt::format("a member of queue '{}' is in no group", name_));
    }
    if (consumes && !group_table_[group]) {  // it was removed with its members
      keep_place(group, std::make_unique<Group>());
    }
    handle_table_[slot] = std::make_unique<Handle>(Handle{role, group, rings_in(word)});
    ring::raise(manifest().handles_used, slot + 1);
    if (consumes) ++group_table_[group]->members;
  }
  write_rings_of_all();  // where a ring's place was given up, and that was cut short
}

void Queue::finish_what_was_cut_short() {
  for (std::uint32_t slot = 1; slot < layout::max_handles; ++slot) {
    const std::uint64_t word = manifest().handles[slot].word.load(std::memory_order_relaxed);
    if (entry_presence(word) == Presence::dying) retire(slot);
  }
  // A subscription whose member was never entered.
  for (std::uint16_t slot = 0; slot < layout::max_groups; ++slot) {
    if (group_table_[slot] && is_over(slot)) free_group(slot);
  }
  // A seek: both are there, and one is enough.
  for (std::uint16_t slot = 0; slot < layout::max_groups; ++slot) {
    if (!group_table_[slot] || group_table_[slot]->name.empty()) continue;
    const std::uint16_t same = *find_group(group_table_[slot]->name);
    if (same == slot) continue;
    free_group(slot);
    remember_group(same);
  }
  for (std::uint16_t slot = 0; slot < layout::max_groups; ++slot) {
    if (group_table_[slot]) count_unused(slot);
  }
  if (has_named_group() && manifest().base.load(std::memory_order_relaxed) != layout::no_sequence) {
    drop_base();
  }
}

std::vector<std::pair<std::uint32_t, std::uint64_t>> Queue::handles() const {
  std::vector<std::pair<std::uint32_t, std::uint64_t>> result;
  for (std::uint32_t slot = 1; slot < layout::max_handles; ++slot) {
    if (handle_table_[slot]) result.emplace_back(slot, manifest().handles[slot].session);
  }
  return result;
}

bool Queue::made_by(const Requester& maker) const noexcept {
  return manifest().made_by_session == maker.session && manifest().made_by_request == maker.request;
}

bool Queue::deleted() const noexcept {
  return manifest().condition.load(std::memory_order_relaxed) ==
         static_cast<std::uint32_t>(layout::Condition::deleted);
}

void Queue::deposit() const {
  for (const auto& ring : rings_) deposit_ring(*ring);
  for (std::uint16_t slot = 0; slot < layout::max_groups; ++slot) {
    if (group_table_[slot]) deposit_words(slot);
  }
  keeper_.keep(keeping_record(layout::Keeping::keep, Kept::queue, id_),
               {memory_->manifest.writable.get(), memory_->groups.writable.get(),
                memory_->bells.writable.get(), service_.get()});
}

void Queue::deposit_ring(const RingSegment& ring) const noexcept {
  auto record = keeping_record(layout::Keeping::keep, Kept::ring, id_, ring.view().first());
  record.slots = ring.geometry().slots;
  record.arena = ring.geometry().arena;
  keeper_.keep(record, {ring.writable().get()});
}

void Queue::deposit_words(std::uint16_t slot) const noexcept {
  const Segment& words = group_table_[slot]->words;
  if (!words.writable) return;  // a stream has none
  keeper_.keep(keeping_record(layout::Keeping::keep, Kept::words, id_, slot),
               {words.writable.get()});
}

}  // namespace spillring::daemon
