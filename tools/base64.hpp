// Bytes as text (RFC 4648, section 4).
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace spillring::tools {

[[nodiscard]] std::string to_base64(std::span<const std::byte> bytes);
/// Nothing where the text is not exactly what `to_base64` writes: no spaces, padded, no stray bits.
[[nodiscard]] std::optional<std::string> from_base64(std::string_view text);

}  // namespace spillring::tools
