#include "ring_segment.hpp"

#include <algorithm>

#include "ring/reclaim.hpp"

namespace spillring::daemon {

std::uint64_t RingSegment::settled() noexcept {
  settled_ = std::max(settled_, view_.header().limit.load(std::memory_order_seq_cst));
  for (std::uint64_t steps = view_.slots(); steps != 0; --steps) {
    if (ring::look(view_, settled_) == ring::Seen::nothing) break;
    ++settled_;
  }
  return settled_;
}

std::uint64_t RingSegment::bytes_from(std::uint64_t s) const noexcept {
  ring::Room room{};
  if (!ring::refresh(view_, room)) return 0;
  const ring::Claim end = ring::probe(view_, 0, room);
  const std::uint64_t next = end.sequence;
  const std::uint64_t from = std::max(s, room.limit);
  if (from >= next) return 0;
  const std::uint64_t last = view_.claim(next - 1).end.load(std::memory_order_acquire);
  const std::uint64_t first = view_.claim(from - 1).end.load(std::memory_order_acquire);
  return last > first ? std::min(last - first, view_.arena()) : 0;
}

}  // namespace spillring::daemon
