#include "moment.hpp"

#include <fmt/format.h>

#include <ctime>

namespace spillring::tools {
namespace {

constexpr std::uint64_t second = 1'000'000'000;

}  // namespace

std::string iso_time(std::uint64_t timestamp_ns) {
  const auto whole = static_cast<std::time_t>(timestamp_ns / second);
  std::tm parts{};
  gmtime_r(&whole, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:09}Z", parts.tm_year + 1900,
                     parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                     timestamp_ns % second);
}

}  // namespace spillring::tools
