// What is copied from a ring to the journal, and what of it counts.
#include "daemon/ring_to_journal.hpp"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>

#include "ring/claim.hpp"
#include "spillring/error.hpp"
#include "temporary_directory.hpp"

namespace spillring::daemon {
namespace {

constexpr layout::RingGeometry geometry{64, 16384};
constexpr std::uint64_t messages = 20;

class RingToJournalTest : public ::testing::Test {
 protected:
  RingToJournalTest() {
    ring_->begin(1);
    ring::Room room;
    for (std::uint64_t s = 1; s <= messages; ++s) {
      const ring::Claim claim = ring::claim(ring_->view(), {1, 1}, layout::extent_unit, room);
      layout::Descriptor& descriptor = ring_->view().descriptor(claim.sequence);
      descriptor.start = claim.start;
      descriptor.size = layout::extent_unit;
      EXPECT_EQ(ring::publish(ring_->view(), claim.sequence), ring::PublishStatus::ok);
    }
    memory_->words().journaled.store(1);
    journal_.adopt(1);
  }

  void copy() {
    RingToJournal::Plan plan{memory_, ring_, 1};
    plan.most = UINT64_MAX;
    plan.file = RingToJournal::any_files;
    journal_.write_now(1, RingToJournal(plan, std::make_shared<RingToJournal::Report>()));
  }
  /// Whether a copy rings for somebody who sleeps until `limit` may come to `need`.
  bool rings_for_a_need_of(std::uint64_t need) {
    layout::Bells& bells = memory_->bell_words();
    memory_->words().handles_used.store(2);
    bells.need[1].store(need);
    const std::uint32_t value = wait::announce(bells.room);
    copy();
    return bells.room.value.load() != value;
  }
  [[nodiscard]] std::uint64_t journaled() const { return memory_->words().journaled.load(); }

  std::shared_ptr<QueueMemory> memory_ = std::make_shared<QueueMemory>(
      QueueMemory{{"spillring:test:manifest", sizeof(layout::Manifest)},
                  {"spillring:test:groups", sizeof(layout::Groups)},
                  {"spillring:test:bells", sizeof(layout::Bells)}});
  std::shared_ptr<RingSegment> ring_ = std::make_shared<RingSegment>("spillring:test", geometry);

 private:
  TemporaryDirectory directory_;
  journal::Disk disk_;
  boost::asio::io_context loop_;
  Spooler spooler_{loop_};
  Journal journal_{{disk_, spooler_, directory_.path() / "journal", 1 << 20}, 7};
};

TEST_F(RingToJournalTest, WhatIsPublishedIsCopiedAndCounted) {
  copy();
  EXPECT_EQ(journaled(), messages + 1);
}

// A floor that was forged let somebody use the place again.
TEST_F(RingToJournalTest, WhatWasReclaimedUnderTheCopyDoesNotCount) {
  ring_->view().header().limit.store(2);
  EXPECT_THROW(copy(), Error);
  EXPECT_EQ(journaled(), 1U);
  ring_->view().header().limit.store(1);
  copy();
  EXPECT_EQ(journaled(), messages + 1) << "written again";
}

// What the copy meets then is no damage: somebody else may be writing there.
TEST_F(RingToJournalTest, OnlyWhatIsNotReclaimedCanBeDamaged) {
  ring_->view().descriptor(3).size = UINT32_MAX;
  const auto told = [&] {
    try {
      copy();
    } catch (const Error& error) {
      return error.code();
    }
    return Code::ok;
  };
  EXPECT_EQ(told(), Code::corrupt);
  ring_->view().header().limit.store(4);
  EXPECT_EQ(told(), Code::stale);
}

// Who is woken for less asks for more: that would take this thread's turn, batch after batch.
TEST_F(RingToJournalTest, WhoSleepsForRoomIsRungWhenThereIsEnough) {
  constexpr std::uint64_t copied = messages + 1;
  EXPECT_TRUE(rings_for_a_need_of(copied));
  EXPECT_TRUE(rings_for_a_need_of(1)) << "something else was in the way";
  EXPECT_FALSE(rings_for_a_need_of(copied + 1));
}

}  // namespace
}  // namespace spillring::daemon
