// What a queue says about itself.
#include <algorithm>

#include "queue.hpp"
#include "ring/reclaim.hpp"

namespace spillring::daemon {

layout::QueueRecord Queue::record() const {
  layout::QueueRecord record{};
  record.name.set(name_);
  record.capacity = options_.capacity;
  record.slots = options_.slots;
  record.stall_timeout_ns = options_.stall_timeout_ns;
  record.lease_ns = options_.lease_ns;
  record.ttl_ns = options_.ttl_ns;
  record.group_expiry_ns = options_.group_expiry_ns;
  record.full = options_.full;
  record.keep = options_.keep;
  record.prealloc = options_.prealloc;
  record.exclusive_producer = static_cast<std::uint8_t>(options_.exclusive_producer);
  record.durability = options_.durability;
  record.sync_ms = options_.sync_ms;
  record.retain_ns = options_.retain_ns;
  record.retain_bytes = options_.retain_bytes;
  record.max_deliveries = options_.max_deliveries;
  record.dead_letter = options_.dead_letter;
  record.doomed = doomed();
  record.dead_lettered = manifest().dead_lettered.load(std::memory_order_relaxed);
  record.discarded = manifest().discarded.load(std::memory_order_relaxed);
  record.owner = access_.owner;
  record.owner_group = access_.group;
  record.mode = access_.mode;
  record.state = static_cast<std::uint8_t>(manifest().condition.load(std::memory_order_relaxed));
  record.next = tail();
  record.first = std::min(needed(), record.next);
  record.earliest = earliest();
  record.oldest = sent_at(record.first);
  record.messages = record.next - record.first;
  for (std::size_t i = 1; i < rings_.size(); ++i) {
    // The number before a ring's first is the seal of the one before: no message.
    if (rings_[i]->view().first() > record.first && record.messages != 0) --record.messages;
  }
  const std::uint64_t journaled = manifest().journaled.load(std::memory_order_relaxed);
  if (journaled > record.first) record.journaled = std::min(journaled, record.next) - record.first;
  if (journal_ != nullptr) add_disk(record);
  record.largest = manifest().largest_message;
  record.ring_slots = newest().geometry().slots;
  record.ring_bytes = newest().geometry().arena;
  record.rings = static_cast<std::uint32_t>(rings_.size());
  record.memory = memory_->manifest.size + memory_->groups.size + memory_->bells.size;
  for (const auto& ring : rings_) {
    record.memory += ring->geometry().segment_size();
    if (!is_condemned(*ring)) record.bytes += ring->bytes_from(record.first);
  }
  for (std::uint16_t slot = 0; slot < layout::max_groups; ++slot) {
    if (!group_table_[slot] || is_removed(slot)) continue;
    ++record.groups;
    record.memory += group_table_[slot]->words.size;
  }
  for (std::uint16_t slot = 0; drops_oldest() && slot < layout::max_groups; ++slot) {
    if (!group_table_[slot]) continue;
    recount(slot);
    record.dropped += cursors().cursors[slot].dropped.load(std::memory_order_relaxed);
  }
  if (drops_oldest()) record.dropped += dropped_by_base();
  for (const auto& handle : handle_table_) {
    if (!handle) continue;
    ++(handle->role == layout::Role::producer ? record.producers : record.consumers);
  }
  return record;
}

void Queue::add_disk(layout::QueueRecord& record) const noexcept {
  record.journal_bytes = journal_->bytes();
  record.spilled = spilled_;
  record.spilled_bytes = spilled_bytes_;
  record.alarm = static_cast<std::uint8_t>(alarm());
  try {
    const DiskReserve::Space space = state_->reserve().look();
    record.disk_free = space.free;
    record.disk_left = space.left();
  } catch (const Error&) {  // nobody knows
  }
}

/// When the first message from `s` on was sent; 0: there is none, or it is not in memory.
std::uint64_t Queue::sent_at(std::uint64_t s) const noexcept {
  constexpr int most_skipped = 4096;  // nobody is made to wait for a long row of them
  const std::uint64_t end = tail();
  for (int looked = 0; s < end && looked < most_skipped; ++s, ++looked) {
    const auto ring = ring_with(s);
    const ring::RingView& view = ring->view();
    if (s < view.first() || is_condemned(*ring)) return 0;
    const ring::Seen seen = ring::look(view, s);
    if (seen == ring::Seen::gone) return 0;
    if (seen != ring::Seen::committed) continue;
    const std::uint64_t timestamp =
        __atomic_load_n(&view.descriptor(s).timestamp, __ATOMIC_RELAXED);
    // Read without a hold: it counts only if nobody was allowed to overwrite it until now.
    return view.header().limit.load(std::memory_order_seq_cst) <= s ? timestamp : 0;
  }
  return 0;
}

void Queue::groups(const layout::Request& request, control::Answer& answer) const {
  const std::uint64_t end = tail();
  const os::Instant now = os::now();
  const std::uint64_t from = std::min<std::uint64_t>(request.number, layout::max_groups);
  for (auto slot = static_cast<std::uint16_t>(from); slot < layout::max_groups; ++slot) {
    const auto& group = group_table_[slot];
    if (!group || is_removed(slot)) continue;
    layout::GroupRecord record{};
    record.name.set(group->name);
    record.kind = static_cast<std::uint8_t>(group->kind);
    record.slot = slot;
    record.members = group->members;
    record.floor = floor_of(slot);
    record.lag = end > record.floor ? end - record.floor : 0;
    if (group->kind == GroupKind::shared) {
      group->shared.for_each_claimed([&](std::uint64_t, std::uint64_t) { ++record.unacked; });
    }
    const layout::GroupCursor& cursor = cursors().cursors[slot];
    record.lost = cursor.lost.load(std::memory_order_relaxed);
    record.read_back = cursor.read_back.load(std::memory_order_relaxed);
    record.read_back_bytes = cursor.read_back_bytes.load(std::memory_order_relaxed);
    record.expired = cursor.expired.load(std::memory_order_relaxed);
    if (drops_oldest()) recount(static_cast<std::uint16_t>(slot));
    record.dropped = cursor.dropped.load(std::memory_order_relaxed);
    const os::Instant expires = expires_at(slot);
    record.expires_in_ns = expires == os::never ? layout::no_sequence
                           : expires > now      ? expires - now
                                                : 0;
    if (!answer.add(record)) {
      answer.reply.number = 1;
      return;
    }
  }
}

layout::ClientRecord Queue::record_of(std::uint32_t slot) const {
  const layout::HandleEntry& entry = manifest().handles[slot];
  const Handle& handle = *handle_table_[slot];
  layout::ClientRecord record{};
  record.pid = entry.pid;
  record.user = entry.user;
  record.slot = slot;
  record.role = static_cast<std::uint8_t>(handle.role);
  record.hold = layout::no_sequence;
  if (handle.role == layout::Role::producer) return record;
  const Group& group = *group_table_[handle.group];
  const std::uint64_t end = tail();
  const std::uint64_t floor = floor_of(handle.group);
  record.group.set(group.name);
  record.lag = end > floor ? end - floor : 0;
  record.hold = cursors().holds[slot].sequence.load(std::memory_order_relaxed);
  if (group.kind == GroupKind::shared) {
    const layout::Owner owner = owner_of(slot);
    group.shared.for_each_claimed([&](std::uint64_t, std::uint64_t word) {
      if (layout::unpacked(word).owner == owner) ++record.unacked;
    });
  }
  return record;
}

void Queue::clients(const layout::Request& request, control::Answer& answer) const {
  for (std::uint64_t slot = request.number; slot < layout::max_handles; ++slot) {
    if (!handle_table_[slot]) continue;
    if (!answer.add(record_of(static_cast<std::uint32_t>(slot)))) {
      answer.reply.number = 1;
      return;
    }
  }
}

}  // namespace spillring::daemon
