// Text in a fixed place.
#pragma once

#include <cstddef>
#include <cstring>
#include <string_view>

namespace spillring::layout {

inline constexpr std::size_t name_size = 120;  // of a queue or a group

/// Text of at most N bytes, padded with zeros.
template <std::size_t N>
struct Text {
  char bytes[N];

  void set(std::string_view text) noexcept {
    const std::size_t size = text.size() < N ? text.size() : N;
    std::memset(bytes, 0, N);
    if (size != 0) std::memcpy(bytes, text.data(), size);
  }
  [[nodiscard]] std::string_view view() const noexcept { return {bytes, ::strnlen(bytes, N)}; }
};

}  // namespace spillring::layout
