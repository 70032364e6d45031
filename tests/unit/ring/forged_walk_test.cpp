// Walks of a ring whose words were forged end, and say so.
#include "ring/ring_fixture.hpp"

namespace spillring::ring {
namespace {

class ForgedWalkTest : public RingFixture {
 protected:
  ForgedWalkTest() {
    for (int i = 0; i < 10; ++i) send(alice, 128);
  }
  void claim_as(std::uint64_t s, std::uint32_t lap) const {
    ring_.claim(s).word.store(layout::claim_word(lap, alice));
  }
  /// No claim that anybody makes leaves the next slot two laps behind.
  void forge_the_end() const {
    const std::uint64_t end = find_tail(ring_);
    claim_as(end, ring_.lap(end) - 2);
  }
};

TEST_F(ForgedWalkTest, AnEndThatNoClaimLeavesIsCorruptForAll) {
  ASSERT_TRUE(dropped_of(ring_, 0));
  forge_the_end();
  EXPECT_EQ(claim_one().status, ClaimStatus::corrupt);
  EXPECT_EQ(seal(ring_), 0U);
  EXPECT_FALSE(in_use(ring_));
  ring_.header().gone.store(3);
  EXPECT_FALSE(dropped_of(ring_, 2));
  EXPECT_TRUE(dropped_of(ring_, 3)) << "up to what is known nothing is looked at";
}

TEST_F(ForgedWalkTest, ARingIsNotDroppedBehindItsEnd) {
  ring_.header().gone.store(11);
  ASSERT_TRUE(dropped_of(ring_, 0));
  EXPECT_EQ(dropped_of(ring_, 0)->messages, 11U);
  ring_.header().gone.store(12);
  EXPECT_FALSE(dropped_of(ring_, 0));
}

TEST_F(ForgedWalkTest, MoreSkippedThanThereIsIsNothingDropped) {
  ring_.header().gone.store(5);
  ring_.header().skipped.store(2);
  EXPECT_EQ(dropped_of(ring_, 0)->messages, 3U);
  ring_.header().skipped.store(5);
  EXPECT_EQ(dropped_of(ring_, 0)->messages, 0U);
  ring_.header().skipped.store(6);
  EXPECT_EQ(dropped_of(ring_, 0)->messages, 0U);
}

TEST_F(ForgedWalkTest, ALimitThatIsNoneOfWhatIsClaimedGivesNoRoom) {
  ring_.header().limit.store(12'345);
  room_ = {};
  EXPECT_FALSE(refresh(ring_, room_));
  EXPECT_FALSE(in_use(ring_));
  EXPECT_EQ(claim_one(alice, geometry.arena).status, ClaimStatus::corrupt);
}

TEST_F(ForgedWalkTest, WhatIsInUseIsNeverMoreThanTheRing) {
  ASSERT_TRUE(in_use(ring_));
  // The oldest would begin behind the newest's end.
  ring_.claim(limit() - 1).end.store(11 * 128);
  EXPECT_FALSE(in_use(ring_));
  ring_.claim(limit() - 1).end.store(0);
  const auto used = in_use(ring_);
  ASSERT_TRUE(used);
  // An end a few laps on would be more numbers than slots: such a hint is not followed.
  const std::uint64_t far = 5 * geometry.slots + 20;
  claim_as(far - 1, ring_.lap(far - 1));
  claim_as(far, ring_.lap(far) - 1);
  ring_.header().tail.store(far);
  ASSERT_TRUE(in_use(ring_));
  EXPECT_EQ(in_use(ring_)->end, used->end);
}

TEST_F(ForgedWalkTest, WhereEverySlotIsClaimedTheTailIsTheLimit) {
  for (std::uint64_t s = limit(); s < limit() + geometry.slots; ++s) claim_as(s, ring_.lap(s));
  EXPECT_EQ(find_tail(ring_), limit());
}

TEST_F(ForgedWalkTest, LettingGoOfWhatWasNeverRevokedIsCorrupt) {
  const std::uint64_t s = send();
  EXPECT_EQ(let_go(ring_, s), PublishStatus::corrupt) << "it is committed";
  EXPECT_EQ(let_go(ring_, s + 1), PublishStatus::corrupt) << "it was never claimed";
  const std::uint64_t revoked = claim_one().sequence;
  ASSERT_TRUE(revoke(ring_, revoked));
  EXPECT_EQ(let_go(ring_, revoked), PublishStatus::stale);
  EXPECT_EQ(let_go(ring_, revoked), PublishStatus::stale) << "done again, it changes nothing";
}

TEST_F(ForgedWalkTest, AGroupThatDoesNotCountNeedsNothing) {
  add_group(1, 7);
  set_floor(4);
  EXPECT_EQ(needed_from(manifest_, groups_), 4U);
  EXPECT_EQ(needed_from(manifest_, groups_, 0), 7U);
  EXPECT_EQ(needed_from(manifest_, groups_, 1), 4U);
}

}  // namespace
}  // namespace spillring::ring
