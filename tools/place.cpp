#include "place.hpp"

#include <fmt/format.h>

#include <chrono>
#include <ctime>
#include <optional>
#include <string_view>

#include "failure.hpp"
#include "text/quantity.hpp"

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

/// Nanoseconds since 1970; nothing where it is no moment.
std::optional<std::uint64_t> moment_of(const std::string& text) {
  std::tm parts{};
  const char* const rest = ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  if (rest == nullptr) return std::nullopt;
  std::string_view fraction(rest);
  if (!fraction.ends_with('Z')) return std::nullopt;
  fraction.remove_suffix(1);
  const auto nanoseconds = fraction_of(fraction);
  const std::time_t seconds = ::timegm(&parts);
  if (!nanoseconds || seconds < 0) return std::nullopt;
  return static_cast<std::uint64_t>(seconds) * second + *nanoseconds;
}

std::uint64_t now() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(since).count());
}

}  // namespace

Start place_of(const std::string& label, const std::string& text) {
  if (text == "earliest") return Start::earliest();
  if (text == "latest") return Start::latest();
  const text::Quantity sequence = text::count_of(text);
  if (sequence.problem.empty()) return Start::at(sequence.value);
  if (const auto moment = moment_of(text)) return Start::at_time(*moment);
  const text::Quantity ago = text::duration_of(text);
  if (ago.problem.empty()) return Start::at_time(now() - std::min(ago.value, now()));
  throw usage_failure(fmt::format("{} '{}' is no place in a queue", label, text),
                      "it is neither a word, a sequence, a moment nor how long ago",
                      "write earliest, latest, 1042, 2026-11-23T10:00:00Z or 10m");
}

}  // namespace spillring::tools
