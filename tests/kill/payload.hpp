// Payloads whose every byte can be checked: the content follows from who sent it as what number.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>

namespace payload {

/// The beginning of every payload; what follows it is derived from it.
struct Head {
  std::uint32_t producer = 0;
  std::uint32_t size = 0;  ///< of the whole payload
  std::uint64_t counter = 0;
  std::uint64_t check = 0;  ///< of the three above
};
static_assert(sizeof(Head) == 24, "the smallest payload lies in its descriptor");

/// The finalizer of splitmix64.
constexpr std::uint64_t mix(std::uint64_t x) noexcept {
  x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9U;
  x = (x ^ (x >> 27U)) * 0x94d049bb133111ebU;
  return x ^ (x >> 31U);
}

constexpr Head head_of(std::uint32_t producer, std::uint64_t counter, std::uint32_t size) noexcept {
  return {producer, size, counter, mix(mix(mix(producer + 1U) ^ counter) ^ size)};
}

/// Calls `each(offset, word, length)` for the body's words in turn; the last may be short. Stops at
/// the first false and returns it.
template <typename Each>
bool for_each_word(const Head& head, Each each) {
  std::size_t at = sizeof(Head);
  for (; at + 8 <= head.size; at += 8) {
    if (!each(at, mix(head.check + at), std::size_t{8})) return false;
  }
  return at >= head.size || each(at, mix(head.check + at), head.size - at);
}

/// Writes a payload. REQUIRES: bytes.size() >= sizeof(Head).
inline void fill(std::span<std::byte> bytes, std::uint32_t producer, std::uint64_t counter) {
  const Head head = head_of(producer, counter, static_cast<std::uint32_t>(bytes.size()));
  std::memcpy(bytes.data(), &head, sizeof head);
  for_each_word(head, [&](std::size_t at, std::uint64_t word, std::size_t length) {
    std::memcpy(bytes.data() + at, &word, length);
    return true;
  });
}

/// Checks every byte; the head of an undamaged payload, else nullopt.
inline std::optional<Head> read(std::span<const std::byte> bytes) {
  Head head;
  if (bytes.size() < sizeof head) return std::nullopt;
  std::memcpy(&head, bytes.data(), sizeof head);
  const Head right = head_of(head.producer, head.counter, static_cast<std::uint32_t>(bytes.size()));
  if (head.size != bytes.size() || head.check != right.check) return std::nullopt;
  const bool same =
      for_each_word(head, [&](std::size_t at, std::uint64_t word, std::size_t length) {
        return std::memcmp(bytes.data() + at, &word, length) == 0;
      });
  return same ? std::optional(head) : std::nullopt;
}

}  // namespace payload
