#include "spillring/parts.hpp"

#include <algorithm>

#include "layout/batch.hpp"

namespace spillring {

Parts::Parts(std::span<const std::byte> payload, bool batch) noexcept
    : payload_(payload), count_(batch ? layout::batch_count(payload) : 1), batch_(batch) {}

std::span<const std::byte> Parts::operator[](std::size_t index) const noexcept {
  return batch_ ? layout::batch_part(payload_, index) : payload_;
}

void Parts::Iterator::look() noexcept {
  part_ = {};
  if (index_ >= parts_->count_) return;
  const value_type part = (*parts_)[index_];
  if (part.empty()) return;
  const auto start = static_cast<std::size_t>(part.data() - parts_->payload_.data());
  const std::size_t end = start + part.size();
  if (end <= shown_) return;
  part_ = part.subspan(std::max(start, shown_) - start);
  shown_ = end;
}

}  // namespace spillring
