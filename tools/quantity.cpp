#include "quantity.hpp"

#include <fmt/format.h>

#include <array>

#include "failure.hpp"
#include "text/quantity.hpp"

namespace spillring::tools {
namespace {

/// The value, or a failure that says what was wanted.
std::uint64_t value_of(const text::Quantity& read, std::string_view label, std::string_view text,
                       std::string_view kind, std::string_view hint) {
  if (read.problem.empty()) return read.value;
  throw usage_failure(fmt::format("{} '{}' is not a {}", label, text, kind), read.problem,
                      std::string(hint));
}

}  // namespace

std::uint64_t parse_size(std::string_view label, std::string_view text) {
  return value_of(text::size_of(text), label, text, "size",
                  "write a number and a unit: 64KiB, 256MiB, 2GiB");
}

Timeout parse_duration(std::string_view label, std::string_view text) {
  if (text == "inf") return forever;
  return Timeout(value_of(text::duration_of(text), label, text, "duration",
                          "write a number and a unit: 500ms, 5s, 2m, or inf"));
}

std::uint64_t parse_count(std::string_view label, std::string_view text) {
  return value_of(text::count_of(text), label, text, "whole number",
                  "write digits only: 1, 64, 65536");
}

std::string human_size(std::uint64_t bytes) {
  static constexpr std::array<std::string_view, 7> names{"B",   "KiB", "MiB", "GiB",
                                                         "TiB", "PiB", "EiB"};
  if (bytes < KiB) return fmt::format("{} B", bytes);
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; value >= 1024 && unit + 1 < names.size(); ++unit) value /= 1024;
  const bool whole = value >= 1024 || value == static_cast<double>(static_cast<unsigned>(value));
  return whole ? fmt::format("{:.0f} {}", value, names[unit])
               : fmt::format("{:.1f} {}", value, names[unit]);
}

std::string human_duration(Timeout duration) {
  if (duration == forever) return "inf";
  return text::human_duration(static_cast<std::uint64_t>(duration.count()));
}

}  // namespace spillring::tools
