// Dropping the oldest in a ring: what goes, what stays, and what is counted.
#include <gtest/gtest.h>

#include "ring/ring_fixture.hpp"

namespace spillring::ring {
namespace {

class DropTest : public RingFixture {
 protected:
  DropTest() { manifest_.full = 3; }

  bool drop(std::uint64_t length = 64) { return drop_oldest(ring_, manifest_, groups_, length); }
  /// Until no slot is left.
  void fill() {
    while (claim_one().status == ClaimStatus::claimed) publish(ring_, tail() - 1);
  }
  [[nodiscard]] std::uint64_t tail() const { return find_tail(ring_); }
  [[nodiscard]] std::uint64_t gone() const { return ring_.header().gone.load(); }
  [[nodiscard]] std::uint64_t skipped() const { return ring_.header().skipped.load(); }
};

TEST_F(DropTest, MakesRoomWhereNobodyHasRead) {
  fill();
  EXPECT_FALSE(reclaim_once()) << "a group needs all of it";
  EXPECT_TRUE(drop());
  EXPECT_EQ(gone(), limit());
  EXPECT_GE(gone(), 2U);
  EXPECT_LE(gone(), 1 + ring_.slots() / 8 + 1) << "no more than what is needed and an eighth";
  EXPECT_EQ(claim_one().status, ClaimStatus::claimed);
}

TEST_F(DropTest, DropsNothingWhereThereIsRoom) {
  for (int i = 0; i < 20; ++i) send();
  EXPECT_TRUE(drop());
  EXPECT_EQ(gone(), 1U);
}

TEST_F(DropTest, WhatIsHeldIsNotDropped) {
  fill();
  groups_.holds[3].sequence.store(1);
  EXPECT_FALSE(drop());
  EXPECT_EQ(gone(), 1U) << "dropping behind the hold would gain nothing";
  groups_.holds[3].sequence.store(3);
  EXPECT_TRUE(drop());
  EXPECT_EQ(gone(), 3U);
}

TEST_F(DropTest, AClaimInTheWayIsNotPassedNorARevokedOne) {
  claim_one(bob);
  fill();
  EXPECT_FALSE(drop());
  ASSERT_TRUE(revoke(ring_, 1));
  EXPECT_FALSE(drop());
  EXPECT_EQ(publish(ring_, 1), PublishStatus::stale);
  EXPECT_TRUE(drop());
}

TEST_F(DropTest, NumbersWithoutAMessageAreCounted) {
  for (int i = 0; i < 3; ++i) abort(ring_, claim_one().sequence);
  fill();
  EXPECT_TRUE(drop());
  EXPECT_GE(gone(), 4U);
  EXPECT_EQ(skipped(), 3U);
  const Dropped dropped = dropped_of(ring_);
  EXPECT_EQ(dropped.messages, gone() - 3);
}

TEST_F(DropTest, SoTheyAreWhereEveryGroupHasFinished) {
  for (int i = 0; i < 3; ++i) abort(ring_, claim_one().sequence);
  for (int i = 0; i < 10; ++i) send();
  set_floor(10);
  reclaim_all();
  EXPECT_EQ(gone(), 10U);
  EXPECT_EQ(skipped(), 3U);
}

TEST_F(DropTest, WhatCanNeverFitDropsNothing) {
  fill();
  EXPECT_FALSE(drop(ring_.arena()));
  EXPECT_EQ(gone(), 1U);
}

}  // namespace
}  // namespace spillring::ring
