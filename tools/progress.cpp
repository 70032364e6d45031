#include "progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "quantity.hpp"

namespace spillring::tools {
namespace {

constexpr std::size_t bar_width = 20;

bool can_be_rewritten(int stream) {
  const char* const term = std::getenv("TERM");
  return isatty(stream) != 0 && term != nullptr && std::string_view(term) != "dumb";
}

}  // namespace

std::string progress_line(const std::string& verb, std::uint64_t messages, std::uint64_t total,
                          std::uint64_t bytes, double seconds) {
  const double rate = static_cast<double>(messages) / std::max(seconds, 1e-3);
  std::string line = verb;
  if (messages < total) {
    const auto done = static_cast<std::size_t>(messages * bar_width / total);
    line += fmt::format(" [{:#<{}}{:-<{}}]", "", done, "", bar_width - done);
    line += fmt::format(" {} of {} messages ({}%)", messages, total, messages * 100 / total);
  } else {
    line += fmt::format(" {} messages", messages);
  }
  line += fmt::format(", {}, {:.0f}/s", human_size(bytes), rate);
  if (messages < total && rate > 0) {
    const auto left = static_cast<std::int64_t>(static_cast<double>(total - messages) / rate) + 1;
    line += fmt::format(", {} left", human_duration(std::chrono::seconds(left)));
  }
  return line;
}

Progress::Progress(const Settings& settings, std::string verb, std::uint64_t total)
    : visible_(!settings.quiet && can_be_rewritten(STDERR_FILENO)),
      verb_(std::move(verb)),
      total_(total) {}

Progress::~Progress() {
  if (shown_) fmt::print(stderr, "\r\x1b[K");
}

void Progress::show(std::uint64_t messages, std::uint64_t bytes) {
  const Clock::time_point now = Clock::now();
  if (!visible_ || now < next_) return;
  next_ = now + pause;
  shown_ = true;
  const double seconds = std::chrono::duration<double>(now - start_).count();
  fmt::print(stderr, "\r{}\x1b[K", progress_line(verb_, messages, total_, bytes, seconds));
}

}  // namespace spillring::tools
