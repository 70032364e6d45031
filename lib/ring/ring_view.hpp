// A ring as mapped: where its parts are. Geometry comes from outside; nothing in the ring is
// believed.
#pragma once

#include <cstddef>
#include <cstdint>

#include "layout/ring.hpp"

namespace spillring::ring {

class RingView {
 public:
  RingView() = default;
  /// REQUIRES: `base` maps the segment with its arena twice; `geometry.valid()`.
  RingView(std::byte* base, layout::RingGeometry geometry, std::uint64_t first) noexcept
      : header_(reinterpret_cast<layout::RingHeader*>(base)),
        claims_(reinterpret_cast<layout::ClaimWord*>(base + geometry.claims_at())),
        descriptors_(reinterpret_cast<layout::Descriptor*>(base + geometry.descriptors_at())),
        arena_(base + geometry.arena_at()),
        slots_(geometry.slots),
        arena_size_(geometry.arena),
        first_(first),
        slots_log2_(geometry.slots_log2()),
        arena_mask_((geometry.arena & (geometry.arena - 1)) == 0 ? geometry.arena - 1 : 0) {}

  [[nodiscard]] layout::RingHeader& header() const noexcept { return *header_; }
  [[nodiscard]] layout::ClaimWord& claim(std::uint64_t s) const noexcept {
    return claims_[s & (slots_ - 1)];
  }
  [[nodiscard]] layout::Descriptor& descriptor(std::uint64_t s) const noexcept {
    return descriptors_[s & (slots_ - 1)];
  }
  /// The bytes at an absolute arena position; `arena()` bytes from there on may be touched.
  [[nodiscard]] std::byte* bytes(std::uint64_t position) const noexcept {
    return arena_ + (arena_mask_ != 0 ? position & arena_mask_ : position % arena_size_);
  }
  [[nodiscard]] std::uint32_t lap(std::uint64_t s) const noexcept {
    return layout::lap_of(s, slots_log2_);
  }
  [[nodiscard]] std::uint64_t slots() const noexcept { return slots_; }
  [[nodiscard]] std::uint64_t arena() const noexcept { return arena_size_; }
  [[nodiscard]] std::uint64_t first() const noexcept { return first_; }

 private:
  layout::RingHeader* header_ = nullptr;
  layout::ClaimWord* claims_ = nullptr;
  layout::Descriptor* descriptors_ = nullptr;
  std::byte* arena_ = nullptr;
  std::uint64_t slots_ = 0;
  std::uint64_t arena_size_ = 0;
  std::uint64_t first_ = 0;
  unsigned slots_log2_ = 0;
  std::uint64_t arena_mask_ = 0;
};

/// Raises `word` to `value` unless it is there or above. A full fence if it stores.
/// Returns true if this call raised it.
inline bool raise(os::Atomic<std::uint64_t>& word, std::uint64_t value) noexcept {
  std::uint64_t seen = word.load(std::memory_order_seq_cst);
  while (seen < value) {
    if (word.compare_exchange_weak(seen, value, std::memory_order_seq_cst)) return true;
  }
  return false;
}

/// The same for a count of table entries.
inline void raise(os::Atomic<std::uint32_t>& word, std::uint32_t value) noexcept {
  std::uint32_t seen = word.load(std::memory_order_seq_cst);
  while (seen < value && !word.compare_exchange_weak(seen, value, std::memory_order_seq_cst)) {
  }
}

}  // namespace spillring::ring
