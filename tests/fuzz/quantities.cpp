// Sizes, durations, counts, retention, moments: as people write them.
#include <fmt/format.h>

#include <limits>

#include "target.hpp"
#include "text/quantity.hpp"
#include "tools/moment.hpp"

namespace spillring::fuzz {
namespace {

void require_again(const text::Quantity& read, const text::Quantity& again) {
  require(again.problem.empty() && again.value == read.value, "a quantity is read as it is shown");
}

void read_sizes(const std::string& text) {
  if (const text::Quantity size = text::size_of(text); size.problem.empty()) {
    require_again(size, text::size_of(fmt::format("{}B", size.value)));
  }
  if (const text::Quantity count = text::count_of(text); count.problem.empty()) {
    require_again(count, text::count_of(std::to_string(count.value)));
  }
}

void read_times(const std::string& text) {
  if (const text::Quantity time = text::duration_of(text); time.problem.empty()) {
    require(time.value <= std::numeric_limits<std::int64_t>::max(), "a duration has 63 bits");
    require_again(time, text::duration_of(text::human_duration(time.value)));
  }
  if (const text::Quantity sync = text::sync_of(text); sync.problem.empty()) {
    require_again(sync, text::sync_of(text::human_sync(sync.value)));
  }
  if (const auto moment = tools::moment_of(text)) {
    require(tools::moment_of(tools::iso_time(*moment)) == moment,
            "a moment is read as it is shown");
  }
}

void read_retention(const std::string& text) {
  const text::Retention read = text::retention_of(text);
  if (!read.problem.empty()) return;
  require(read.nanoseconds != 0 || read.bytes != 0, "retention keeps something");
  const text::Retention again =
      text::retention_of(text::human_retention(read.nanoseconds, read.bytes));
  require(
      again.problem.empty() && again.nanoseconds == read.nanoseconds && again.bytes == read.bytes,
      "retention is read as it is shown");
}

}  // namespace

void quantities(Bytes input) {
  Input in(input);
  const auto any = in.number<std::uint64_t>();
  const auto moment = tools::moment_of(tools::iso_time(any));
  require(!moment || *moment == any, "a moment that is shown is read as it was, or not");
  const std::string text = text_of(in.rest());
  read_sizes(text);
  read_times(text);
  read_retention(text);
}

}  // namespace spillring::fuzz
