#include "tests/bench/histogram.hpp"

#include <gtest/gtest.h>

namespace spillring::bench {
namespace {

TEST(Histogram, EachClassBeginsWhereTheOneBeforeEnds) {
  for (std::size_t i = 1; i < Histogram::classes; ++i) {
    EXPECT_EQ(Histogram::class_of(Histogram::value_of(i)), i);
    EXPECT_EQ(Histogram::class_of(Histogram::value_of(i) - 1), i - 1);
  }
}

TEST(Histogram, AClassIsNoWiderThanA128thOfItsValue) {
  for (std::uint64_t value = 1; value < std::uint64_t{1} << 39; value = value * 5 / 4 + 1) {
    const std::uint64_t stands_for = Histogram::value_of(Histogram::class_of(value));
    EXPECT_LE(stands_for, value);
    EXPECT_LE(value - stands_for, value / 128);
  }
}

TEST(Histogram, ValuesTooLargeShareTheLastClass) {
  EXPECT_EQ(Histogram::class_of(~std::uint64_t{0}), Histogram::classes - 1);
}

TEST(Histogram, QuantilesAreTheValuesThatSoManyAreBelow) {
  Histogram histogram;
  for (std::uint64_t value = 1; value <= 100; ++value) histogram.add(value);
  EXPECT_EQ(histogram.quantile(0.5), 50);
  EXPECT_EQ(histogram.quantile(0.99), 99);
  EXPECT_EQ(histogram.quantile(1), 100);
}

}  // namespace
}  // namespace spillring::bench
