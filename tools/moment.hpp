// Points in time as people and programs read them.
#pragma once

#include <cstdint>
#include <string>

namespace spillring::tools {

/// "2026-01-02T03:04:05.678901234Z".
[[nodiscard]] std::string iso_time(std::uint64_t timestamp_ns);

}  // namespace spillring::tools
