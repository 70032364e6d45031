#include "text/quantity.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <span>

namespace spillring::text {
namespace {

/// Holds any 64-bit number times any unit.
__extension__ using Wide = unsigned __int128;

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

constexpr std::uint64_t KiB = 1024;
constexpr std::uint64_t MiB = 1024 * KiB;
constexpr std::uint64_t GiB = 1024 * MiB;
constexpr std::uint64_t TiB = 1024 * GiB;

constexpr std::array size_units{
    Unit{"", 1},
    Unit{"B", 1},
    Unit{"K", KiB},
    Unit{"KiB", KiB},
    Unit{"M", MiB},
    Unit{"MiB", MiB},
    Unit{"G", GiB},
    Unit{"GiB", GiB},
    Unit{"T", TiB},
    Unit{"TiB", TiB},
    Unit{"kB", 1000},
    Unit{"KB", 1000},
    Unit{"MB", 1000'000},
    Unit{"GB", 1000'000'000},
    Unit{"TB", 1000'000'000'000},
};

constexpr std::array duration_units{
    Unit{"", 1000'000'000},
    Unit{"ns", 1},
    Unit{"us", 1000},
    Unit{"ms", 1000'000},
    Unit{"s", 1000'000'000},
    Unit{"m", 60 * 1000'000'000ULL},
    Unit{"h", 3600 * 1000'000'000ULL},
    Unit{"d", 24 * 3600 * 1000'000'000ULL},
};

constexpr std::array count_units{Unit{"", 1}};

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Digits with at most one point. The fraction is kept exactly, as digits over a power of ten.
struct Number {
  Wide digits = 0;
  Wide scale = 1;
  bool overflow = false;

  void append(char c, bool fraction) {
    digits = digits * 10 + static_cast<unsigned>(c - '0');
    if (fraction) scale *= 10;
    // Beyond this neither the value nor its product with a unit can be held.
    constexpr std::uint64_t most_scale = 1'000'000'000'000'000'000;
    if (digits > std::numeric_limits<std::uint64_t>::max() || scale > most_scale) overflow = true;
  }
};

struct Scanned {
  Number number;
  std::string_view unit;
};

/// Splits "1.5GiB" into number and unit; nothing where it does not begin with a number.
std::optional<Scanned> scan(std::string_view text) {
  Scanned result;
  std::size_t at = 0;
  bool fraction = false;
  for (; at < text.size() && !result.number.overflow; ++at) {
    if (text[at] == '.' && !fraction && at > 0) {
      fraction = true;
    } else if (is_digit(text[at])) {
      result.number.append(text[at], fraction);
    } else {
      break;
    }
  }
  if (at == 0 || text[at - 1] == '.') return std::nullopt;
  result.unit = text.substr(at);
  if (result.unit.starts_with(' ')) result.unit.remove_prefix(1);
  return result;
}

std::optional<std::uint64_t> factor_of(std::span<const Unit> units, std::string_view name) {
  for (const Unit& unit : units) {
    if (unit.name == name) return unit.factor;
  }
  return std::nullopt;
}

Quantity refused(std::string problem) { return {0, std::move(problem)}; }

Quantity parse(std::span<const Unit> units, std::uint64_t most, std::string_view text) {
  const auto scanned = scan(text);
  if (!scanned) return refused("it does not begin with a number");
  if (scanned->number.overflow) return refused("the number is too large");
  const auto factor = factor_of(units, scanned->unit);
  if (!factor) return refused(fmt::format("the unit '{}' is unknown", scanned->unit));
  const Wide scaled = scanned->number.digits * *factor;
  if (scaled % scanned->number.scale != 0) return refused("it is not a whole number");
  const Wide value = scaled / scanned->number.scale;
  if (value > most) return refused("the number is too large");
  return {static_cast<std::uint64_t>(value), {}};
}

}  // namespace

Quantity size_of(std::string_view text) {
  return parse(size_units, std::numeric_limits<std::uint64_t>::max(), text);
}

Quantity duration_of(std::string_view text) {
  return parse(duration_units, std::numeric_limits<std::int64_t>::max(), text);
}

Quantity count_of(std::string_view text) {
  return parse(count_units, std::numeric_limits<std::uint64_t>::max(), text);
}

Retention retention_of(std::string_view text) {
  Retention result;
  const auto refuse = [&](std::string_view part, std::string_view why) {
    result.problem = fmt::format("'{}' {}", part, why);
    return result;
  };
  for (;;) {
    const std::size_t comma = std::min(text.find(','), text.size());
    const std::string_view part = text.substr(0, comma);
    const Quantity age = duration_of(part);
    const Quantity size = size_of(part);
    const bool is_age = age.problem.empty();
    if (is_age == size.problem.empty()) {
      return refuse(part, is_age ? "could be seconds or bytes" : "is neither an age nor a size");
    }
    std::uint64_t& target = is_age ? result.nanoseconds : result.bytes;
    if (target != 0) return refuse(part, is_age ? "is a second age" : "is a second size");
    target = is_age ? age.value : size.value;
    if (target == 0) return refuse(part, "keeps nothing");
    if (comma == text.size()) return result;
    text.remove_prefix(comma + 1);
  }
}

Quantity sync_of(std::string_view text) {
  if (text == "each") return {};
  if (text == "never") return {never_synced, {}};
  constexpr std::uint64_t millisecond = 1'000'000;
  Quantity interval = duration_of(text);
  if (!interval.problem.empty()) return {0, "it is not each, never, or a duration"};
  if (interval.value < millisecond) return {0, "an interval has at least 1 ms"};
  return interval;
}

std::string human_sync(std::uint64_t nanoseconds) {
  if (nanoseconds == never_synced) return "never";
  return nanoseconds == 0 ? "each" : human_duration(nanoseconds);
}

std::string human_retention(std::uint64_t nanoseconds, std::uint64_t bytes) {
  if (nanoseconds == 0 && bytes == 0) return "none";
  std::string text = nanoseconds != 0 ? human_duration(nanoseconds) : "";
  if (bytes == 0) return text;
  if (!text.empty()) text += ',';
  for (const std::string_view name : {"TiB", "GiB", "MiB", "KiB"}) {
    const std::uint64_t factor = *factor_of(size_units, name);
    if (bytes % factor == 0) return text + fmt::format("{}{}", bytes / factor, name);
  }
  return text + fmt::format("{}B", bytes);
}

std::string human_duration(std::uint64_t nanoseconds) {
  if (nanoseconds == 0) return "0";
  for (const std::string_view name : {"d", "h", "m", "s", "ms", "us"}) {
    const std::uint64_t factor = *factor_of(duration_units, name);
    if (nanoseconds % factor == 0) return fmt::format("{}{}", nanoseconds / factor, name);
  }
  return fmt::format("{}ns", nanoseconds);
}

}  // namespace spillring::text
