#include "layout/words.hpp"

#include <gtest/gtest.h>

namespace spillring::layout {
namespace {

TEST(Words, LapsAreComparedByDistanceAcrossTheWrap) {
  EXPECT_GT(lap_distance(1, 0), 0);
  EXPECT_LT(lap_distance(0xFFFFFFFF, 0),
            0);  // the lap before the wrap is older than the one behind it
  EXPECT_GT(group_lap_distance(0, group_lap_mask), 0);
  EXPECT_LT(group_lap_distance(group_lap_mask, 0), 0);
  EXPECT_EQ(group_lap_distance(5, 5), 0);
}

TEST(Words, LapGrowsByOneEachTimeRound) {
  EXPECT_EQ(lap_of(0, 6), 1U);
  EXPECT_EQ(lap_of(63, 6), 1U);
  EXPECT_EQ(lap_of(64, 6), 2U);
  EXPECT_EQ(group_lap_of((std::uint64_t{1} << 30) - 1, 6), 0U);  // 24 bits
}

TEST(Words, ClaimWordKeepsItsParts) {
  const auto word = claim_word(0xDEADBEEF, {1023, 65535});
  EXPECT_EQ(claim_lap(word), 0xDEADBEEF);
  EXPECT_EQ(claim_owner(word), (Owner{1023, 65535}));
  EXPECT_FALSE(claim_owner(word) == seal_owner);
}

TEST(Words, GroupWordKeepsItsParts) {
  const GroupWord word{group_lap_mask, Delivery::claimed, 255, {1023, 4711}};
  const GroupWord back = unpacked(packed(word));
  EXPECT_EQ(back.lap, word.lap);
  EXPECT_EQ(back.state, word.state);
  EXPECT_EQ(back.count, word.count);
  EXPECT_EQ(back.owner, word.owner);
}

TEST(Words, CountNeverLooksLikeAFirstDeliveryAgain) {
  std::uint8_t count = 0;
  for (int i = 0; i < 2000; ++i) {
    count = counted_on(count);
    EXPECT_EQ(count == 1, i == 0);
  }
}

TEST(Words, RescanKeepsSequenceAndVersionApart) {
  const auto word = rescan_word(rescan_none, 255);
  EXPECT_EQ(rescan_sequence(word), rescan_none);
  EXPECT_EQ(rescan_version(word), 255);
  EXPECT_EQ(rescan_sequence(rescan_word(7, 3)), 7U);
}

TEST(Words, AMarkOfValueZeroIsSet) {
  EXPECT_TRUE(mark_is_set(mark_word(0)));
  EXPECT_FALSE(mark_is_set(mark_clear));
  EXPECT_EQ(mark_value(mark_word(0xFFFFFFFF)), 0xFFFFFFFF);
}

}  // namespace
}  // namespace spillring::layout
