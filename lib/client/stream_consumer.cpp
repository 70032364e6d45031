#include "client/stream_consumer.hpp"

#include <algorithm>

#include "wait/bell.hpp"

namespace spillring::client {

StreamConsumer::StreamConsumer(const QueueRef& queue, Answered& answer,
                               const SubscriberOptions& options)
    : ConsumerCore(queue, answer, options.interruptible), group_(entry(), cursor()) {
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
    const Result<Sight> sight = look(s);
    if (!sight) return sight.error();
    if (sight->seen == ring::Seen::nothing) {
      position_.store(s, std::memory_order_relaxed);
      return Code::empty;
    }
    if (sight->seen == ring::Seen::committed) {
      protect(s, *sight->ring);
      if (ring::still_here(sight->ring->view, s)) {
        ++sight->ring->users;
        position_.store(s + 1, std::memory_order_relaxed);
        return Found{s, 1, sight->ring, 1};
      }
      unprotect(s);
    }
    if (sight->seen == ring::Seen::skipped || sight->seen == ring::Seen::sealed) {
      ++s;
      continue;
    }
    // Gone: only a purge can have taken it from under a floor that this handle alone raises.
    const std::uint64_t low = group_.low();
    if (low <= s) return attachment().report_damage();
    s = low;
  }
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

void StreamConsumer::raise_floor() noexcept {
  if (!mine_) return;
  // Views first, then the floor: who takes over begins with the oldest that was not finished.
  floor_moved(
      group_.raise_floor(std::min(live().oldest(), position_.load(std::memory_order_relaxed))));
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
