// Which bytes are text.
#pragma once

#include <string_view>

namespace spillring::tools {

/// True for well-formed UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF.
[[nodiscard]] bool is_utf8(std::string_view bytes) noexcept;

}  // namespace spillring::tools
