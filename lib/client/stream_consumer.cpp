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
  if (mine_) position_.store(group_.low(), std::memory_order_relaxed);
  return mine_;
}

Result<ConsumerCore::Found> StreamConsumer::take(bool /*from_floor*/) {
  if (!take_place()) return Code::empty;  // stands by
  std::uint64_t s = position_.load(std::memory_order_relaxed);
  // relaxed is not enough for purge: start is read anew each time, it only grows.
  s = std::max(s, entry().start.load(std::memory_order_acquire));
  for (;;) {
    const Result<Sight> sight = look_under_hold(s);
    if (!sight) return sight.error();
    switch (sight->seen) {
      case ring::Seen::nothing:
        position_.store(s, std::memory_order_relaxed);
        return Code::empty;
      case ring::Seen::committed: {
        const Found found{s, 1, sight->ring, sight->block, 1};
        begin_view(found);
        position_.store(s + 1, std::memory_order_relaxed);
        return found;
      }
      case ring::Seen::skipped:
      case ring::Seen::sealed:
        if (sight->lost) count_lost();
        ++s;
        break;
      case ring::Seen::gone: {
        // Only a purge can have taken it from under a floor that this handle alone raises.
        const std::uint64_t low = group_.low();
        if (low <= s) return attachment().report_damage();
        s = low;
      }
    }
  }
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

bool StreamConsumer::worth_a_look() const noexcept {
  if (!group_.is_open_to(attachment().owner())) return false;
  if (!mine_) return true;
  const std::uint64_t s = position_.load(std::memory_order_relaxed);
  return group_.low() > s || may_be_there(s);
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

void StreamConsumer::raise_floor() noexcept {
  if (!mine_) return;
  // Views first, then the floor: who takes over begins with the oldest that was not finished.
  const std::uint64_t to = std::min(live().oldest(), position_.load(std::memory_order_relaxed));
  if (makes_room(to)) {
    floor_moved(group_.raise_floor(to, std::memory_order_seq_cst));
  } else {
    group_.raise_floor(to, std::memory_order_release);
  }
}

void StreamConsumer::rest() noexcept {
  raise_floor();
  raise_hold(layout::no_sequence);
}

void StreamConsumer::leave() noexcept {
  rest();
  if (mine_ && group_.leave(attachment().owner())) wait::ring(attachment().bells().data);
  mine_ = false;
}

}  // namespace spillring::client
