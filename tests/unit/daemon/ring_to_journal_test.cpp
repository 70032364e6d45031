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

}  // namespace
}  // namespace spillring::daemon
