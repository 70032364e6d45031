// A batch in memory, as it was read: messages are views of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "layout/journal.hpp"
#include "layout/metadata.hpp"

namespace spillring::journal {

/// A message in a block. Views of the block's memory.
struct Stored {
  std::span<const std::byte> payload;
  std::span<const std::byte> metadata;
  std::uint64_t timestamp = 0;
  std::uint64_t ttl = 0;  // nanoseconds that it was sent with; 0: none
  bool is_batch = false;

  [[nodiscard]] std::optional<std::span<const std::byte>> key() const noexcept {
    return layout::decode_key(metadata);
  }
  [[nodiscard]] std::vector<Header> headers() const { return layout::decode_headers(metadata); }
};

class Block {
 public:
  /// Has room for a batch of `size` bytes, uninitialised.
  explicit Block(std::size_t size)
      : memory_(static_cast<std::byte*>(std::aligned_alloc(layout::page, rounded(size)))),
        capacity_(rounded(size)) {
    if (memory_ == nullptr) throw std::bad_alloc();
  }

  [[nodiscard]] std::span<std::byte> memory() noexcept { return {memory_.get(), capacity_}; }
  /// Says what the memory holds. REQUIRES: the header, and behind it entries and data, are there.
  void hold(const layout::BatchHeader& header) noexcept {
    first_ = header.first;
    count_ = header.count;
    data_size_ = header.data;
  }
  [[nodiscard]] std::uint64_t first() const noexcept { return first_; }
  [[nodiscard]] std::uint64_t end() const noexcept { return first_ + count_; }
  [[nodiscard]] bool has(std::uint64_t s) const noexcept { return first_ <= s && s < end(); }

  [[nodiscard]] const layout::Entry& entry(std::uint64_t s) const noexcept {
    const auto* entries =
        reinterpret_cast<const layout::Entry*>(memory_.get() + sizeof(layout::BatchHeader));
    return entries[s - first_];
  }
  [[nodiscard]] bool is_message(std::uint64_t s) const noexcept {
    return entry(s).state == static_cast<std::uint64_t>(layout::Published::committed);
  }
  /// REQUIRES: has(s) and is_message(s). nullopt where its entry makes no sense.
  [[nodiscard]] std::optional<Stored> message(std::uint64_t s) const noexcept {
    const layout::Entry& at = entry(s);
    const bool is_batch = (at.flags & layout::batch) != 0;
    if ((at.flags & layout::payload_inline) != 0) {
      if (at.size > layout::inline_size || at.metadata_size != 0) return std::nullopt;
      return Stored{{at.bytes, at.size}, {}, at.timestamp, 0, is_batch};
    }
    const std::uint64_t lead = (std::uint64_t{at.metadata_size} + layout::extent_unit - 1) /
                               layout::extent_unit * layout::extent_unit;
    if (at.start > data_size_ || at.size > data_size_ - at.start || at.start < lead) {
      return std::nullopt;
    }
    const std::byte* data =
        memory_.get() + sizeof(layout::BatchHeader) + count_ * sizeof(layout::Entry);
    return Stored{
        {data + at.start, at.size},
        {data + at.start - lead, at.metadata_size},
        at.timestamp,
        (at.flags & layout::expires) != 0 ? std::min<std::uint64_t>(at.expiry.ttl, INT64_MAX) : 0,
        is_batch};
  }

 private:
  struct Free {
    void operator()(std::byte* memory) const noexcept { std::free(memory); }
  };
  static constexpr std::size_t rounded(std::size_t size) noexcept {
    return (size + layout::page - 1) / layout::page * layout::page;
  }

  std::unique_ptr<std::byte, Free> memory_;
  std::size_t capacity_;
  std::uint64_t first_ = 0;
  std::uint64_t count_ = 0;
  std::uint64_t data_size_ = 0;
};

}  // namespace spillring::journal
