#include "base64.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace spillring::tools {
namespace {

constexpr std::string_view alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t no_digit = 0xff;

constexpr auto digits = [] {
  std::array<std::uint8_t, 256> table{};
  table.fill(no_digit);
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    table[static_cast<unsigned char>(alphabet[i])] = static_cast<std::uint8_t>(i);
  }
  return table;
}();

/// The four characters of up to three bytes.
void append_group(std::string& out, std::span<const std::byte> bytes) {
  std::uint32_t bits = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    bits = bits << 8 | (i < bytes.size() ? std::to_integer<std::uint32_t>(bytes[i]) : 0);
  }
  for (std::size_t i = 0; i < 4; ++i) {
    out += i <= bytes.size() ? alphabet[bits >> (18 - 6 * i) & 63] : '=';
  }
}

/// The bytes of four characters, the last `padding` of them "=".
bool append_bytes(std::string& out, std::string_view group, std::size_t padding) {
  std::uint32_t bits = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    const std::uint8_t digit =
        i < 4 - padding ? digits[static_cast<unsigned char>(group[i])] : std::uint8_t{0};
    if (digit == no_digit) return false;
    bits = bits << 6 | digit;
  }
  const std::uint32_t stray = padding == 0 ? 0 : bits & (padding == 1 ? 0xffU : 0xffffU);
  for (std::size_t i = 0; i < 3 - padding; ++i) out += static_cast<char>(bits >> (16 - 8 * i));
  return stray == 0;
}

}  // namespace

std::string to_base64(std::span<const std::byte> bytes) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    append_group(out, bytes.subspan(at, std::min<std::size_t>(3, bytes.size() - at)));
  }
  return out;
}

std::optional<std::string> from_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  std::string out;
  out.reserve(text.size() / 4 * 3);
  for (std::size_t at = 0; at < text.size(); at += 4) {
    const bool last = at + 4 == text.size();
    if (!append_bytes(out, text.substr(at, 4), last ? padding : 0)) return std::nullopt;
  }
  return out;
}

}  // namespace spillring::tools
