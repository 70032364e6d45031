// An atomic batch: many messages as the payload of one, so that they have one claim, one publish
// word, one sequence and one acknowledgement.
//
//   batch := count:u32 end:u32[count] part[count]
//
// `end` counts from the beginning of the payload. A part begins at the first multiple of 8 behind
// the part before, the first one behind the table; what lies between is zero.
//
// Whoever wrote it may have written anything: what is read from it lies within the payload.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <span>

namespace spillring::layout {

inline constexpr std::uint64_t part_alignment = 8;

constexpr std::uint64_t part_aligned(std::uint64_t at) noexcept {
  return (at + part_alignment - 1) / part_alignment * part_alignment;
}

constexpr std::uint64_t batch_table_size(std::uint64_t count) noexcept {
  return sizeof(std::uint32_t) * (1 + count);
}

/// What a batch of these takes; nullopt: more than its numbers can say.
inline std::optional<std::uint64_t> encoded_batch_size(
    std::span<const std::span<const std::byte>> parts) noexcept {
  constexpr std::uint64_t most = std::numeric_limits<std::uint32_t>::max();
  std::uint64_t end = batch_table_size(parts.size());
  for (const auto& part : parts) {
    if (part.size() > most || end > most) return std::nullopt;
    end = part_aligned(end) + part.size();
  }
  return end <= most ? std::optional(end) : std::nullopt;
}

/// REQUIRES: encoded_batch_size() bytes at `to`, which is aligned to 4.
inline void encode_batch(std::span<const std::span<const std::byte>> parts,
                         std::byte* to) noexcept {
  const auto put = [to](std::uint64_t index, std::uint64_t value) {
    const auto word = static_cast<std::uint32_t>(value);
    std::memcpy(to + index * sizeof word, &word, sizeof word);
  };
  put(0, parts.size());
  std::uint64_t end = batch_table_size(parts.size());
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::uint64_t start = part_aligned(end);
    std::memset(to + end, 0, start - end);
    if (!parts[i].empty()) std::memcpy(to + start, parts[i].data(), parts[i].size());
    end = start + parts[i].size();
    put(i + 1, end);
  }
}

/// A number of the table, read once. REQUIRES: index <= batch_count(); the payload is aligned to 4.
inline std::uint64_t batch_number(std::span<const std::byte> batch, std::uint64_t index) noexcept {
  const auto* const table = reinterpret_cast<const std::uint32_t*>(batch.data());
  return __atomic_load_n(table + index, __ATOMIC_RELAXED);
}

/// No more than its table has room for. Where that is not aligned, which a sender can bring about,
/// there is none.
inline std::uint64_t batch_count(std::span<const std::byte> batch) noexcept {
  const auto at = reinterpret_cast<std::uintptr_t>(batch.data());
  if (batch.size() < sizeof(std::uint32_t) || at % alignof(std::uint32_t) != 0) return 0;
  return std::min<std::uint64_t>(batch_number(batch, 0), batch.size() / sizeof(std::uint32_t) - 1);
}

/// REQUIRES: index < batch_count(). Empty where the table makes no sense.
inline std::span<const std::byte> batch_part(std::span<const std::byte> batch,
                                             std::uint64_t index) noexcept {
  const std::uint64_t before =
      index == 0 ? batch_table_size(batch_count(batch)) : batch_number(batch, index);
  const std::uint64_t start = part_aligned(before);
  const std::uint64_t end = batch_number(batch, index + 1);
  if (start > end || end > batch.size()) return {};
  return batch.subspan(start, end - start);
}

}  // namespace spillring::layout
