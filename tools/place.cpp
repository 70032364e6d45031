#include "place.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "failure.hpp"
#include "moment.hpp"
#include "text/quantity.hpp"

namespace spillring::tools {

Start place_of(const std::string& label, const std::string& text) {
  if (text == "earliest") return Start::earliest();
  if (text == "latest") return Start::latest();
  const text::Quantity sequence = text::count_of(text);
  if (sequence.problem.empty()) return Start::at(sequence.value);
  if (const auto moment = moment_of(text)) return Start::at_time(*moment);
  const text::Quantity ago = text::duration_of(text);
  if (ago.problem.empty()) {
    const std::uint64_t present = now();
    return Start::at_time(present - std::min(ago.value, present));
  }
  throw usage_failure(fmt::format("{} '{}' is no place in a queue", label, text),
                      "it is neither a word, a sequence, a moment nor how long ago",
                      "write earliest, latest, 1042, 2026-11-23T10:00:00Z or 10m");
}

}  // namespace spillring::tools
