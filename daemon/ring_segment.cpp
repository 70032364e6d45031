#include "ring_segment.hpp"

#include <algorithm>

#include "ring/reclaim.hpp"

namespace spillring::daemon {

std::uint64_t RingSegment::settled() noexcept {
  const std::uint64_t limit =
      std::max(view_.first(), view_.header().limit.load(std::memory_order_seq_cst));
  // Nothing is settled N numbers beyond `limit`: it was forged, if it said so before.
  if (settled_ < limit || settled_ - limit > view_.slots()) settled_ = limit;
  for (std::uint64_t steps = view_.slots(); steps != 0; --steps) {
    if (ring::look(view_, settled_) == ring::Seen::nothing) break;
    ++settled_;
  }
  return settled_;
}

std::uint64_t RingSegment::bytes_from(std::uint64_t s) const noexcept {
  const auto used = ring::in_use(view_);
  if (!used || s >= used->end) return 0;
  const std::uint64_t from = std::max(s, used->first);
  const std::uint64_t low = view_.claim(from - 1).end.load(std::memory_order_acquire);
  return used->high > low ? std::min(used->high - low, view_.arena()) : 0;
}

}  // namespace spillring::daemon
