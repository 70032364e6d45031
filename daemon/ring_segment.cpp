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

}  // namespace spillring::daemon
