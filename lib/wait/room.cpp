#include "wait/room.hpp"

#include <algorithm>

namespace spillring::wait {

void wake_those_in_need(const layout::Manifest& manifest, layout::Bells& bells, std::uint64_t from,
                        std::uint64_t to) noexcept {
  const std::uint32_t used =
      std::min(manifest.handles_used.load(std::memory_order_acquire), layout::max_handles);
  bool somebody_waits = false;
  for (std::uint32_t i = 0; i < used; ++i) {
    const std::uint64_t need = bells.need[i].load(std::memory_order_acquire);
    if (from < need && need <= to) return ring(bells.room);
    somebody_waits = somebody_waits || need != 0;
  }
  // A need is stored before the mark: this one is of somebody who has left, and is taken back.
  if (!somebody_waits) ring(bells.room);
}

}  // namespace spillring::wait
