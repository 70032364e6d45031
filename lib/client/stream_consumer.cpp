#include "client/stream_consumer.hpp"

#include <algorithm>

#include "wait/bell.hpp"

namespace spillring::client {

StreamConsumer::StreamConsumer(Membership membership, Answered& answer)
    : ConsumerCore(std::move(membership), answer), group_(entry(), cursor()) {
  take_place();
  map_ring_of(group_.low());
}

bool StreamConsumer::take_place() noexcept {
  if (mine_) return true;
  mine_ = group_.take(attachment().owner());
  settled_.clear();
  if (mine_) position_.store(group_.low(), std::memory_order_relaxed);
  return mine_;
}

inline Code StreamConsumer::take_at(std::uint64_t s, Ring* ring, Block* block, Found& found) {
  found = {s, nothing_owed, ring, block, 1};
  begin_view(found);
  settled(s);
  position_.store(s + 1, std::memory_order_relaxed);
  return Code::ok;
}

Code StreamConsumer::take(bool /*from_floor*/, Found& found) {
  if (!mine_.load(std::memory_order_relaxed) && !take_place()) return Code::empty;  // stands by
  std::uint64_t s = position_.load(std::memory_order_relaxed);
  // relaxed is not enough for purge: start is read anew each time, it only grows.
  s = std::max(s, entry().start.load(std::memory_order_acquire));
  if (drops()) [[unlikely]] {
    const Result<std::uint64_t> next = behind_dropped(s);
    if (!next) return next.error();
    s = *next;
  }
  if (Ring* ring = ring_at_hand(s); ring != nullptr) {
    const ring::Seen seen = ring::look(ring->view, s);
    if (seen == ring::Seen::committed) {
      protect(s, *ring);
      if (ring::still_here(ring->view, s) && !is_over(s, *ring) && is_within_reach(s) &&
          !ring->is_condemned()) {
        return take_at(s, ring, nullptr, found);
      }
      unprotect(s);
    } else if (seen == ring::Seen::nothing && will_be_in(*ring, s)) {
      position_.store(s, std::memory_order_relaxed);
      return Code::empty;
    }
  }
  for (unsigned passed = 0;;) {
    const Result<Sight> sight = look_under_hold(s);
    if (!sight) return sight.error();
    switch (sight->seen) {
      case ring::Seen::nothing:
        position_.store(s, std::memory_order_relaxed);
        return Code::empty;
      case ring::Seen::committed:
        if (!is_over({s, nothing_owed, sight->ring, sight->block})) {
          return take_at(s, sight->ring, sight->block, found);
        }
        count_expired();
        settled(s);
        if (sight->ring != nullptr) unprotect(s);
        position_.store(++s, std::memory_order_relaxed);  // this handle counts it once
        if (++passed == most_passed) {
          found = {};
          return Code::ok;
        }
        break;
      case ring::Seen::skipped:
      case ring::Seen::sealed:
        if (sight->lost_until != 0) {
          count_lost(sight->lost_until - s);
          settled(s);
          // Once, whatever comes behind it.
          position_.store(sight->lost_until, std::memory_order_relaxed);
        }
        s = std::max(s + 1, sight->lost_until);
        break;
      case ring::Seen::gone: {
        const Result<std::uint64_t> next = behind_gone(s);
        if (!next) return next.error();
        s = *next;
      }
    }
  }
}

/// Only a purge can have taken it from under a floor that this handle alone raises, or a drop; else
/// somebody has put the floor back.
Result<std::uint64_t> StreamConsumer::behind_gone(std::uint64_t s) {
  const Result<std::uint64_t> next = drops() ? behind_dropped(s) : s;
  if (!next) return next;
  const std::uint64_t low = std::max(group_.low(), *next);
  return low > s ? low : behind_what_is_gone(s);
}

/// What is found in a ring is under the hold; what left it between the looks is in the journal, or
/// was purged.
Result<ConsumerCore::Sight> StreamConsumer::look_under_hold(std::uint64_t s) {
  const Result<Sight> sight = look(s);
  if (!sight || sight->seen != ring::Seen::committed || sight->ring == nullptr) return sight;
  protect(s, *sight->ring);
  if (ring::still_here(sight->ring->view, s)) return sight;
  unprotect(s);
  return look_in_journal(s);
}

void StreamConsumer::note_settled(std::uint64_t s) {
  settled_.push_back(s);
  hear_of_dropped();
}

Result<std::uint64_t> StreamConsumer::behind_dropped(std::uint64_t s) {
  const auto dropped = this->dropped(s);
  if (!dropped) return dropped.error();
  if (dropped->until <= s) return s;
  // As if all views had ended: what was handed out is settled, and was not dropped.
  const group::Passage at = group::read(cursor());
  forget_settled_below(at.floor);  // purged
  group::note_dropped(cursor(), {dropped->until, at.settled + settled_.size()}, dropped->messages);
  // A purge that came in between may have settled that, too: the supervisor puts it right. seq_cst:
  // either it sees what was said when it looks, after it moved the floor, or this sees the floor.
  if (cursor().floor.load(std::memory_order_seq_cst) != at.floor) attachment().ask_service();
  position_.store(dropped->until, std::memory_order_relaxed);
  return dropped->until;
}

void StreamConsumer::forget_settled_below(std::uint64_t floor) noexcept {
  while (!settled_.empty() && settled_.front() < floor) settled_.pop_front();
}

group::Moved StreamConsumer::raise_floor(std::uint64_t to) noexcept {
  if (!drops()) [[likely]]
    return group_.raise_floor(to);
  group::Passage seen = group::read(cursor());
  for (int races = 8; races != 0 && seen.floor < to; --races) {
    forget_settled_below(seen.floor);
    const auto end = std::lower_bound(settled_.begin(), settled_.end(), to);
    const auto count = static_cast<std::uint64_t>(end - settled_.begin());
    if (group_.raise_floor(seen, {to, seen.settled + count})) {
      forget_settled_below(to);
      return {seen.floor, to};
    }
    // The queue was purged meanwhile, or that was put right: what lies behind it still counts.
    seen = group::read(cursor());
  }
  return {seen.floor, seen.floor};
}

bool StreamConsumer::worth_a_look() const noexcept {
  if (!group_.is_open_to(attachment().owner())) return false;
  if (!mine_) return true;
  const std::uint64_t s = position_.load(std::memory_order_relaxed);
  return group_.low() > s || may_be_there(s) || (drops() && is_dropped(s));
}

std::uint64_t StreamConsumer::obstacle() const noexcept {
  const std::uint64_t s = position_.load(std::memory_order_relaxed);
  return mine_ && is_stuck_at(s) ? s : 0;
}

/// A queue that spills has the room of what is journaled already, whoever needs it still.
bool StreamConsumer::makes_room(std::uint64_t to) const noexcept {
  const layout::Manifest& m = attachment().manifest();
  return m.full != static_cast<std::uint8_t>(Full::spill) ||
         to >= m.journaled.load(std::memory_order_relaxed);
}

void StreamConsumer::let_go(std::uint64_t behind) noexcept {
  const group::Moved hold = lift_hold(behind);
  if (!mine_) return made_room(hold);
  // Views first, then the floor: who takes over begins with the oldest that was not finished.
  const std::uint64_t to = std::min(live().oldest(), position_.load(std::memory_order_relaxed));
  const group::Moved floor = raise_floor(to);
  if (floor.from == floor.to || !makes_room(floor.to)) {
    made_room(hold);
  } else if (hold.from == hold.to) {
    made_room(floor);
  } else {
    // One fence for both. What lies between the two is nobody's need; a wake too many does no harm.
    made_room({std::min(hold.from, floor.from), std::max(hold.to, floor.to)});
  }
  floor_moved(floor);
}

void StreamConsumer::rest() noexcept { let_go(layout::no_sequence); }

void StreamConsumer::leave() noexcept {
  rest();
  if (mine_ && group_.leave(attachment().owner())) wait::ring(attachment().bells().data);
  mine_ = false;
}

}  // namespace spillring::client
