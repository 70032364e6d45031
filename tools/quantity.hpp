// Sizes, durations and counts as people write them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "spillring/options.hpp"

namespace spillring::tools {

/// All of these throw `Failure` (usage), naming `label`, the option the text was given to.

/// "4096", "256KiB", "1.5GiB", "10MB": K, M, G, T and KiB ... are powers of 1024, kB, MB ... of
/// 1000.
[[nodiscard]] std::uint64_t parse_size(std::string_view label, std::string_view text);
/// "500ms", "1.5s", "2m", "inf": ns, us, ms, s, m, h; a bare number means seconds.
[[nodiscard]] Timeout parse_duration(std::string_view label, std::string_view text);
/// A whole number without a unit.
[[nodiscard]] std::uint64_t parse_count(std::string_view label, std::string_view text);

/// "1.2 KiB".
[[nodiscard]] std::string human_size(std::uint64_t bytes);
/// "500ms", "1.5s", "inf"; what `parse_duration` takes.
[[nodiscard]] std::string human_duration(Timeout duration);

}  // namespace spillring::tools
