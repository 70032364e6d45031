#include "spillring/parts.hpp"

#include "layout/batch.hpp"

namespace spillring {

Parts::Parts(std::span<const std::byte> payload, bool batch) noexcept
    : payload_(payload), count_(batch ? layout::batch_count(payload) : 1), batch_(batch) {}

std::span<const std::byte> Parts::operator[](std::size_t index) const noexcept {
  return batch_ ? layout::batch_part(payload_, index) : payload_;
}

}  // namespace spillring
