#include "moment.hpp"

#include <fmt/format.h>

#include <chrono>
#include <ctime>
#include <limits>
#include <string_view>

namespace spillring::tools {
namespace {

constexpr std::uint64_t second = 1'000'000'000;

/// What is behind the point: up to nine digits.
std::optional<std::uint64_t> fraction_of(std::string_view text) {
  if (text.empty()) return 0;
  if (text.front() != '.' || text.size() < 2 || text.size() > 10) return std::nullopt;
  std::uint64_t value = 0;
  for (std::size_t i = 1; i < 10; ++i) {
    const char digit = i < text.size() ? text[i] : '0';
    if (digit < '0' || digit > '9') return std::nullopt;
    value = value * 10 + static_cast<std::uint64_t>(digit - '0');
  }
  return value;
}

}  // namespace

std::string iso_time(std::uint64_t timestamp_ns) {
  const auto whole = static_cast<std::time_t>(timestamp_ns / second);
  std::tm parts{};
  gmtime_r(&whole, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:09}Z", parts.tm_year + 1900,
                     parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                     timestamp_ns % second);
}

std::optional<std::uint64_t> moment_of(const std::string& text) {
  std::tm parts{};
  const char* const rest = ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  if (rest == nullptr) return std::nullopt;
  std::string_view fraction(rest);
  if (!fraction.ends_with('Z')) return std::nullopt;
  fraction.remove_suffix(1);
  const auto nanoseconds = fraction_of(fraction);
  const std::time_t seconds = ::timegm(&parts);
  constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max() / second - 1;  // in 2554
  if (!nanoseconds || seconds < 0 || static_cast<std::uint64_t>(seconds) > most)
    return std::nullopt;
  return static_cast<std::uint64_t>(seconds) * second + *nanoseconds;
}

std::uint64_t now() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(since).count());
}

}  // namespace spillring::tools
