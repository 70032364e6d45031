// Messages whose every byte follows from their sequence, so that whoever reads one can tell whether
// it is right; and batches of them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "journal/block.hpp"
#include "journal/segment_writer.hpp"
#include "layout/journal.hpp"

namespace spillring::journal {

inline constexpr std::uint64_t queue_id = 7;
inline constexpr std::uint64_t small_segment = 16384;

struct Sample {
  bool is_message = true;  // false: a number without one
  std::vector<std::byte> payload;
  std::vector<std::byte> metadata;
  std::uint64_t timestamp = 0;
};

/// The message of sequence `s`: none, empty, inline, small or large, with metadata or without.
inline Sample sample(std::uint64_t s, std::size_t largest = 900) {
  const auto bytes = [s](std::size_t size, std::uint64_t seed) {
    std::vector<std::byte> made(size);
    for (std::size_t i = 0; i < size; ++i) {
      made[i] = static_cast<std::byte>((s * 0x9E3779B97F4A7C15 + seed + i * 0x100000001B3) >> 24);
    }
    return made;
  };
  Sample made;
  made.timestamp = 1'000'000'000 + s * 1000 - s % 3 * 2000;  // not always later than the one before
  switch (s % 8) {
    case 0:
      made.is_message = false;
      break;
    case 1:  // empty
      break;
    case 2:
      made.payload = bytes(1 + s % layout::inline_size, 1);
      break;
    case 3:  // metadata alone
      made.metadata = bytes(1 + s * 7 % 150, 2);
      break;
    case 4:
      made.metadata = bytes(1 + s * 5 % 130, 2);
      made.payload = bytes(1 + s * 11 % largest, 3);
      break;
    default:
      made.payload = bytes(layout::inline_size + 1 + s * 37 % largest, 3);
  }
  return made;
}

/// A batch as the supervisor makes it from its ring, here from samples.
class SampleBatch {
 public:
  SampleBatch(std::uint64_t first, std::uint64_t end, std::size_t largest = 900) {
    batch_.first = first;
    for (std::uint64_t s = first; s < end; ++s) add(sample(s, largest));
    // In pieces, as if some lay elsewhere in the ring.
    const std::size_t piece = std::max<std::size_t>(data_.size() / 3, layout::extent_unit);
    for (std::size_t at = 0; at < data_.size(); at += piece) {
      batch_.pieces.push_back(Piece(data_).subspan(at, std::min(piece, data_.size() - at)));
    }
    batch_.data = data_.size();
  }
  SampleBatch(const SampleBatch&) = delete;
  SampleBatch& operator=(const SampleBatch&) = delete;
  ~SampleBatch() = default;

  [[nodiscard]] const Batch& operator*() const noexcept { return batch_; }
  [[nodiscard]] const Batch* operator->() const noexcept { return &batch_; }

 private:
  void add(const Sample& message) {
    layout::Entry entry{};
    if (!message.is_message) {
      entry.state = static_cast<std::uint64_t>(layout::Published::aborted);
    } else {
      entry.state = static_cast<std::uint64_t>(layout::Published::committed);
      entry.timestamp = message.timestamp;
      entry.size = static_cast<std::uint32_t>(message.payload.size());
      entry.metadata_size = static_cast<std::uint32_t>(message.metadata.size());
      if (message.metadata.empty() && message.payload.size() <= layout::inline_size) {
        entry.flags = layout::payload_inline;
        std::ranges::copy(message.payload, entry.bytes);
      } else {
        append_unit(message.metadata);
        entry.start = data_.size();
        append_unit(message.payload);
      }
    }
    batch_.entries.push_back(entry);
  }
  void append_unit(const std::vector<std::byte>& bytes) {
    data_.insert(data_.end(), bytes.begin(), bytes.end());
    data_.resize((data_.size() + layout::extent_unit - 1) / layout::extent_unit *
                 layout::extent_unit);
  }

  Batch batch_;
  std::vector<std::byte> data_;
};

/// Whether `block` says of sequence `s` what is true.
inline bool is_right(const Block& block, std::uint64_t s, const Sample& truth) {
  if (!truth.is_message || !block.is_message(s)) return truth.is_message == block.is_message(s);
  const auto stored = block.message(s);
  return stored && std::ranges::equal(stored->payload, truth.payload) &&
         std::ranges::equal(stored->metadata, truth.metadata) &&
         stored->timestamp == truth.timestamp;
}

}  // namespace spillring::journal
