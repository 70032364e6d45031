// Where a message lies in its ring, checked: its producer may have written anything.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "ring/ring_view.hpp"

namespace spillring::ring {

/// Bytes in whole extent units.
constexpr std::uint64_t whole_units(std::uint64_t bytes) noexcept {
  return (bytes + layout::extent_unit - 1) / layout::extent_unit * layout::extent_unit;
}

struct Extent {
  std::span<const std::byte> payload;
  std::span<const std::byte> metadata;
  std::uint64_t timestamp = 0;
  bool is_batch = false;
};

/// The extent of a committed message; nullopt where its descriptor makes no sense. What is returned
/// lies in the ring's memory whatever the descriptor says: each field is loaded once, and only the
/// checked copies are used.
inline std::optional<Extent> extent_of(const RingView& ring,
                                       const layout::Descriptor& descriptor) noexcept {
  const auto once = [](const auto& field) { return __atomic_load_n(&field, __ATOMIC_RELAXED); };
  const std::uint64_t start = once(descriptor.start);
  const std::uint64_t size = once(descriptor.size);
  const std::uint64_t metadata = once(descriptor.metadata_size);
  const std::uint64_t timestamp = once(descriptor.timestamp);
  const std::uint32_t flags = once(descriptor.flags);
  const bool is_batch = (flags & layout::batch) != 0;
  if ((flags & layout::payload_inline) != 0) {
    if (size > layout::inline_size || metadata != 0) return std::nullopt;
    return Extent{{descriptor.bytes, size}, {}, timestamp, is_batch};
  }
  const std::uint64_t lead = whole_units(metadata);
  if (metadata > layout::max_metadata || lead > ring.arena() || size > ring.arena() - lead ||
      start < lead) {
    return std::nullopt;
  }
  Extent extent{{ring.bytes(start), size}, {}, timestamp, is_batch};
  if (metadata != 0) extent.metadata = {ring.bytes(start - lead), metadata};
  return extent;
}

}  // namespace spillring::ring
