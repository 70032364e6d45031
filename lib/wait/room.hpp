// Ringing for room only where it is worth it: who sleeps says how far `limit` has to come.
//
// A need that the ringer does not see yet belongs to a mark that it did not see either, or to a
// sleeper whose look comes after the change (wait/bell.hpp, W1).
#pragma once

#include <cstdint>

#include "layout/bells.hpp"
#include "layout/manifest.hpp"
#include "wait/bell.hpp"

namespace spillring::wait {

/// Rings `room` if somebody's need lies in (from, to], or nobody has one.
void wake_those_in_need(const layout::Manifest& manifest, layout::Bells& bells, std::uint64_t from,
                        std::uint64_t to) noexcept;

/// The same, one load where nobody sleeps. What keeps `limit` back, a floor, a hold or `journaled`,
/// rose from `from` to `to`. REQUIRES: it did so by a seq_cst operation, or a seq_cst fence came
/// after it.
inline void ring_room(const layout::Manifest& manifest, layout::Bells& bells, std::uint64_t from,
                      std::uint64_t to) noexcept {
  // SYNC POINT READ: mark (wait/bell.hpp, W1).
  if (layout::mark_is_set(bells.room.mark.load(std::memory_order_seq_cst))) {
    wake_those_in_need(manifest, bells, from, to);
  }
}

}  // namespace spillring::wait
