// Producers that drop the oldest and members of a shared group as threads on one mapping: what was
// acknowledged and what is counted as dropped are all that was published, to the message.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstring>
#include <thread>
#include <vector>

#include "ring/extent.hpp"
#include "ring/ring_fixture.hpp"

namespace spillring::ring {
namespace {

constexpr std::uint64_t published_by_each = 20'000;
constexpr std::uint64_t group_window = 64;

class DropConcurrent : public RingFixture {
 protected:
  DropConcurrent() {
    manifest_.full = 3;
    manifest_.drops.store(1);
    groups_.cursors[0].settled.store(1);  // the messages below 1, as they are counted
    group_ = group::SharedGroup(manifest_.groups[0], groups_.cursors[0], words_.data(),
                                group_window, 0, group::SharedGroup::Counts::yes);
    group_.initialise(1);
  }

  void produce(std::uint16_t slot) {
    const layout::Owner me{slot, 1};
    Room room;
    for (std::uint64_t number = 0; number < published_by_each;) {
      const Claim at = claim(ring_, me, 64, room);
      ASSERT_NE(at.status, ClaimStatus::corrupt);
      if (at.status != ClaimStatus::claimed) {
        if (!reclaim_once() && !drop_oldest(ring_, manifest_, groups_, 64)) {
          std::this_thread::yield();
        }
        continue;
      }
      layout::Descriptor& descriptor = ring_.descriptor(at.sequence);
      std::memcpy(ring_.bytes(at.start), &at.sequence, sizeof at.sequence);
      descriptor.start = at.start;
      descriptor.size = sizeof at.sequence;
      descriptor.metadata_size = 0;
      descriptor.flags = 0;
      if (at.sequence % 7 == 0) {  // a number that is no message
        ASSERT_EQ(abort(ring_, at.sequence), PublishStatus::ok);
        continue;
      }
      ASSERT_EQ(publish(ring_, at.sequence), PublishStatus::ok);
      published_.fetch_add(1);
      if (++number % 64 == 0) std::this_thread::yield();  // readers are to come to something
    }
    producing_.fetch_sub(1);
  }

  [[nodiscard]] bool done() const { return producing_.load() == 0 && group_.low() >= tail(); }
  [[nodiscard]] std::uint64_t tail() const { return find_tail(ring_); }

  void consume(std::uint16_t slot) {
    const layout::Owner me{slot, 1};
    auto& hold = groups_.holds[slot].sequence;
    while (!done()) {
      group_.pass_dropped(*dropped_of(ring_));
      const std::uint64_t s = std::max(group_.next(), group_.low());
      const std::uint64_t at = pick(s);
      if (at == 0) {
        std::this_thread::yield();
        continue;
      }
      hold.store(at, std::memory_order_seq_cst);
      if (const auto receipt = group_.claim(at, me)) {
        group_.raise_next(at + 1);
        if (still_here(ring_, at)) {
          read(at);
          if (group_.finish(at, *receipt)) acknowledged_.fetch_add(1);
          group_.move_floor();
        } else {
          group_.hand_back(at, *receipt, false);
        }
      }
      hold.store(layout::no_sequence, std::memory_order_release);
    }
  }

  /// What there is to claim at `s`, or in the window before it; 0: nothing now.
  std::uint64_t pick(std::uint64_t s) {
    const std::uint64_t low = group_.low();
    for (std::uint64_t at = low; at <= s && at < low + group_window; ++at) {
      const auto standing = group_.standing(at);
      if (standing != group::SharedGroup::Standing::fresh &&
          standing != group::SharedGroup::Standing::handed_back) {
        continue;
      }
      const Seen seen = look(ring_, at);
      if (seen == Seen::committed) return at;
      if (seen == Seen::skipped && group_.skip(at)) {
        group_.raise_next(at + 1);
        group_.move_floor();
      }
    }
    return 0;
  }

  void read(std::uint64_t s) {
    const auto extent = extent_of(ring_, ring_.descriptor(s));
    ASSERT_TRUE(extent);
    for (int again = 0; again < 3; ++again) {
      std::uint64_t written = 0;
      std::memcpy(&written, extent->payload.data(), sizeof written);
      ASSERT_EQ(written, s) << "a view does not change";
    }
  }

  std::vector<layout::Word> words_ = std::vector<layout::Word>(group_window);
  group::SharedGroup group_;
  std::atomic<int> producing_{2};
  std::atomic<std::uint64_t> published_{0};
  std::atomic<std::uint64_t> acknowledged_{0};
};

TEST_F(DropConcurrent, AcknowledgedAndDroppedAreAllThatWasPublished) {
  std::array threads{std::thread([&] { produce(1); }), std::thread([&] { produce(2); }),
                     std::thread([&] { consume(3); }), std::thread([&] { consume(4); })};
  for (auto& thread : threads) thread.join();
  group_.pass_dropped(*dropped_of(ring_));
  EXPECT_EQ(published_.load(), 2 * published_by_each);
  const layout::GroupCursor& cursor = groups_.cursors[0];
  EXPECT_EQ(acknowledged_.load() + cursor.dropped.load(), published_.load());
  EXPECT_EQ(cursor.settled.load(), acknowledged_.load() + 1);
  EXPECT_GT(cursor.dropped.load(), 0U);
  EXPECT_EQ(group::hear_of_dropped(groups_.cursors[0]), cursor.dropped.load());
  EXPECT_EQ(group::hear_of_dropped(groups_.cursors[0]), 0U) << "each is told of once";
}

}  // namespace
}  // namespace spillring::ring
