// Key and headers of a message as bytes:
//
//   metadata := key_length:u32 key header*        key_length = 2^32-1: no key
//   header   := name_length:u16 value_length:u32 name value
//
// Little-endian, unaligned. Whoever reads it trusts nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <vector>

#include "layout/limits.hpp"
#include "spillring/options.hpp"

namespace spillring::layout {

inline constexpr std::uint32_t no_key = UINT32_MAX;

/// Bytes that `metadata` takes; 0 where there is none; nullopt where it is too much.
inline std::optional<std::size_t> encoded_size(const Metadata& metadata) noexcept {
  if (!metadata.key && metadata.headers.empty()) return 0;
  std::size_t size = 4 + (metadata.key ? metadata.key->size() : 0);
  for (const Header& header : metadata.headers) {
    if (header.name.size() > UINT16_MAX || header.value.size() > max_metadata) return std::nullopt;
    size += 6 + header.name.size() + header.value.size();
    if (size > max_metadata) return std::nullopt;
  }
  return size > max_metadata ? std::nullopt : std::optional(size);
}

namespace wire {

template <typename T>
std::byte* put(std::byte* at, T value) noexcept {
  std::memcpy(at, &value, sizeof value);
  return at + sizeof value;
}
inline std::byte* put(std::byte* at, const void* from, std::size_t size) noexcept {
  if (size != 0) std::memcpy(at, from, size);
  return at + size;
}

/// Takes numbers and runs of bytes from a buffer, and never past its end.
class Cursor {
 public:
  explicit Cursor(std::span<const std::byte> bytes) noexcept : left_(bytes) {}

  template <typename T>
  std::optional<T> number() noexcept {
    if (left_.size() < sizeof(T)) return std::nullopt;
    T value{};
    std::memcpy(&value, left_.data(), sizeof value);
    left_ = left_.subspan(sizeof value);
    return value;
  }
  std::optional<std::span<const std::byte>> run(std::size_t size) noexcept {
    if (left_.size() < size) return std::nullopt;
    const auto result = left_.first(size);
    left_ = left_.subspan(size);
    return result;
  }
  [[nodiscard]] bool done() const noexcept { return left_.empty(); }

 private:
  std::span<const std::byte> left_;
};

}  // namespace wire

/// REQUIRES: `at` has room for `encoded_size(metadata)`.
inline void encode(const Metadata& metadata, std::byte* at) noexcept {
  const auto key_size = metadata.key ? static_cast<std::uint32_t>(metadata.key->size()) : no_key;
  at = wire::put(at, key_size);
  if (metadata.key) at = wire::put(at, metadata.key->data(), metadata.key->size());
  for (const Header& header : metadata.headers) {
    at = wire::put(at, static_cast<std::uint16_t>(header.name.size()));
    at = wire::put(at, static_cast<std::uint32_t>(header.value.size()));
    at = wire::put(at, header.name.data(), header.name.size());
    at = wire::put(at, header.value.data(), header.value.size());
  }
}

/// The key; nullopt where there is none (or the bytes make no sense).
inline std::optional<std::span<const std::byte>> decode_key(
    std::span<const std::byte> bytes) noexcept {
  wire::Cursor cursor(bytes);
  const auto size = cursor.number<std::uint32_t>();
  if (!size || *size == no_key) return std::nullopt;
  return cursor.run(*size);
}

/// The headers, up to the first that makes no sense. They refer to `bytes`.
inline std::vector<Header> decode_headers(std::span<const std::byte> bytes) {
  std::vector<Header> headers;
  wire::Cursor cursor(bytes);
  const auto key = cursor.number<std::uint32_t>();
  if (!key || (*key != no_key && !cursor.run(*key))) return headers;
  while (!cursor.done()) {
    const auto header_size = cursor.number<std::uint16_t>();
    const auto body_size = cursor.number<std::uint32_t>();
    if (!header_size || !body_size) break;
    const auto name = cursor.run(*header_size);
    const auto value = cursor.run(*body_size);
    if (!name || !value) break;
    headers.push_back({{reinterpret_cast<const char*>(name->data()), name->size()}, *value});
  }
  return headers;
}

}  // namespace spillring::layout
