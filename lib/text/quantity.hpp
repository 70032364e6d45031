// Sizes, durations and counts as people write them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace spillring::text {

/// What a text says, or why it says nothing.
struct Quantity {
  std::uint64_t value = 0;
  std::string problem;  ///< empty: there is none
};

/// "4096", "256KiB", "1.5GiB", "10MB": K, M, G, T and KiB ... are powers of 1024, kB, MB ... of
/// 1000.
[[nodiscard]] Quantity size_of(std::string_view text);
/// "500ms", "1.5s", "2m": ns, us, ms, s, m, h, d; a bare number means seconds. In nanoseconds.
[[nodiscard]] Quantity duration_of(std::string_view text);
/// A whole number without a unit.
[[nodiscard]] Quantity count_of(std::string_view text);

/// How much history is kept.
struct Retention {
  std::uint64_t nanoseconds = 0;
  std::uint64_t bytes = 0;
  std::string problem;  ///< empty: there is none
};
/// "24h", "10GiB", "7d,10GiB": an age, a size, or both; each with its unit.
[[nodiscard]] Retention retention_of(std::string_view text);
/// What retention_of() takes; "none" where there is none.
[[nodiscard]] std::string human_retention(std::uint64_t nanoseconds, std::uint64_t bytes);

/// "each", "never" or a duration of at least 1 ms, in nanoseconds: 0, `never_synced`, or that.
inline constexpr std::uint64_t never_synced = INT64_MAX;
[[nodiscard]] Quantity sync_of(std::string_view text);
/// What sync_of() takes.
[[nodiscard]] std::string human_sync(std::uint64_t nanoseconds);

/// "1.5s", what duration_of() takes.
[[nodiscard]] std::string human_duration(std::uint64_t nanoseconds);

}  // namespace spillring::text
