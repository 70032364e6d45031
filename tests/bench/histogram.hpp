// Counts of durations, in classes that are 1/128 of their value wide.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

namespace spillring::bench {

/// Plain words, so that it can lie in shared memory and be filled by any language.
struct Histogram {
  static constexpr unsigned fine = 7;  // bits of a value that are kept
  static constexpr std::size_t classes = (40 - fine) << fine;

  std::array<std::uint64_t, classes> counts{};

  /// Values below 256 are exact; those of 2^39 and more share the last class.
  static std::size_t class_of(std::uint64_t value) {
    if (value < (2U << fine)) return value;
    const auto coarse = static_cast<unsigned>(std::bit_width(value)) - fine - 1;
    return std::min<std::size_t>((std::size_t{coarse} << fine) + (value >> coarse), classes - 1);
  }
  /// The smallest value of a class.
  static std::uint64_t value_of(std::size_t index) {
    if (index < (2U << fine)) return index;
    const std::size_t coarse = (index >> fine) - 1;
    return (index - (coarse << fine)) << coarse;
  }

  void add(std::uint64_t value) { ++counts[class_of(value)]; }
  void add(const Histogram& other) {
    for (std::size_t i = 0; i < classes; ++i) counts[i] += other.counts[i];
  }
  [[nodiscard]] std::uint64_t total() const {
    std::uint64_t sum = 0;
    for (const std::uint64_t count : counts) sum += count;
    return sum;
  }
  [[nodiscard]] double quantile(double q) const {
    const auto before = static_cast<std::uint64_t>(q * static_cast<double>(total() - 1));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < classes; ++i) {
      seen += counts[i];
      if (seen > before) return static_cast<double>(value_of(i));
    }
    return 0;
  }
};

}  // namespace spillring::bench
