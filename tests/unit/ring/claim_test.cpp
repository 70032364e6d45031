#include "ring/claim.hpp"

#include <gtest/gtest.h>

#include "ring/ring_fixture.hpp"

namespace spillring::ring {
namespace {

using ClaimTest = RingFixture;

TEST_F(ClaimTest, SequencesAndExtentsFollowOneAnother) {
  const Claim first = claim_one(alice, 128);
  const Claim second = claim_one(bob, 64);
  const Claim third = claim_one(alice, 0);
  EXPECT_EQ(first.sequence, 1U);
  EXPECT_EQ(second.sequence, 2U);
  EXPECT_EQ(second.start, first.start + 128);
  EXPECT_EQ(third.start, second.start + 64);
}

TEST_F(ClaimTest, NothingIsSeenBeforePublish) {
  const Claim claimed = claim_one();
  EXPECT_EQ(look(ring_, claimed.sequence), Seen::nothing);
  EXPECT_TRUE(is_claimed(ring_, claimed.sequence));
  EXPECT_EQ(publish(ring_, claimed.sequence), PublishStatus::ok);
  EXPECT_EQ(look(ring_, claimed.sequence), Seen::committed);
  EXPECT_FALSE(is_claimed(ring_, claimed.sequence));
}

TEST_F(ClaimTest, TwoSlotsAreKeptFree) {
  for (std::uint64_t i = 0; i < geometry.slots - 2; ++i) send();
  const Claim refused = claim_one();
  EXPECT_EQ(refused.status, ClaimStatus::no_slots);
  EXPECT_EQ(refused.sequence, geometry.slots - 1);
}

TEST_F(ClaimTest, TheArenaIsUsedToTheLastByteAndNoFurther) {
  for (int i = 0; i < 4; ++i) send(alice, geometry.arena / 4);
  EXPECT_EQ(claim_one(alice, 64).status, ClaimStatus::no_bytes);
  EXPECT_EQ(claim_one(alice, 0).status, ClaimStatus::claimed);
}

TEST_F(ClaimTest, AHintThatLiesCostsOnlyTime) {
  for (int i = 0; i < 10; ++i) send();
  for (const std::uint64_t lie : {std::uint64_t{0}, std::uint64_t{5}, std::uint64_t{11},
                                  std::uint64_t{40}, std::uint64_t{1000}, UINT64_MAX}) {
    const std::uint64_t expected = find_tail(ring_);
    ring_.header().tail.store(lie);
    EXPECT_EQ(send(), expected) << "hint " << lie;
  }
}

TEST_F(ClaimTest, ManyLapsKeepTheOrder) {
  std::uint64_t expected = 1;
  for (int i = 0; i < 1000; ++i, ++expected) {
    ASSERT_EQ(send(alice, 192), expected);
    set_floor(expected + 1);
    reclaim_all();
  }
}

TEST_F(ClaimTest, LapsMayWrapAround) {
  // The first sequence of a ring may lie anywhere: here the 32-bit laps wrap within a few rounds.
  begin((std::uint64_t{1} << 32) * geometry.slots - 3 * geometry.slots);
  room_ = {};
  std::uint64_t expected = ring_.first();
  for (int i = 0; i < 1000; ++i, ++expected) {
    ASSERT_EQ(send(), expected);
    set_floor(expected + 1);
    reclaim_all();
  }
}

TEST_F(ClaimTest, ARevokedLoanIsStaleAndItsBytesStayTheOwners) {
  const Claim stopped = claim_one(alice, 256);
  send(bob);
  ASSERT_TRUE(revoke(ring_, stopped.sequence));
  EXPECT_EQ(look(ring_, stopped.sequence), Seen::skipped);
  set_floor(3);
  reclaim_all();
  EXPECT_EQ(limit(), stopped.sequence) << "its bytes must not be given to anybody";
  EXPECT_EQ(publish(ring_, stopped.sequence), PublishStatus::stale);
  reclaim_all();
  EXPECT_EQ(limit(), 3U) << "now it has let go";
}

TEST_F(ClaimTest, RevokingTooLateChangesNothing) {
  const std::uint64_t s = send();
  EXPECT_FALSE(revoke(ring_, s));
  EXPECT_EQ(look(ring_, s), Seen::committed);
  EXPECT_FALSE(revoke(ring_, s + 1)) << "not claimed yet";
}

TEST_F(ClaimTest, TheClaimsOfTheDeadAreAborted) {
  const Claim dead = claim_one(alice);
  const Claim alive = claim_one(bob);
  const Claim revoked = claim_one(alice);
  revoke(ring_, revoked.sequence);
  EXPECT_EQ(abort_claims_of(ring_, alice), 2U);
  EXPECT_EQ(abort_claims_of(ring_, alice), 0U) << "done again, it changes nothing";
  EXPECT_EQ(look(ring_, dead.sequence), Seen::skipped);
  EXPECT_TRUE(is_claimed(ring_, alive.sequence));
  EXPECT_EQ(publish(ring_, alive.sequence), PublishStatus::ok);
  set_floor(4);
  reclaim_all();
  EXPECT_EQ(limit(), 4U);
}

TEST_F(ClaimTest, AnotherGenerationOfTheSlotIsSomebodyElse) {
  const Claim claimed = claim_one({1, 2});
  EXPECT_EQ(abort_claims_of(ring_, {1, 1}), 0U);
  EXPECT_EQ(publish(ring_, claimed.sequence), PublishStatus::ok);
}

TEST_F(ClaimTest, AFullRingCanStillBeSealed) {
  for (std::uint64_t i = 0; i < geometry.slots - 2; ++i) send();
  const std::uint64_t z = seal(ring_);
  EXPECT_EQ(z, geometry.slots - 1);
  EXPECT_EQ(look(ring_, z), Seen::sealed);
  EXPECT_EQ(seal(ring_), z) << "a seal that is found counts";
  EXPECT_EQ(claim_one().status, ClaimStatus::sealed);
}

TEST_F(ClaimTest, NoClaimSucceedsBehindTheSeal) {
  send();
  const std::uint64_t z = seal(ring_);
  for (const std::uint64_t hint : {std::uint64_t{1}, z, z + 1, z + 40}) {
    ring_.header().tail.store(hint);
    const Claim refused = claim_one();
    EXPECT_EQ(refused.status, ClaimStatus::sealed);
    EXPECT_EQ(refused.sequence, z + 1);
  }
}

TEST_F(ClaimTest, ASealCutShortBeforeItsPublishWordIsFinishedByTheNext) {
  send();
  const std::uint64_t z = find_tail(ring_);
  // What a supervisor leaves that dies between the two steps: C has the seal, P does not.
  ring_.claim(z).word.store(layout::claim_word(ring_.lap(z), layout::seal_owner));
  EXPECT_EQ(claim_one().status, ClaimStatus::sealed);
  EXPECT_EQ(look(ring_, z), Seen::nothing);
  EXPECT_EQ(seal(ring_), z);
  EXPECT_EQ(look(ring_, z), Seen::sealed);
}

TEST_F(ClaimTest, TheNeededLimitIsExact) {
  for (int i = 0; i < 16; ++i) send(alice, geometry.arena / 16);
  Room room;
  const Claim at = probe(ring_, 0, room);
  // Room for two more of these: two of the oldest have to go.
  EXPECT_EQ(limit_needed(ring_, at.sequence, at.start + geometry.arena / 8), 3U);
}

TEST_F(ClaimTest, TheNeededLimitIsExactWhereFewAreClaimedAndMoreIsHopedFor) {
  for (int i = 0; i < 4; ++i) send(alice, geometry.arena / 4);
  Room room;
  const Claim at = probe(ring_, 0, room);
  EXPECT_EQ(limit_needed(ring_, at.sequence + geometry.slots / 4, at.start + geometry.arena / 4),
            2U);
  EXPECT_EQ(limit_needed(ring_, at.sequence + geometry.slots / 4, at.start + geometry.arena), 5U);
}

TEST_F(ClaimTest, AnExtentIsNeverLongerThanTheArenaWhateverTheEndsSay) {
  for (int i = 0; i < 4; ++i) send(alice, geometry.arena / 4);
  // Forged: the oldest start is moved up to the newest end, so that everything seems to be free.
  ring_.claim(limit() - 1).end.store(ring_.claim(4).end.load());
  EXPECT_EQ(claim_one(alice, 2 * geometry.arena).status, ClaimStatus::no_bytes);
}

TEST_F(ClaimTest, TheFurthestClaimIsFoundAsFarAsItIsBelieved) {
  for (int i = 0; i < 10; ++i) send();
  EXPECT_EQ(furthest_claim(ring_, 1, 1000), 10U);
  EXPECT_EQ(furthest_claim(ring_, 10, 1000), 10U) << "all of it is known";
  EXPECT_EQ(furthest_claim(ring_, 1 + geometry.slots, 1000), 1 + geometry.slots);
  const std::uint64_t far = 5 + 7 * geometry.slots;
  ring_.claim(far).word.store(layout::claim_word(ring_.lap(far), alice));
  EXPECT_EQ(furthest_claim(ring_, 1, far - 1), far);
  EXPECT_EQ(furthest_claim(ring_, 1, far - 2), 10U);
}

TEST_F(ClaimTest, ForgedWordsCannotMakeTheRingLookLongerThanItIs) {
  send();
  const std::uint64_t far = std::uint64_t{1} << 62;
  ring_.claim(far - 1).word.store(layout::claim_word(ring_.lap(far - 1), alice));
  ring_.claim(far).word.store(layout::claim_word(ring_.lap(far) - 1, alice));
  ring_.header().tail.store(far);
  const auto used = in_use(ring_);
  EXPECT_TRUE(!used || used->end - used->first <= geometry.slots);
}

TEST_F(ClaimTest, AHintThatIsARoundOfLapsAheadIsInNobodysWay) {
  for (int i = 0; i < 3; ++i) send();
  ring_.header().tail.fetch_xor((std::uint64_t{1} << 32) * geometry.slots);
  const Claim claimed = claim_one();
  EXPECT_EQ(claimed.status, ClaimStatus::claimed);
  EXPECT_EQ(claimed.sequence, 4U);
}

TEST_F(ClaimTest, WhatIsFollowedIsKnownWithoutTheHint) {
  const Claim first = claim_one();
  EXPECT_FALSE(is_followed(ring_, first.sequence));
  send(bob);
  ring_.header().tail.store(first.sequence);  // put back by a slow producer
  EXPECT_TRUE(is_followed(ring_, first.sequence));
}

TEST_F(ClaimTest, InUseAgreesWithWhatWasSent) {
  for (int i = 0; i < 10; ++i) send(alice, 128);
  set_floor(4);
  reclaim_all();
  const auto used = in_use(ring_);
  ASSERT_TRUE(used);
  EXPECT_EQ(used->first, 4U);
  EXPECT_EQ(used->end, 11U);
  EXPECT_EQ(used->high - used->low, 7U * 128);
}

TEST_F(ClaimTest, GarbageEndsInCorruptAndNotInALoop) {
  for (std::uint64_t i = 0; i < geometry.slots; ++i) {
    ring_.claim(i).word.store(0x0123456789ABCDEF * (i + 1));
  }
  ring_.header().limit.store(12345);
  EXPECT_EQ(claim_one().status, ClaimStatus::corrupt);
}

}  // namespace
}  // namespace spillring::ring
