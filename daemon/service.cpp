// What a queue's supervisor does when it is asked to look: let rings go, grow, revoke, replace.
#include <fmt/format.h>

#include <algorithm>

#include "layout/last_sequence.hpp"
#include "log.hpp"
#include "queue.hpp"
#include "ring/contradiction.hpp"
#include "ring/extent.hpp"
#include "ring/reclaim.hpp"
#include "wait/bell.hpp"

namespace spillring::daemon {

namespace {

// A ring that is pinned while a producer waits is replaced after this long. What pins it (a revoked
// loan, a view whose message went to somebody else) has had its own timeout before.
constexpr os::Instant pin_timeout = 10'000'000;

// So many loans are timed at once: the oldest. Who claims more without publishing is timed in turn.
constexpr std::size_t most_stalls = 4096;

// Who does not wait for room says only now and then that it wants some.
constexpr os::Instant wish_lasts = 100'000'000;

// How long a ring stays, at most, that all are past and nobody has said so: a member may pass its
// end without having mapped the next one.
constexpr os::Instant let_go_again_after = 1'000'000'000;

// Who claims damage over and over costs no more than this.
constexpr os::Instant examined_again_after = 100'000'000;

bool somebody_sleeps(const layout::Bell& bell) noexcept {
  return layout::mark_is_set(bell.mark.load(std::memory_order_seq_cst));
}

}  // namespace

layout::RingGeometry Queue::limits() const noexcept { return {options_.slots, options_.capacity}; }

std::uint32_t Queue::growth_left(layout::RingGeometry geometry) const noexcept {
  return (geometry.slots < options_.slots ? layout::more_slots : 0U) |
         (geometry.arena < options_.capacity ? layout::more_bytes : 0U);
}

layout::RingGeometry Queue::first_geometry() const noexcept {
  if (options_.prealloc != 0) return limits();
  return {std::min(options_.slots, layout::first_slots),
          std::min(options_.capacity, layout::first_arena)};
}

layout::RingGeometry Queue::next_geometry(std::uint64_t wanted) const noexcept {
  // The last ring but one in the table goes to the limits; one place is left for a pinned ring.
  if (rings_.size() + 2 >= layout::max_rings) return limits();
  const layout::RingGeometry now = newest().geometry();
  const std::uint64_t arena =
      std::max(now.arena * layout::growth_factor, os::whole_pages(wanted * 4));
  return {std::min(options_.slots, now.slots * layout::growth_factor),
          std::min(options_.capacity, arena)};
}

os::Atomic<std::uint64_t>& Queue::free_place() const {
  auto& names = manifest().first;
  const auto place = std::find_if(std::begin(names), std::end(names), [](const auto& name) {
    return name.load(std::memory_order_relaxed) == 0;
  });
  if (place == std::end(names)) {
    throw Error(Code::busy, fmt::format("queue '{}' has no place for another ring", name_));
  }
  return *place;
}

void Queue::add_ring(std::shared_ptr<RingSegment> ring, std::uint64_t first,
                     os::Atomic<std::uint64_t>& place) {
  const std::uint32_t growth = growth_left(ring->geometry());
  last_of_condemned_.reset();
  ring->begin(first);
  deposit_ring(*ring);
  rings_.push_back(std::move(ring));
  manifest().can_grow.store(growth, std::memory_order_seq_cst);
  // SYNC POINT WRITE: first[]. The only step of the new ring that others see.
  place.store(first, std::memory_order_seq_cst);
  unfinished_ = false;
  keeps_ring_ = false;
  ring_bells();
}

std::optional<std::uint64_t> Queue::seal_newest() const noexcept {
  const ring::RingView& view = newest().view();
  const std::uint64_t seal = ring::seal(view);
  const std::uint64_t limit = view.header().limit.load(std::memory_order_seq_cst);
  // The number names the next ring: it must be one that this ring can have come to, and behind all
  // that is known, from what producers cannot write, to have been there.
  const layout::Manifest& m = manifest();
  std::uint64_t known = std::max(view.first(), m.journaled.load(std::memory_order_relaxed));
  if (const std::uint64_t base = m.base.load(); base != layout::no_sequence) {
    known = std::max(known, base);
  }
  for (std::uint16_t slot = 0; slot < layout::max_groups; ++slot) {
    if (group_table_[slot]) known = std::max(known, m.groups[slot].start.load());
  }
  const std::uint64_t most = std::min(limit + view.slots(), layout::last_sequence - 1);
  if (seal < view.first() || seal + 1 < known || seal > most) return std::nullopt;
  return seal;
}

/// protocols: make it, seal the old, first state, one store in M, both bells.
void Queue::replace(layout::RingGeometry geometry) {
  auto& place = free_place();
  auto ring = new_ring(geometry);
  unfinished_ = true;
  const auto seal = seal_newest();
  if (!seal) throw Error(Code::corrupt, "its end cannot be found");
  add_ring(std::move(ring), *seal + 1, place);
}

bool Queue::try_replace(layout::RingGeometry geometry) noexcept {
  try {
    replace(geometry);
    return true;
  } catch (const Error& error) {
    if (error.code() == Code::corrupt) {
      condemn_ring(newest(), error.summary());
    } else if (!keeps_ring_) {
      // Tried again whenever somebody asks for room; said once, as who is rung for asks again.
      keeps_ring_ = true;
      manifest().can_grow.store(0, std::memory_order_seq_cst);
      log(fmt::format("queue '{}' keeps its ring: {}", name_, error.what()));
      ring_bells();
    }
    return false;
  }
}

void Queue::let_go() noexcept {
  const auto is_over = [this] {
    const std::uint64_t end = rings_[1]->view().first();
    // The name of a condemned one says, until everybody is past it, where what is lost was.
    return free_until() >= end && (!is_condemned(*rings_.front()) || needed() >= end);
  };
  while (rings_.size() > 1 && is_over()) {
    if (drops_oldest()) carry_skipped(1);
    for (auto& name : manifest().first) {
      if (name.load(std::memory_order_relaxed) == rings_.front()->view().first()) {
        name.store(0, std::memory_order_seq_cst);
      }
    }
    write_rings_of_all();
    keeper_.drop(layout::Kept::ring, id_, rings_.front()->view().first());
    rings_.erase(rings_.begin());
    ring_bells();
  }
}

void Queue::consider_growth(bool is_asked_for, std::uint64_t wanted) noexcept {
  const layout::RingGeometry now = newest().geometry();
  if (now.slots == options_.slots && now.arena == options_.capacity) return;
  if (is_condemned(newest())) return;
  if (!is_asked_for && layout::grows_when_asked(manifest(), now.arena)) return;
  reclaim_newest();
  const auto used = ring::in_use(newest().view());
  if (!used) {
    examine_rings();
    return;
  }
  // A larger ring helps only where it has more of what runs out.
  const bool few_slots = now.slots < options_.slots && used->end - used->first > now.slots / 4 * 3;
  const bool few_bytes = now.arena < options_.capacity &&
                         (used->high - used->low > now.arena / 4 * 3 || wanted > now.arena / 4);
  if (few_slots || few_bytes) try_replace(next_geometry(wanted));
}

bool Queue::is_sealed() const noexcept {
  ring::Room room{};
  return ring::probe(newest().view(), layout::extent_unit, room).status ==
         ring::ClaimStatus::sealed;
}

void Queue::resume_replacement() noexcept {
  if (is_condemned(newest())) return;
  if (unfinished_) {
    try_replace(newest().geometry());
  } else if (is_sealed()) {
    condemn_ring(newest(), "it was sealed by somebody else than the supervisor");
  }
}

// For the next supervisor: which rings were pinned, and which handles may have them mapped. A place
// is given to another ring only when no handle has its bit, so whenever this is cut short, a bit
// says nothing, or the truth: a ring has its place in first[] until it has one in pinned[].

void Queue::write_pinned() noexcept {
  auto& names = manifest().pinned;
  for (std::uint64_t& name : names) {
    if (!pinned_rings_.contains(name)) name = 0;
  }
  for (const std::uint64_t ring : pinned_rings_) {
    if (std::find(std::begin(names), std::end(names), ring) != std::end(names)) continue;
    *std::find(std::begin(names), std::end(names), 0) = ring;
  }
  write_rings_of_all();
}

void Queue::write_rings_of(std::uint32_t slot) noexcept {
  const layout::Manifest& m = manifest();
  const Handle& handle = *handle_table_[slot];
  std::uint16_t rings = 0;
  for (std::size_t place = 0; place < layout::max_rings; ++place) {
    if (handle.rings.contains(m.first[place].load(std::memory_order_relaxed)))
      rings |= layout::ring_bit(place);
  }
  for (std::size_t place = 0; place < layout::max_pinned; ++place) {
    if (handle.rings.contains(m.pinned[place])) rings |= layout::pinned_bit(place);
  }
  auto& entry = manifest().handles[slot].word;
  const std::uint64_t word = entry.load(std::memory_order_relaxed);
  const std::uint64_t others = word - layout::entry_rings(word);
  if (word != (others | rings)) entry.store(others | rings, std::memory_order_seq_cst);
}

void Queue::write_rings_of_all() noexcept {
  for (std::uint32_t slot = 1; slot < layout::max_handles; ++slot) {
    if (handle_table_[slot]) write_rings_of(slot);
  }
}

std::set<std::uint64_t> Queue::rings_in(std::uint64_t entry_word) const {
  const layout::Manifest& m = manifest();
  const std::uint16_t bits = layout::entry_rings(entry_word);
  std::set<std::uint64_t> rings;
  for (std::size_t place = 0; place < layout::max_rings; ++place) {
    if ((bits & layout::ring_bit(place)) != 0)
      rings.insert(m.first[place].load(std::memory_order_relaxed));
  }
  for (std::size_t place = 0; place < layout::max_pinned; ++place) {
    if ((bits & layout::pinned_bit(place)) != 0) rings.insert(m.pinned[place]);
  }
  rings.erase(0);  // a place that was given up
  return rings;
}

bool Queue::may_replace_pinned() noexcept {
  std::erase_if(pinned_rings_, [&](std::uint64_t name) {
    return std::none_of(handle_table_.begin(), handle_table_.end(),
                        [&](const auto& handle) { return handle && handle->rings.contains(name); });
  });
  write_pinned();
  return pinned_rings_.size() < layout::max_pinned;
}

void Queue::reclaim_newest() noexcept {
  // Eight eighths are a whole ring; more only if others reclaim at the same time.
  for (int eighth = 0; eighth < 16; ++eighth) {
    if (!ring::reclaim(newest().view(), manifest(), cursors())) return;
  }
}

os::Instant Queue::consider_pin(std::uint64_t wanted, os::Instant now) {
  const ring::RingView& view = newest().view();
  if (is_condemned(newest())) return os::never;
  reclaim_newest();
  ring::Room room{};
  if (!ring::refresh(view, room)) {
    return examine_rings() ? os::never : os::after(now, examined_again_after);
  }
  const bool drops = manifest().drops.load(std::memory_order_relaxed) == view.first();
  if (drops && room_is_wanted(now) && is_out_of_room())
    ring::drop_oldest(view, manifest(), cursors(), wanted);
  const bool nobody_needs_it =
      (drops || free_until() > room.limit) && ring::look(view, room.limit) != ring::Seen::nothing;
  const auto status = ring::probe(view, wanted, room).status;
  const bool no_room =
      status == ring::ClaimStatus::no_slots || status == ring::ClaimStatus::no_bytes;
  // The supervisor's own hold goes when what is on its way to the journal is there.
  const bool by_copy = is_writing() && cursors().holds[0].sequence.load() <= room.limit;
  if (by_copy || !nobody_needs_it || !no_room || !room_is_wanted(now)) {
    pinned_since_ = os::never;
    return os::never;
  }
  if (pinned_since_ == os::never) pinned_since_ = now;
  if (now - pinned_since_ < pin_timeout) return pinned_since_ + pin_timeout;
  pinned_since_ = os::never;
  if (!may_replace_pinned()) return os::never;
  const std::uint64_t name = view.first();
  if (try_replace(newest().geometry())) {
    pinned_rings_.insert(name);
    write_pinned();
    let_go();
  }
  return os::never;
}

os::Instant Queue::consider_stalls(RingSegment& ring, os::Instant now) {
  const ring::RingView& view = ring.view();
  if (is_condemned(ring)) return os::never;
  const auto used = ring::in_use(view);
  if (!used || used->end > end_of(ring)) {
    return examine_rings() ? os::never : os::after(now, examined_again_after);
  }
  const std::uint64_t end = used->end;
  const bool producer_waits = &ring == &newest() && room_is_wanted(now);
  std::map<std::uint64_t, os::Instant> found;
  os::Instant next = os::never;
  bool revoked = false;
  // What is in use is a ring full at most, whatever its words say; what lies before it is over.
  const std::uint64_t from = std::max(ring.settled(), used->first);
  for (std::uint64_t s = from; s < end && found.size() < most_stalls; ++s) {
    if (!ring::is_claimed(view, s)) continue;
    const auto before = ring.stalls.find(s);
    const bool known = before != ring.stalls.end();
    // In the way: something is behind it (a seal counts), or a producer waits for room.
    const bool in_the_way = s + 1 != end || producer_waits;
    if (!known && !in_the_way) continue;
    const os::Instant since = known ? before->second : now;
    const os::Instant due = os::after(since, options_.stall_timeout_ns);
    if (in_the_way && due <= now) {
      revoked = ring::revoke(view, s) || revoked;
      continue;
    }
    found.emplace(s, since);
    if (in_the_way) next = std::min(next, due);
  }
  ring.stalls = std::move(found);
  if (revoked) ring_bells();
  return next;
}

os::Instant Queue::consider_leases(Group& group, os::Instant now) {
  std::map<std::uint64_t, std::pair<std::uint64_t, os::Instant>> found;
  os::Instant next = os::never;
  bool handed = false;
  const bool waited_for = somebody_sleeps(bells().data) || room_is_wanted(now);
  group.shared.for_each_claimed([&](std::uint64_t s, std::uint64_t word) {
    const auto before = group.leases.find(s);
    const bool same = before != group.leases.end() && before->second.first == word;
    const os::Instant since = same ? before->second.second : now;
    const os::Instant due = os::after(since, options_.lease_ns);
    if (waited_for && due <= now) {
      handed = group.shared.hand_back(s, word, was_seen(s, word)) || handed;
      return;
    }
    found.emplace(s, std::pair(word, since));
    if (waited_for) next = std::min(next, due);
  });
  group.leases = std::move(found);
  if (handed) ring_bells();
  return next;
}

/// What proves that it is damaged; empty: nothing does.
std::string Queue::contradiction_of(const RingSegment& ring) const {
  const ring::RingView& view = ring.view();
  if (const auto found = ring::find_contradiction(view)) {
    return fmt::format("number {} {}", found->sequence, found->what);
  }
  // Its successor's name says where its seal is. Nothing is claimed there any more.
  const std::uint64_t end = end_of(ring);
  const std::uint64_t seal = layout::claim_word(view.lap(end - 1), layout::seal_owner);
  if (end != layout::no_sequence && view.claim(end - 1).word.load() != seal) {
    return fmt::format("number {} was its seal, and is not any more", end - 1);
  }
  // `limit` first: it follows `journaled`, which only grows.
  const std::uint64_t limit = view.header().limit.load(std::memory_order_seq_cst);
  const std::uint64_t journaled = manifest().journaled.load(std::memory_order_seq_cst);
  if (follows() && !drops_oldest() && limit > std::max(view.first(), journaled)) {
    return fmt::format("number {} is not in the journal, and the limit is behind it", limit - 1);
  }
  return {};
}

/// REQUIRES: no copy is under way.
bool Queue::examine(const RingSegment& ring) noexcept {
  if (is_condemned(ring)) return false;
  const std::string found = contradiction_of(ring);
  if (!found.empty()) condemn_ring(ring, found);
  return !found.empty();
}

/// What a client tells, or a walk that found no end, is a reason to look, and no proof. While a
/// copy is under way it waits: what that still counts is not to be said to be lost.
bool Queue::examine_rings() noexcept {
  const os::Instant now = os::now();
  if (now < rings_rest_until_ || is_writing()) return false;
  rings_rest_until_ = os::after(now, examined_again_after);
  bool any = false;
  for (const auto& ring : rings_) {
    any = examine(*ring) || any;
    if (!is_well()) break;
  }
  return any;
}

os::Instant Queue::consider_damage(os::Instant now) noexcept {
  auto& damage = bells().damage;
  if (damage.load(std::memory_order_relaxed) == 0) return os::never;
  if (is_writing()) return os::never;  // it comes back when that is done
  if (now < rings_rest_until_) return rings_rest_until_;
  if (damage.exchange(0, std::memory_order_seq_cst) != 0) examine_rings();
  return os::never;
}

void Queue::move_floors() noexcept {
  // A member may have been stopped between finishing a message and moving the floor.
  bool moved = false;
  for (const auto& group : group_table_) {
    if (!group || group->kind != GroupKind::shared) continue;
    const group::Moved floor = group->shared.move_floor();
    moved = moved || floor.from != floor.to;
  }
  if (moved) ring_bells();
}

bool Queue::room_is_wanted(os::Instant now) const noexcept {
  return now < wanted_until_ || somebody_sleeps(bells().room);
}

void Queue::poison(const std::string& why) const noexcept {
  log(fmt::format("queue '{}' is damaged and can only be removed: {}", name_, why));
  set_condition(layout::Condition::poisoned);
}

bool Queue::is_well() const noexcept {
  return manifest().condition.load(std::memory_order_relaxed) ==
         static_cast<std::uint32_t>(layout::Condition::ok);
}

os::Instant Queue::service(os::Instant now) {
  if (!is_well()) return os::never;
  os::Instant next = consider_damage(now);
  next = std::min(next, consider_condemned(now));
  if (!is_well()) return os::never;
  // Sleepers say before each nap what they want; whole units, and no more than fits at all.
  const std::uint64_t said = bells().wanted.exchange(0, std::memory_order_seq_cst);
  if (said != 0) wanted_until_ = now + wish_lasts;
  if (!room_is_wanted(now)) wanted_ = 0;
  wanted_ = std::max(wanted_, std::min(ring::whole_units(said), options_.capacity / 2));
  move_floors();
  let_go();
  resume_replacement();
  consider_growth(said != 0, wanted_);
  consider_dropping(now);
  next = std::min(next, check_purged(now));
  // First, as the journal waits for what is only claimed.
  for (const auto& ring : rings_) next = std::min(next, consider_stalls(*ring, now));
  try {
    next = std::min(next, consider_journal(now));
  } catch (const Error& error) {
    poison(error.what());
    return os::never;
  }
  next = std::min(next, consider_pin(wanted_, now));
  if (options_.lease_ns != 0) {
    for (const auto& group : group_table_) {
      if (group && group->kind == GroupKind::shared) {
        next = std::min(next, consider_leases(*group, now));
      }
    }
  }
  if (rings_.size() > 1) next = std::min(next, os::after(now, let_go_again_after));
  next = std::min(next, consider_set_aside(now));
  return std::min(next, consider_expiry(now));  // last: it waits for what was set aside
}

}  // namespace spillring::daemon
