// Dropping the oldest in a ring: what goes, what stays, and what is counted.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

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
  const Dropped dropped = *dropped_of(ring_);
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

TEST_F(DropTest, WhatIsNoMessageIsCountedUpToAnyNumber) {
  for (int i = 0; i < 3; ++i) abort(ring_, claim_one().sequence);
  for (int i = 0; i < 10; ++i) send();
  abort(ring_, claim_one().sequence);
  auto& hold = groups_.holds[0].sequence;
  EXPECT_EQ(skipped_below(ring_, 3, hold), 2U);
  EXPECT_EQ(skipped_below(ring_, tail(), hold), 4U);
  fill();
  EXPECT_TRUE(drop());
  EXPECT_EQ(skipped_below(ring_, gone(), hold), 3U);
  EXPECT_EQ(skipped_below(ring_, gone() - 1, hold), std::nullopt) << "that is not known any more";
  EXPECT_EQ(hold.load(), layout::no_sequence);
}

TEST_F(DropTest, NothingIsReusedWhileItIsCountedAndThatIsDoneOnce) {
  // Every seventh number is no message; who drops goes on and on.
  std::atomic<bool> over{false};
  std::thread producer([&] {
    while (!over.load()) {
      const Claim at = claim_one();
      if (at.status != ClaimStatus::claimed) {
        drop();
        continue;
      }
      if (at.sequence % 7 == 0) {
        abort(ring_, at.sequence);
      } else {
        publish(ring_, at.sequence);
      }
    }
  });
  auto& hold = groups_.holds[0].sequence;
  for (int counted = 0; counted < 20'000;) {
    // At any moment between one drop and the next.
    std::uint64_t from = ring_.header().gone.load();
    const std::uint64_t before = from;
    while (from == before) from = ring_.header().gone.load();
    for (int i = counted % 200; i != 0; --i) from = ring_.header().gone.load();
    std::uint64_t s = from + 40;
    while (look(ring_, s) == Seen::nothing) std::this_thread::yield();
    const auto skipped = skipped_below(ring_, s, hold);
    if (!skipped) continue;  // dropped before it could be held
    EXPECT_EQ(*skipped, (s - 1) / 7) << "below " << s;
    ++counted;
  }
  over.store(true);
  producer.join();
}

TEST_F(DropTest, WhereGoneNeverRestsNobodyKnows) {
  for (int i = 0; i < 40; ++i) send();
  std::atomic<bool> over{false};
  std::thread hostile([&] {  // back and forth, whatever is held
    while (!over.load()) {
      ring_.header().gone.store(2);
      ring_.header().gone.store(1);
    }
  });
  auto& hold = groups_.holds[0].sequence;
  for (int i = 0; i < 1000; ++i) {
    const auto skipped = skipped_below(ring_, 40, hold);
    EXPECT_LE(skipped.value_or(0), 1U);
    EXPECT_EQ(hold.load(), layout::no_sequence);
  }
  over.store(true);
  hostile.join();
}

TEST_F(DropTest, AForgedGoneIsDamage) {
  for (int i = 0; i < 10; ++i) send();
  ring_.header().gone.store(tail());
  EXPECT_TRUE(dropped_of(ring_));
  for (const std::uint64_t forged : {tail() + 1, std::uint64_t{UINT64_MAX}}) {
    ring_.header().gone.store(forged);
    EXPECT_FALSE(dropped_of(ring_)) << forged;
  }
}

TEST_F(DropTest, WhatCanNeverFitDropsNothing) {
  fill();
  EXPECT_FALSE(drop(ring_.arena()));
  EXPECT_EQ(gone(), 1U);
}

}  // namespace
}  // namespace spillring::ring
