// Points in time as people and programs read them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace spillring::tools {

/// "2026-01-02T03:04:05.678901234Z".
[[nodiscard]] std::string iso_time(std::uint64_t timestamp_ns);

/// What iso_time() writes, its fraction as long as it is, as nanoseconds since 1970; nothing where
/// it is no moment.
[[nodiscard]] std::optional<std::uint64_t> moment_of(const std::string& text);
/// The present one.
[[nodiscard]] std::uint64_t now();

}  // namespace spillring::tools
