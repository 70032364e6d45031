#include "wait/room.hpp"

#include <algorithm>

namespace spillring::wait {

void wake_those_in_need(const layout::Manifest& manifest, layout::Bells& bells, std::uint64_t from,
                        std::uint64_t to) noexcept {
  const std::uint32_t used =
      std::min(manifest.handles_used.load(std::memory_order_acquire), layout::max_handles);
  for (std::uint32_t i = 0; i < used; ++i) {
    const std::uint64_t need = bells.need[i].load(std::memory_order_acquire);
    if (need != 0 && from < need && need <= to) return ring(bells.room);
  }
}

}  // namespace spillring::wait
