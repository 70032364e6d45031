#include "queue.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "layout/last_sequence.hpp"
#include "os/boot.hpp"
#include "queue_options.hpp"
#include "ring/reclaim.hpp"
#include "spillring/client.hpp"
#include "spillring/version.hpp"
#include "wait/bell.hpp"

namespace spillring::daemon {

using layout::entry_generation;
using layout::entry_presence;
using layout::entry_word;
using layout::Presence;

namespace {

std::string segment_name(const std::string& queue, const char* part) {
  return fmt::format("spillring:{}:{}", queue, part);
}

/// Who creates a queue owns it; it may be given to a group that its creator is a member of.
Access access_of(const layout::Request& options, const os::Peer& maker) {
  require((options.mode & ~0666U) == 0, fmt::format("mode {:04o} cannot be had", options.mode),
          "a queue can be read (consume) and written (publish): modes lie between 0000 and 0666");
  const gid_t group = options.owner_group == layout::no_group ? maker.gid : options.owner_group;
  if (!is_operator(maker.uid) && !is_member(maker, group)) {
    throw Error(Code::denied, fmt::format("user {} is not in group {}", maker.uid, group),
                "a queue is given only to a group that its creator is a member of",
                "choose another owner_group");
  }
  return {maker.uid, group, options.mode};
}

}  // namespace

Queue::Queue(std::uint64_t id, std::string name, const layout::Request& options,
             const Requester& maker, KeeperLine& keeper, Accounts& accounts, State* state)
    : keeper_(keeper),
      accounts_(accounts),
      state_(state),
      id_(id),
      name_(std::move(name)),
      access_(access_of(options, maker.who)),
      options_(checked(options, state != nullptr)),
      memory_(std::make_shared<QueueMemory>(
          QueueMemory{new_segment("manifest", sizeof(layout::Manifest)),
                      new_segment("groups", sizeof(layout::Groups)),
                      new_segment("bells", sizeof(layout::Bells))})),
      service_(os::make_event()) {
  write_identity();
  layout::Manifest& m = manifest();
  m.made_by_session = maker.session;
  m.made_by_request = maker.request;
  const bool keeps = options_.keep == static_cast<std::uint8_t>(Keep::unread);
  m.base.store(keeps ? 1 : layout::no_sequence, std::memory_order_relaxed);
  m.base_settled = 1;  // messages_below(1)
  m.journaled.store(1, std::memory_order_relaxed);
  begin_ring(1);
  if (state_ != nullptr) {
    journal_ = new_journal();
    journal_->adopt(1);  // ids are never given out twice: there is nothing
    charge_journal();
    if (spills()) set_alert();
    if (follows()) manifest().follow_from.store(1, std::memory_order_relaxed);
  }
  m.magic = layout::manifest_magic;  // last: now it is a manifest
  deposit();
}

void Queue::write_identity() {
  layout::Manifest& m = manifest();
  m.layout_version = layout_version;
  m.size = sizeof(layout::Manifest);
  m.queue_id = id_;
  m.boot = os::boot_number();
  m.capacity = options_.capacity;
  m.slots = options_.slots;
  m.largest_message = std::min(options_.capacity / 4, layout::max_message);
  m.full = options_.full;
  m.keep = options_.keep;
  m.prealloc = options_.prealloc;
  m.exclusive_producer = options_.exclusive_producer;
  m.durability = options_.durability;
  write_settings();
  m.name.set(name_);
  m.owner = access_.owner;
  m.owner_group = access_.group;
  m.mode = access_.mode;
  m.max_deliveries = options_.max_deliveries;
  m.dead_letter = options_.dead_letter;
  m.handles_used.store(1, std::memory_order_relaxed);  // slot 0 is the supervisor's
  m.alert_sequence.store(layout::no_sequence, std::memory_order_relaxed);
  m.alert_position.store(layout::no_sequence, std::memory_order_relaxed);
  m.follow_from.store(layout::no_sequence, std::memory_order_relaxed);
  cursors().magic = layout::groups_magic;
  cursors().queue_id = id_;
  for (layout::Hold& hold : cursors().holds) {
    hold.sequence.store(layout::no_sequence, std::memory_order_relaxed);
    hold.ahead.store(layout::no_sequence, std::memory_order_relaxed);
  }
}

void Queue::write_settings() noexcept {
  layout::Manifest& m = manifest();
  __atomic_store_n(&m.stall_timeout_ns, options_.stall_timeout_ns, __ATOMIC_RELAXED);
  __atomic_store_n(&m.lease_ns, options_.lease_ns, __ATOMIC_RELAXED);
  __atomic_store_n(&m.ttl_ns, options_.ttl_ns, __ATOMIC_RELAXED);
  __atomic_store_n(&m.group_expiry_ns, options_.group_expiry_ns, __ATOMIC_RELAXED);
  __atomic_store_n(&m.sync_ms, options_.sync_ms, __ATOMIC_RELAXED);
  __atomic_store_n(&m.retain_ns, options_.retain_ns, __ATOMIC_RELAXED);
  __atomic_store_n(&m.retain_bytes, options_.retain_bytes, __ATOMIC_RELAXED);
}

/// Cut short, it is done again by the next supervisor, which the request comes to as well.
void Queue::set(const layout::Request& request) {
  layout::Request wanted = options_;
  const auto change = [&](layout::Setting setting, auto layout::Request::*option) {
    if ((request.kind & setting) != 0) wanted.*option = request.*option;
  };
  change(layout::setting_stall_timeout, &layout::Request::stall_timeout_ns);
  change(layout::setting_lease, &layout::Request::lease_ns);
  change(layout::setting_ttl, &layout::Request::ttl_ns);
  change(layout::setting_group_expiry, &layout::Request::group_expiry_ns);
  change(layout::setting_sync, &layout::Request::sync_ms);
  change(layout::setting_retain_age, &layout::Request::retain_ns);
  change(layout::setting_retain_bytes, &layout::Request::retain_bytes);
  wanted = checked(wanted, state_ != nullptr);
  require(is_followed(wanted) == is_followed(options_),
          fmt::format("queue '{}' cannot {} to keep history", name_,
                      is_followed(wanted) ? "begin" : "cease"),
          "whether all of its messages are written to the disk is settled when it is made",
          is_followed(wanted) ? "make another one with --retain, and move the messages there"
                              : "keep little: retain=1s");
  if (state_ != nullptr) state_->catalogue().put_settings(id_, wanted);
  options_ = wanted;
  write_settings();
  sync_rests_until_ = 0;
}

void Queue::begin_ring(std::uint64_t first) {
  const layout::RingGeometry geometry = first_geometry();
  rings_.push_back(new_ring(geometry));
  newest().begin(first);
  manifest().can_grow.store(growth_left(geometry), std::memory_order_relaxed);
  manifest().first[0].store(first, std::memory_order_seq_cst);
}

Segment Queue::new_segment(const char* part, std::size_t bytes) const {
  auto charge = accounts_.take(access_.owner, Accounts::Item::memory, os::whole_pages(bytes));
  Segment segment(segment_name(name_, part), bytes);
  segment.charge = std::move(charge);
  return segment;
}

std::shared_ptr<RingSegment> Queue::new_ring(layout::RingGeometry geometry) const {
  auto charge = accounts_.take(access_.owner, Accounts::Item::memory, geometry.segment_size());
  auto ring = std::make_shared<RingSegment>(segment_name(name_, "ring"), geometry);
  ring->charge = std::move(charge);
  return ring;
}

std::set<std::uint64_t> Queue::inodes() const {
  std::set<std::uint64_t> result{os::inode_of(memory_->manifest.writable),
                                 os::inode_of(memory_->groups.writable),
                                 os::inode_of(memory_->bells.writable)};
  for (const auto& ring : rings_) result.insert(os::inode_of(ring->writable()));
  for (const auto& group : group_table_) {
    if (group && group->words.writable) result.insert(os::inode_of(group->words.writable));
  }
  return result;
}

std::uint64_t Queue::tail() const noexcept {
  if (is_condemned(newest())) return std::min(last_of_newest(), layout::last_sequence) + 1;
  const auto used = ring::in_use(newest().view());
  return used ? used->end : newest().view().first();
}

// ---- handles ------------------------------------------------------------------------------------

std::uint32_t Queue::add_handle(const Requester& requester, layout::Role role,
                                std::uint16_t group) {
  for (std::uint32_t slot = 1; slot < layout::max_handles; ++slot) {
    layout::HandleEntry& entry = manifest().handles[slot];
    const std::uint64_t word = entry.word.load(std::memory_order_relaxed);
    if (entry_presence(word) != Presence::free) continue;
    handle_table_[slot] = std::make_unique<Handle>(Handle{role, group, {}});
    // Generation 0 is never given out: words that were never written do not name anybody.
    const auto generation = std::max<std::uint16_t>(entry_generation(word), 1);
    entry.pid = static_cast<std::uint32_t>(requester.who.pid);
    entry.user = requester.who.uid;
    entry.session = requester.session;
    entry.request = requester.request;
    // Before its first hold can be stored (ring/reclaim.cpp, lowest_hold).
    ring::raise(manifest().handles_used, slot + 1);
    entry.word.store(entry_word(Presence::live, static_cast<std::uint8_t>(role), generation, group),
                     std::memory_order_seq_cst);
    return slot;
  }
  throw Error(Code::busy, fmt::format("queue '{}' has no place for another client", name_),
              fmt::format("all {} places are taken", layout::max_handles - 1),
              "close producers and consumers that are not used");
}

std::optional<std::uint32_t> Queue::find_handle(const Requester& maker) const noexcept {
  for (std::uint32_t slot = 1; slot < layout::max_handles; ++slot) {
    const layout::HandleEntry& entry = manifest().handles[slot];
    if (handle_table_[slot] && entry.session == maker.session && entry.request == maker.request) {
      return slot;
    }
  }
  return std::nullopt;
}

layout::Owner Queue::owner_of(std::uint32_t slot) const noexcept {
  const std::uint64_t word = manifest().handles[slot].word.load(std::memory_order_relaxed);
  return {static_cast<std::uint16_t>(slot), entry_generation(word)};
}

/// What its role needs to map, with no more rights than it needs.
void Queue::hand_out(std::uint32_t slot, control::Answer& answer) const {
  const Handle& handle = *handle_table_[slot];
  const bool consumes = handle.role != layout::Role::producer;
  const layout::Owner owner = owner_of(slot);
  answer.reply.handle = owner.slot;
  answer.reply.generation = owner.generation;
  answer.reply.group = handle.group;
  answer.attach(memory_->manifest.read_only.get());
  answer.attach((consumes ? memory_->groups.writable : memory_->groups.read_only).get());
  answer.attach(memory_->bells.writable.get());
  answer.attach(service_.get());
  if (handle.role != layout::Role::shared_consumer) return;
  const Group& group = *group_table_[handle.group];
  answer.reply.window = group.shared.window();
  answer.attach(group.words.writable.get());
}

/// The one that there is, where there may not be another. A handle is there until all that it left
/// is repaired, so the next one begins behind that.
const layout::HandleEntry* Queue::exclusive_producer() const noexcept {
  if (options_.exclusive_producer == 0) return nullptr;
  const auto found =
      std::find_if(handle_table_.begin(), handle_table_.end(), [](const auto& handle) {
        return handle != nullptr && handle->role == layout::Role::producer;
      });
  return found == handle_table_.end() ? nullptr
                                      : &manifest().handles[found - handle_table_.begin()];
}

std::optional<std::uint64_t> Queue::exclusive_session() const noexcept {
  const layout::HandleEntry* const producer = exclusive_producer();
  return producer == nullptr ? std::nullopt : std::optional(producer->session);
}

std::uint32_t Queue::produce(const Requester& requester, control::Answer& answer) {
  const auto made = requester.repeated ? find_handle(requester) : std::nullopt;
  if (const auto* const producer = exclusive_producer(); producer != nullptr && !made) {
    throw Error(Code::busy, fmt::format("queue '{}' has its producer already", name_),
                fmt::format("it was made for one at a time, and process {} is it", producer->pid),
                "close that producer, or end that process; a queue made without "
                "exclusive_producer takes any number");
  }
  const std::uint32_t slot = made ? *made : add_handle(requester, layout::Role::producer, 0);
  hand_out(slot, answer);
  return slot;
}

std::uint32_t Queue::consume(const Requester& requester, const layout::Request& request,
                             control::Answer& answer) {
  require(request.kind <= static_cast<std::uint16_t>(GroupKind::stream), "unknown kind of group",
          "the request is from another version");
  const auto kind = static_cast<GroupKind>(request.kind);
  const Start start = start_of(request);
  const std::string_view name = request.name.view();
  if (!valid_name(name) && !(name.empty() && kind == GroupKind::stream)) {
    throw Error(Code::invalid, "not a group name", "it has characters that names do not have");
  }
  if (const auto made = requester.repeated ? find_handle(requester) : std::nullopt) {
    hand_out(*made, answer);
    return *made;
  }
  const bool is_new = !find_group(name);
  const std::uint16_t slot_of_group = join_group(name, kind, start);
  const auto role =
      kind == GroupKind::shared ? layout::Role::shared_consumer : layout::Role::stream_consumer;
  std::uint32_t slot = 0;
  try {
    slot = add_handle(requester, role, slot_of_group);
  } catch (const Error&) {
    if (is_new) free_group(slot_of_group);
    throw;
  }
  ++group_table_[slot_of_group]->members;
  count_unused(slot_of_group);
  hand_out(slot, answer);
  return slot;
}

void Queue::observe(control::Answer& answer) const {
  answer.reply.number = earliest();
  answer.attach(memory_->manifest.read_only.get());
  answer.attach(memory_->groups.read_only.get());
}

void Queue::ring(const layout::Request& request, control::Answer& answer) {
  const auto found = std::find_if(rings_.begin(), rings_.end(), [&](const auto& ring) {
    return ring->view().first() == request.number;
  });
  if (found == rings_.end()) {
    throw Error(Code::not_found, fmt::format("queue '{}' has no ring {}", name_, request.number),
                "it was let go");
  }
  // Who may write is decided by what the handle is, not by what the request says.
  Handle* handle = request.handle < layout::max_handles && request.handle != 0
                       ? handle_table_[request.handle].get()
                       : nullptr;
  const bool writes = handle != nullptr && handle->role == layout::Role::producer;
  if (handle != nullptr) {
    handle->rings.insert(request.number);
    write_rings_of(request.handle);  // before it is told
  }
  answer.reply.slots = (*found)->geometry().slots;
  answer.reply.arena = (*found)->geometry().arena;
  answer.attach(writes ? (*found)->writable().get() : (*found)->read_only().get());
}

bool Queue::drop_ring(std::uint32_t slot, std::uint64_t first) {
  if (slot == 0 || slot >= layout::max_handles || !handle_table_[slot]) return false;
  if (handle_table_[slot]->rings.erase(first) == 0) return false;
  write_rings_of(slot);
  return pinned_rings_.contains(first);
}

void Queue::journal(const layout::Request& request, control::Answer& answer) const {
  if (journal_ == nullptr) throw Error(Code::not_found, "this queue has no journal");
  Journal::Segment segment = segment_of(request.number);
  answer.reply.number = segment.first;
  answer.reply.window = segment.next;
  answer.attach(std::move(segment.file));
}

void Queue::retire(std::uint32_t slot) {
  if (slot == 0 || slot >= layout::max_handles || !handle_table_[slot]) return;
  const layout::Role role = handle_table_[slot]->role;
  const std::uint16_t group_slot = handle_table_[slot]->group;
  const layout::Owner owner = owner_of(slot);
  layout::HandleEntry& entry = manifest().handles[slot];
  // DYING before the first repair, FREE with the next generation after the last: no word ever names
  // a later owner of the slot.
  entry.word.store(
      entry_word(Presence::dying, static_cast<std::uint8_t>(role), owner.generation, group_slot),
      std::memory_order_seq_cst);
  const bool consumed = role != layout::Role::producer;
  if (!consumed) {
    for (const auto& ring : rings_) ring::abort_claims_of(ring->view(), owner);
  } else {
    Group& group = *group_table_[group_slot];
    if (group.kind == GroupKind::shared) {
      group.shared.hand_back_all_of(owner, cursors().holds[slot].ahead.load());
      group.shared.move_floor();
    } else {
      group.stream.leave(owner);
    }
    --group.members;
    if (drops_oldest()) recount(group_slot);
    cursors().holds[slot].sequence.store(layout::no_sequence, std::memory_order_seq_cst);
    cursors().holds[slot].ahead.store(layout::no_sequence, std::memory_order_relaxed);
  }
  bells().need[slot].store(0, std::memory_order_relaxed);
  auto next = static_cast<std::uint16_t>(owner.generation + 1);
  if (next == 0) next = 1;
  entry.word.store(entry_word(Presence::free, 0, next), std::memory_order_seq_cst);
  handle_table_[slot].reset();
  if (consumed) count_unused(group_slot);
  // Only now: the entry of a member never names a group whose place may be another's.
  if (consumed && is_over(group_slot)) free_group(group_slot);
  // It may have died between a change and the ring for it.
  ring_bells();
}

void Queue::set_condition(layout::Condition condition) const noexcept {
  manifest().condition.store(static_cast<std::uint32_t>(condition), std::memory_order_seq_cst);
  ring_bells();
}

}  // namespace spillring::daemon
