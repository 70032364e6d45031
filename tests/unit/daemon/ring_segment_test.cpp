#include "daemon/ring_segment.hpp"

#include <gtest/gtest.h>

namespace spillring::daemon {
namespace {

TEST(RingSegmentTest, WhatAForgedLimitSaidToBeSettledIsForgotten) {
  RingSegment ring("spillring:test", {64, 16384});
  ring.begin(1);
  os::Atomic<std::uint64_t>& limit = ring.view().header().limit;
  limit.store(1'000'000);
  EXPECT_GE(ring.settled(), 1'000'000U);
  limit.store(1);
  EXPECT_EQ(ring.settled(), 1U);
}

}  // namespace
}  // namespace spillring::daemon
