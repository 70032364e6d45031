#include "rate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>
#include <thread>

#include "arguments.hpp"
#include "interruption.hpp"

namespace spillring::tools {
namespace {

// A signal that comes just before a sleep is noticed after it.
constexpr std::chrono::milliseconds longest_sleep{50};

constexpr double slowest = 1e-6;
constexpr double fastest = 1e9;

/// "500", "10k/s", "1.5M", "0.1/s".
std::optional<double> rate_of(std::string_view text) {
  if (text.ends_with("/s")) text.remove_suffix(2);
  double factor = 1;
  if (text.ends_with('k')) factor = 1e3;
  if (text.ends_with('M')) factor = 1e6;
  if (factor != 1) text.remove_suffix(1);
  if (text.empty() || text.find_first_not_of("0123456789.") != std::string_view::npos) {
    return std::nullopt;
  }
  double rate = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), rate);
  const bool whole = error == std::errc{} && rest == text.data() + text.size();
  rate *= factor;
  return whole && rate >= slowest && rate <= fastest ? std::optional(rate) : std::nullopt;
}

}  // namespace

void Rate::add_option(CLI::App& app) {
  add_value(app, "--rate", "RATE", "so many messages a second: 500, 10k/s, 0.5 (as many as can be)",
            [this](const std::string& label, const std::string& value) { set(label, value); });
}

void Rate::set(const std::string& label, const std::string& value) {
  const auto rate = rate_of(value);
  if (!rate) {
    throw usage_failure(fmt::format("{} '{}' is not a rate", label, value),
                        "it is a number of messages a second, at most 1000M",
                        "write 500, 10k/s or 0.5");
  }
  per_second_ = *rate;
}

/// Counted from the first, so that what one is late by is made up for.
void Rate::wait() {
  if (per_second_ == 0) return;
  if (gone_ == 0) start_ = Clock::now();
  const double seconds = static_cast<double>(gone_++) / per_second_;
  const auto due =
      start_ + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  for (auto now = Clock::now(); now < due; now = Clock::now()) {
    leave_if_interrupted();
    std::this_thread::sleep_for(std::min<Clock::duration>(due - now, longest_sleep));
  }
}

}  // namespace spillring::tools
