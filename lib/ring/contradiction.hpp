// What proves that a ring is damaged: words of it that no steps of claimers, readers, reclaimers
// and of the supervisor lead to, however they were interrupted.
//
// Each proof uses only that words go one way (A1, `limit`, `gone`), so it holds beside any number
// of others at work: what was read first was true then, and still counts when the second word is
// read. Where something may also be because the ring went on meanwhile, `limit` is read again,
// behind what needs it to have moved. What is not proven here is no damage, whatever it looks like.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "ring/ring_view.hpp"

namespace spillring::ring {

struct Contradiction {
  std::uint64_t sequence = 0;
  std::string_view what;  // of that number
};

/// Looks at every slot once, from the last that may be in use down. nullopt: nothing is proven.
std::optional<Contradiction> find_contradiction(const RingView& ring) noexcept;

}  // namespace spillring::ring
