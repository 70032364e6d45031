#include "quantity.hpp"

#include <fmt/format.h>

#include <array>
#include <limits>
#include <optional>
#include <span>

#include "failure.hpp"

namespace spillring::tools {
namespace {

/// Holds any 64-bit number times any unit.
__extension__ using Wide = unsigned __int128;

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

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
};

constexpr std::array count_units{Unit{"", 1}};

/// What is being read, in the words of a failure.
struct Kind {
  std::string_view name;
  std::string_view hint;
  std::span<const Unit> units;
  std::uint64_t most;
};

[[noreturn]] void refuse(const Kind& kind, std::string_view label, std::string_view text,
                         const std::string& why) {
  throw usage_failure(fmt::format("{} '{}' is not a {}", label, text, kind.name), why,
                      std::string(kind.hint));
}

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

std::uint64_t parse(const Kind& kind, std::string_view label, std::string_view text) {
  const auto scanned = scan(text);
  if (!scanned) refuse(kind, label, text, "it does not begin with a number");
  if (scanned->number.overflow) refuse(kind, label, text, "the number is too large");
  const auto factor = factor_of(kind.units, scanned->unit);
  if (!factor) refuse(kind, label, text, fmt::format("the unit '{}' is unknown", scanned->unit));
  const Wide scaled = scanned->number.digits * *factor;
  if (scaled % scanned->number.scale != 0) refuse(kind, label, text, "it is not a whole number");
  const Wide value = scaled / scanned->number.scale;
  if (value > kind.most) refuse(kind, label, text, "the number is too large");
  return static_cast<std::uint64_t>(value);
}

}  // namespace

std::uint64_t parse_size(std::string_view label, std::string_view text) {
  static constexpr Kind kind{"size", "write a number and a unit: 64KiB, 256MiB, 2GiB", size_units,
                             std::numeric_limits<std::uint64_t>::max()};
  return parse(kind, label, text);
}

Timeout parse_duration(std::string_view label, std::string_view text) {
  static constexpr Kind kind{"duration", "write a number and a unit: 500ms, 5s, 2m, or inf",
                             duration_units,
                             static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())};
  if (text == "inf") return forever;
  return Timeout(static_cast<std::int64_t>(parse(kind, label, text)));
}

std::uint64_t parse_count(std::string_view label, std::string_view text) {
  static constexpr Kind kind{"whole number", "write digits only: 1, 64, 65536", count_units,
                             std::numeric_limits<std::uint64_t>::max()};
  return parse(kind, label, text);
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
  const auto count = static_cast<std::uint64_t>(duration.count());
  if (count == 0) return "0";
  for (const std::string_view name : {"h", "m", "s", "ms", "us"}) {
    const std::uint64_t factor = *factor_of(duration_units, name);
    if (count % factor == 0) return fmt::format("{}{}", count / factor, name);
  }
  return fmt::format("{}ns", count);
}

}  // namespace spillring::tools
