#include "utf8.hpp"

#include <cstddef>
#include <cstdint>

namespace spillring::tools {
namespace {

constexpr std::uint8_t byte_at(std::string_view text, std::size_t at) {
  return static_cast<std::uint8_t>(text[at]);
}

constexpr bool within(std::uint8_t byte, unsigned low, unsigned high) {
  return byte >= low && byte <= high;
}

/// The second byte is where overlong forms, surrogates and too large values show.
constexpr bool second_is_legal(std::uint8_t lead, std::uint8_t second) {
  switch (lead) {
    case 0xe0:
      return within(second, 0xa0, 0xbf);
    case 0xed:
      return within(second, 0x80, 0x9f);
    case 0xf0:
      return within(second, 0x90, 0xbf);
    case 0xf4:
      return within(second, 0x80, 0x8f);
    default:
      return within(second, 0x80, 0xbf);
  }
}

/// Length of the character that begins the text; 0 where it is malformed.
constexpr std::size_t character_length(std::string_view text) {
  const std::uint8_t lead = byte_at(text, 0);
  if (lead < 0x80) return 1;
  const std::size_t length = within(lead, 0xc2, 0xdf)   ? 2
                             : within(lead, 0xe0, 0xef) ? 3
                             : within(lead, 0xf0, 0xf4) ? 4
                                                        : 0;
  if (length == 0 || text.size() < length) return 0;
  if (!second_is_legal(lead, byte_at(text, 1))) return 0;
  for (std::size_t i = 2; i < length; ++i) {
    if (!within(byte_at(text, i), 0x80, 0xbf)) return 0;
  }
  return length;
}

}  // namespace

bool is_utf8(std::string_view bytes) noexcept {
  while (!bytes.empty()) {
    const std::size_t length = character_length(bytes);
    if (length == 0) return false;
    bytes.remove_prefix(length);
  }
  return true;
}

}  // namespace spillring::tools
