#include "group/shared_group.hpp"

#include <gtest/gtest.h>

#include <array>

namespace spillring::group {
namespace {

constexpr layout::Owner alice{1, 1};
constexpr layout::Owner bob{2, 7};

class SharedGroupTest : public ::testing::Test {
 protected:
  static constexpr std::uint64_t window = 8;

  SharedGroupTest() { begin(1); }
  void begin(std::uint64_t start) {
    group_ = SharedGroup(entry_, cursor_, words_.data(), window);
    cursor_.floor.store(start);
    group_.initialise(start);
  }
  void take_and_finish(std::uint64_t s) { ASSERT_TRUE(group_.finish(s, *group_.claim(s, alice))); }

  layout::GroupEntry entry_{};
  layout::GroupCursor cursor_{};
  std::array<layout::Word, window> words_{};
  SharedGroup group_;
};

using Standing = SharedGroup::Standing;

TEST_F(SharedGroupTest, AMessageGoesToOneMember) {
  ASSERT_TRUE(group_.claim(1, alice));
  EXPECT_FALSE(group_.claim(1, bob));
  EXPECT_EQ(group_.standing(1), Standing::taken);
}

TEST_F(SharedGroupTest, OneAcknowledgementSucceeds) {
  const auto receipt = group_.claim(1, alice);
  EXPECT_TRUE(group_.finish(1, *receipt));
  EXPECT_FALSE(group_.finish(1, *receipt));
  EXPECT_EQ(group_.standing(1), Standing::finished);
}

TEST_F(SharedGroupTest, AReceiptEndsWithItsClaim) {
  const auto late = group_.claim(1, alice);
  ASSERT_TRUE(group_.hand_back(1, *late, true));
  const auto again = group_.claim(1, alice);
  EXPECT_FALSE(group_.finish(1, *late)) << "the count is part of the receipt";
  EXPECT_TRUE(group_.finish(1, *again));
}

TEST_F(SharedGroupTest, DeliveriesAreCounted) {
  for (int count = 1; count <= 3; ++count) {
    const auto receipt = group_.claim(1, alice);
    EXPECT_EQ(layout::unpacked(*receipt).count, count);
    group_.hand_back(1, *receipt, true);
  }
  const auto unseen = group_.claim(1, alice);
  group_.hand_back(1, *unseen, false);
  EXPECT_EQ(layout::unpacked(*group_.claim(1, bob)).count, 4) << "what nobody saw does not count";
}

TEST_F(SharedGroupTest, TheFloorPassesOnlyWhatIsFinished) {
  const auto first = group_.claim(1, alice);
  take_and_finish(2);
  group_.move_floor();
  EXPECT_EQ(group_.low(), 1U);
  group_.finish(1, *first);
  const Moved moved = group_.move_floor();
  EXPECT_EQ(moved.from, 1U);
  EXPECT_EQ(moved.to, 3U);
}

TEST_F(SharedGroupTest, WordsAreReusedLapAfterLap) {
  for (std::uint64_t s = 1; s < 10 * window; ++s) {
    EXPECT_EQ(group_.standing(s), Standing::fresh);
    take_and_finish(s);
    EXPECT_EQ(group_.move_floor().to, s + 1);
  }
  EXPECT_EQ(group_.standing(1), Standing::past);
}

TEST_F(SharedGroupTest, LapsOf24BitsMayWrapAround) {
  begin(((std::uint64_t{1} << 24) - 2) * window);
  for (std::uint64_t s = group_.low(), end = s + 5 * window; s < end; ++s) {
    ASSERT_EQ(group_.standing(s), Standing::fresh);
    take_and_finish(s);
    group_.move_floor();
  }
}

TEST_F(SharedGroupTest, TheDeadGiveBackWhatTheyHeld) {
  group_.claim(1, alice);
  const auto other = group_.claim(2, bob);
  group_.claim(3, alice);
  group_.raise_next(4);
  EXPECT_EQ(group_.hand_back_all_of(alice), 2U);
  EXPECT_EQ(group_.hand_back_all_of(alice), 0U);
  EXPECT_EQ(layout::rescan_sequence(group_.rescan()), 1U);
  EXPECT_EQ(group_.standing(1), Standing::handed_back);
  EXPECT_EQ(group_.standing(3), Standing::handed_back);
  EXPECT_TRUE(group_.finish(2, *other));
}

TEST_F(SharedGroupTest, WhatTheDeadHadClaimedAheadWasDeliveredToNobody) {
  group_.claim(1, alice);
  group_.claim(2, alice);
  EXPECT_EQ(group_.hand_back_all_of(alice, 2), 2U);
  EXPECT_EQ(layout::unpacked(*group_.claim(1, bob)).count, 2);
  EXPECT_EQ(layout::unpacked(*group_.claim(2, bob)).count, 1);
}

TEST_F(SharedGroupTest, AfterItsLastDeliveryNobodyClaimsIt) {
  group_ = SharedGroup(entry_, cursor_, words_.data(), window, 2);
  ASSERT_TRUE(group_.hand_back(1, *group_.claim(1, alice), true));
  EXPECT_EQ(group_.standing(1), Standing::handed_back);
  EXPECT_FALSE(group_.is_set_aside());
  ASSERT_TRUE(group_.hand_back(1, *group_.claim(1, alice), true, 1000));
  EXPECT_EQ(group_.standing(1), Standing::set_aside);
  EXPECT_EQ(layout::unpacked(group_.word(1)).state, layout::Delivery::doomed);
  EXPECT_TRUE(group_.take_set_aside());
  EXPECT_FALSE(group_.take_set_aside());
  EXPECT_FALSE(group_.claim(1, bob));
  EXPECT_EQ(group_.move_floor().to, 1U) << "it is not finished";
  EXPECT_EQ(group_.standing_to_save(1), 2);
}

TEST_F(SharedGroupTest, WhatExpiresWasNoDeliveryAndNobodyClaimsIt) {
  const std::uint64_t receipt = group_.claim(1, alice).value();
  ASSERT_TRUE(group_.expire(1, receipt));
  EXPECT_FALSE(group_.expire(1, receipt));
  EXPECT_FALSE(group_.finish(1, receipt));
  EXPECT_EQ(group_.standing(1), Standing::set_aside);
  EXPECT_EQ(layout::unpacked(group_.word(1)).count, 0);
  EXPECT_TRUE(group_.take_set_aside());
  EXPECT_FALSE(group_.claim(1, bob));
  EXPECT_EQ(group_.move_floor().to, 1U) << "it is not finished";
  std::uint64_t seen = 0;
  group_.for_each_set_aside(group_.end(), [&](std::uint64_t s, std::uint64_t) { seen = s; });
  EXPECT_EQ(seen, 1U);
  EXPECT_TRUE(group_.finish(1, group_.word(1)));
}

TEST_F(SharedGroupTest, WhatIsDelayedIsReleasedOnce) {
  ASSERT_TRUE(group_.hand_back(1, *group_.claim(1, alice), true, 70'000));
  const std::uint64_t word = group_.word(1);
  EXPECT_EQ(layout::delay_of(layout::unpacked(word)), 70'000U);
  EXPECT_FALSE(group_.claim(1, bob));
  EXPECT_EQ(layout::rescan_sequence(group_.rescan()), layout::rescan_none);
  EXPECT_TRUE(group_.release(1, word));
  EXPECT_FALSE(group_.release(1, word));
  EXPECT_EQ(layout::rescan_sequence(group_.rescan()), 1U);
  EXPECT_EQ(layout::unpacked(*group_.claim(1, bob)).count, 2);
}

TEST_F(SharedGroupTest, WhatWasDeliveredOftenEnoughIsRestoredAsDoomed) {
  group_ = SharedGroup(entry_, cursor_, words_.data(), window, 3);
  group_.restore(1, 2);
  group_.restore(2, 3);
  EXPECT_EQ(group_.standing(1), Standing::handed_back);
  EXPECT_EQ(group_.standing(2), Standing::set_aside);
}

TEST_F(SharedGroupTest, ALoweredRescanIsNotRaisedByWhoLookedBefore) {
  const auto receipt = group_.claim(1, alice);
  const std::uint64_t seen = group_.rescan();
  group_.hand_back(1, *receipt, true);
  group_.raise_rescan(seen, layout::rescan_none);
  EXPECT_EQ(layout::rescan_sequence(group_.rescan()), 1U);
  // Lowered to where it was already: the version tells.
  const std::uint64_t now = group_.rescan();
  group_.hand_back(1, *group_.claim(1, bob), true);
  group_.raise_rescan(now, layout::rescan_none);
  EXPECT_EQ(layout::rescan_sequence(group_.rescan()), 1U);
}

TEST_F(SharedGroupTest, ANumberWithoutAMessageIsSkippedOnlyWhileFresh) {
  group_.skip(1);
  EXPECT_EQ(group_.standing(1), Standing::finished);
  const auto receipt = group_.claim(2, alice);
  group_.skip(2);
  EXPECT_TRUE(group_.finish(2, *receipt));
}

TEST_F(SharedGroupTest, APurgeFinishesWhatLiesBelow) {
  const auto held = group_.claim(1, alice);
  entry_.start.store(6);
  EXPECT_EQ(group_.low(), 6U);
  EXPECT_EQ(group_.move_floor().to, 6U);
  ASSERT_TRUE(group_.claim(1 + window, bob)) << "its word belongs to a later message now";
  EXPECT_FALSE(group_.finish(1, *held));
}

TEST_F(SharedGroupTest, AForgedEndOfWhatIsDroppedCostsSoManySteps) {
  group_ = SharedGroup(entry_, cursor_, words_.data(), window, 0, SharedGroup::Counts::yes);
  const std::uint64_t step = window << 22;
  group_.pass_dropped({UINT64_MAX, 0}, 2);
  EXPECT_EQ(group_.low(), 1 + 2 * step);
  begin(UINT64_MAX - 2 * window);
  group_ = SharedGroup(entry_, cursor_, words_.data(), window, 0, SharedGroup::Counts::yes);
  group_.pass_dropped({UINT64_MAX, 0}, 2);
  EXPECT_EQ(group_.low(), UINT64_MAX) << "no floor goes back";
}

}  // namespace
}  // namespace spillring::group
