#include "pace.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <thread>

#include "arguments.hpp"
#include "interruption.hpp"

namespace spillring::tools {
namespace {

// A signal that comes just before a sleep is noticed after it.
constexpr std::chrono::milliseconds longest_sleep{50};

// Further ahead no clock has to reach.
constexpr double longest_gap_ns = 1e18;

constexpr double slowest = 1e-6;
constexpr double fastest = 1e6;

/// "0.5x", "1x", "10x".
std::optional<double> factor_of(std::string_view text) {
  if (!text.ends_with('x')) return std::nullopt;
  text.remove_suffix(1);
  if (text.empty() || text.find_first_not_of("0123456789.") != std::string_view::npos) {
    return std::nullopt;
  }
  double factor = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), factor);
  const bool whole = error == std::errc{} && rest == text.data() + text.size();
  return whole && factor >= slowest && factor <= fastest ? std::optional(factor) : std::nullopt;
}

}  // namespace

void Pace::add_option(CLI::App& app) {
  add_value(
      app, "--speed", "max|FACTORx",
      "the gaps between messages: none, or as they were sent, 1x, or\nfaster or slower: 10x, 0.5x "
      "(max)",
      [this](const std::string& label, const std::string& value) { set(label, value); });
}

void Pace::set(const std::string& label, const std::string& value) {
  if (value == "max") {
    factor_ = 0;
    return;
  }
  const auto factor = factor_of(value);
  if (!factor) {
    throw usage_failure(fmt::format("{} '{}' is not a speed", label, value),
                        "it is max, or a factor between 0.000001x and 1000000x",
                        "write max, 1x, 0.5x or 10x");
  }
  factor_ = *factor;
}

/// Counted from the first message, so that what one is late by is no delay of all that follow.
Pace::Clock::time_point Pace::due(std::uint64_t timestamp_ns) const {
  if (timestamp_ns <= first_) return start_;
  const double wait = static_cast<double>(timestamp_ns - first_) / factor_;
  return start_ +
         std::chrono::nanoseconds(static_cast<std::int64_t>(std::min(wait, longest_gap_ns)));
}

void Pace::wait_for(std::uint64_t timestamp_ns) {
  if (!keeps_time()) return;
  if (!begun_) {
    begun_ = true;
    first_ = timestamp_ns;
    start_ = Clock::now();
  }
  const Clock::time_point due = this->due(timestamp_ns);
  for (auto now = Clock::now(); now < due; now = Clock::now()) {
    leave_if_interrupted();
    std::this_thread::sleep_for(std::min<Clock::duration>(due - now, longest_sleep));
  }
}

}  // namespace spillring::tools
