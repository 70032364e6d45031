#include "client/live_set.hpp"

#include <gtest/gtest.h>

namespace spillring::client {
namespace {

TEST(LiveSet, TheOldestIsTheFirstThatHasNotEnded) {
  LiveSet live;
  for (const std::uint64_t s : {3, 4, 5, 7}) live.add(s);
  EXPECT_EQ(live.oldest(), 3U);
  live.end(4);
  EXPECT_EQ(live.oldest(), 3U);
  live.end(3);
  EXPECT_EQ(live.oldest(), 5U);
  EXPECT_EQ(live.oldest_in_ring(6), 7U);
  live.end(5);
  live.end(7);
  EXPECT_EQ(live.oldest(), layout::no_sequence);
}

TEST(LiveSet, WhatIsHandedOutAgainTakesItsPlaceInTheOrder) {
  LiveSet live;
  live.add(10);
  live.add(2);
  live.add(5);
  EXPECT_EQ(live.oldest(), 2U);
  live.end(2);
  EXPECT_EQ(live.oldest(), 5U);
}

TEST(LiveSet, TwoViewsOfOneSequenceBothCount) {
  LiveSet live;
  live.add(7);
  live.add(7);
  live.end(7);
  EXPECT_EQ(live.oldest(), 7U) << "the other one is still being looked at";
  live.end(7);
  EXPECT_EQ(live.oldest(), layout::no_sequence);
}

TEST(LiveSet, WhatLiesApartNeedsNoHold) {
  LiveSet live;
  live.add(3, LiveSet::Where::apart);
  live.add(5);
  EXPECT_EQ(live.oldest(), 3U);
  EXPECT_EQ(live.oldest_in_ring(), 5U);
  live.end(5);
  EXPECT_EQ(live.oldest_in_ring(), layout::no_sequence);
  live.end(3, LiveSet::Where::apart);
  EXPECT_EQ(live.oldest(), layout::no_sequence);
}

TEST(LiveSet, EndingWhatIsNotThereChangesNothing) {
  LiveSet live;
  live.add(7);
  live.end(6);
  live.end(8);
  EXPECT_EQ(live.oldest(), 7U);
}

}  // namespace
}  // namespace spillring::client
