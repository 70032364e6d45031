#include "client/expiry.hpp"

#include <gtest/gtest.h>

#include "os/clock.hpp"

namespace spillring::client {
namespace {

constexpr std::uint64_t boot = 7;
constexpr std::uint64_t hour = 3'600'000'000'000;

TEST(Expiry, WithinABootTheMonotonicClockDecides) {
  const std::uint64_t long_ago = os::wall_clock() - 10 * hour;
  EXPECT_FALSE(is_over({os::after(os::now(), hour), boot, hour}, long_ago, boot));
  EXPECT_TRUE(is_over({os::tick(), boot, hour}, os::wall_clock(), boot));
  EXPECT_FALSE(is_over({os::never, boot, hour}, long_ago, boot));
}

TEST(Expiry, AfterAnotherBootTheWallClockDoes) {
  const std::uint64_t now = os::wall_clock();
  EXPECT_FALSE(is_over({0, boot + 1, 2 * hour}, now - hour, boot));
  EXPECT_TRUE(is_over({os::never, boot + 1, 2 * hour}, now - 2 * hour, boot));
  EXPECT_FALSE(is_over({0, boot + 1, hour}, now + 10 * hour, boot)) << "the clock was set back";
  EXPECT_FALSE(is_over({0, boot + 1, UINT64_MAX}, 0, boot));
}

TEST(Expiry, WhatHasNoneIsNeverOver) {
  layout::Descriptor descriptor{};
  EXPECT_FALSE(is_over(descriptor, boot));
  EXPECT_EQ(ttl_of(descriptor), no_wait);
  descriptor.flags = layout::payload_inline;
  EXPECT_FALSE(is_over(descriptor, boot));
  descriptor.flags = layout::expires;
  descriptor.expiry = {0, boot, hour};
  EXPECT_TRUE(is_over(descriptor, boot));
  EXPECT_EQ(ttl_of(descriptor), Timeout(hour));
}

}  // namespace
}  // namespace spillring::client
