#include "ring/reclaim.hpp"

#include <gtest/gtest.h>

#include "ring/ring_fixture.hpp"

namespace spillring::ring {
namespace {

using ReclaimTest = RingFixture;

TEST_F(ReclaimTest, StopsAtTheSlowestGroup) {
  add_group(1, 1);
  for (int i = 0; i < 20; ++i) send();
  set_floor(15);
  set_floor(5, 1);
  reclaim_all();
  EXPECT_EQ(limit(), 5U);
}

TEST_F(ReclaimTest, AJoiningGroupCounts) {
  for (int i = 0; i < 20; ++i) send();
  set_floor(15);
  add_group(1, 3);
  manifest_.groups[1].word.store(layout::entry_word(layout::Presence::joining, 0, 1));
  reclaim_all();
  EXPECT_EQ(limit(), 3U);
}

TEST_F(ReclaimTest, BaseKeepsWhatNoGroupKeeps) {
  for (int i = 0; i < 20; ++i) send();
  manifest_.groups[0].word.store(0);
  manifest_.base.store(7);
  reclaim_all();
  EXPECT_EQ(limit(), 7U);
  manifest_.base.store(layout::no_sequence);
  reclaim_all();
  EXPECT_EQ(limit(), 21U) << "nobody needs anything: all that is published may go";
}

TEST_F(ReclaimTest, AHoldProtectsWhatTheFloorHasPassed) {
  for (int i = 0; i < 20; ++i) send();
  groups_.holds[3].sequence.store(6);
  set_floor(20);
  reclaim_all();
  EXPECT_EQ(limit(), 6U);
  EXPECT_GT(ring_.header().gone.load(), 6U) << "no new reader may start there";
  EXPECT_FALSE(still_here(ring_, 6));
  groups_.holds[3].sequence.store(layout::no_sequence);
  reclaim_all();
  EXPECT_EQ(limit(), 20U);
}

TEST_F(ReclaimTest, AHoldMeantForAnOlderRingIsIgnored) {
  begin(1000);
  room_ = {};
  for (int i = 0; i < 20; ++i) send();
  groups_.holds[3].sequence.store(999);
  set_floor(1010);
  reclaim_all();
  EXPECT_EQ(limit(), 1010U);
}

TEST_F(ReclaimTest, AClaimedSequenceIsNeverPassed) {
  send();
  claim_one();
  send();
  set_floor(1000);  // a floor that lies
  reclaim_all();
  EXPECT_EQ(limit(), 2U);
}

TEST_F(ReclaimTest, TakesAnEighthAtATime) {
  for (int i = 0; i < 60; ++i) send();
  set_floor(61);
  ASSERT_TRUE(reclaim_once());
  EXPECT_EQ(limit(), 1 + geometry.slots / 8);
}

TEST_F(ReclaimTest, WithNobodyToKeepAnythingOnlyWhatIsPublishedGoes) {
  manifest_.groups[0].word.store(0);
  for (int i = 0; i < 4; ++i) send();
  claim_one();
  reclaim_all();
  EXPECT_EQ(limit(), 5U);
}

TEST_F(ReclaimTest, StartCountsLikeAFloor) {
  for (int i = 0; i < 20; ++i) send();
  manifest_.groups[0].start.store(12);
  reclaim_all();
  EXPECT_EQ(limit(), 12U);
}

TEST_F(ReclaimTest, ARingGoesOnBehindWhatWasClaimedInIt) {
  EXPECT_FALSE(goes_on_at(ring_, 1)) << "nothing is known of what lies before";
  EXPECT_FALSE(goes_on_at(ring_, 2));
  const std::uint64_t first = send();
  EXPECT_TRUE(goes_on_at(ring_, first + 1));
  const std::uint64_t second = claim_one().sequence;
  EXPECT_FALSE(goes_on_at(ring_, second + 1)) << "it is not there yet";
  EXPECT_EQ(abort(ring_, second), PublishStatus::ok);
  EXPECT_TRUE(goes_on_at(ring_, second + 1));
  const std::uint64_t end = seal(ring_);
  EXPECT_TRUE(goes_on_at(ring_, end)) << "the seal itself is the ring's";
  EXPECT_FALSE(goes_on_at(ring_, end + 1));
}

}  // namespace
}  // namespace spillring::ring
