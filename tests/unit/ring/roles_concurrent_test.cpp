// All roles of a ring as threads on one mapping, where a race detector sees every access: producers
// that reclaim, members of a shared group that hold and acknowledge, a revoker.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstring>
#include <thread>
#include <vector>

#include "ring/contradiction.hpp"
#include "ring/extent.hpp"
#include "ring/ring_fixture.hpp"

namespace spillring::ring {
namespace {

constexpr std::uint64_t per_producer = 20'000;
constexpr std::uint64_t window = 64;

struct Payload {
  std::uint64_t producer;
  std::uint64_t number;
  std::uint64_t check[6];
};
static_assert(sizeof(Payload) == 64);

class RolesConcurrent : public RingFixture {
 protected:
  RolesConcurrent() {
    group_ = group::SharedGroup(manifest_.groups[0], groups_.cursors[0], words_.data(), window);
    group_.initialise(1);
  }

  void fill(const Claim& at, std::uint64_t producer, std::uint64_t number) {
    auto* payload = reinterpret_cast<Payload*>(ring_.bytes(at.start));
    payload->producer = producer;
    payload->number = number;
    for (auto& word : payload->check) word = producer * 1'000'003 + number;
    layout::Descriptor& descriptor = ring_.descriptor(at.sequence);
    descriptor.start = at.start;
    descriptor.size = sizeof(Payload);
    descriptor.metadata_size = 0;
    descriptor.flags = 0;
    descriptor.timestamp = number;
  }

  void produce(std::uint64_t producer) {
    const layout::Owner me{static_cast<std::uint16_t>(producer), 1};
    Room room;
    for (std::uint64_t number = 0; number < per_producer;) {
      const Claim at = claim(ring_, me, sizeof(Payload), room);
      ASSERT_NE(at.status, ClaimStatus::corrupt);
      if (at.status != ClaimStatus::claimed) {
        if (!reclaim(ring_, manifest_, groups_)) std::this_thread::yield();
        continue;
      }
      fill(at, producer, number);
      const PublishStatus status = publish(ring_, at.sequence);
      ASSERT_NE(status, PublishStatus::corrupt);
      if (status == PublishStatus::ok) ++number;  // stale: it was revoked; again
    }
  }

  void check(std::uint64_t s) {
    const auto extent = extent_of(ring_, ring_.descriptor(s));
    ASSERT_TRUE(extent);
    Payload payload{};
    std::memcpy(&payload, extent->payload.data(), sizeof payload);
    for (const auto word : payload.check) {
      ASSERT_EQ(word, payload.producer * 1'000'003 + payload.number);
    }
    delivered_[payload.producer][payload.number].fetch_add(1);
    finished_.fetch_add(1);
  }

  void consume(std::uint16_t slot) {
    const layout::Owner me{slot, 1};
    auto& hold = groups_.holds[slot].sequence;
    while (finished_.load() < 2 * per_producer) {
      const std::uint64_t s = std::max(group_.next(), group_.low());
      if (s >= group_.end()) {
        std::this_thread::yield();
        continue;
      }
      switch (look(ring_, s)) {
        case Seen::nothing:
          std::this_thread::yield();
          continue;
        case Seen::gone:
          continue;
        case Seen::committed:
          break;
        default:
          group_.skip(s);
          group_.raise_next(s + 1);
          group_.move_floor();
          continue;
      }
      hold.store(s, std::memory_order_seq_cst);
      const auto receipt = group_.claim(s, me);
      group_.raise_next(s + 1);
      if (receipt) {
        ASSERT_TRUE(still_here(ring_, s));
        check(s);
        ASSERT_TRUE(group_.finish(s, *receipt));
        group_.move_floor();
      }
      hold.store(layout::no_sequence, std::memory_order_release);
    }
  }

  void revoke_some() {
    while (finished_.load() < 2 * per_producer) {
      revoke(ring_, find_tail(ring_) - 1);
      std::this_thread::yield();
    }
  }

  /// All roles, and one more.
  template <typename Role>
  void work_with(Role role) {
    std::array threads{std::thread([&] { produce(1); }), std::thread([&] { produce(2); }),
                       std::thread([&] { consume(3); }), std::thread([&] { consume(4); }),
                       std::thread(role)};
    for (auto& thread : threads) thread.join();
  }

  std::vector<layout::Word> words_ = std::vector<layout::Word>(window);
  group::SharedGroup group_;
  std::atomic<std::uint64_t> finished_{0};
  std::vector<std::vector<std::atomic<int>>> delivered_ = [] {
    std::vector<std::vector<std::atomic<int>>> result(3);
    for (auto& row : result) row = std::vector<std::atomic<int>>(per_producer);
    return result;
  }();
};

TEST_F(RolesConcurrent, EveryMessageArrivesWholeAndOnce) {
  work_with([&] { revoke_some(); });
  for (const std::uint64_t producer : {1U, 2U}) {
    for (std::uint64_t number = 0; number < per_producer; ++number) {
      ASSERT_EQ(delivered_[producer][number].load(), 1) << producer << " " << number;
    }
  }
}

// The ring has 64 slots and goes round some 600 times meanwhile, so looks are cut into by others
// all the time. Seen red without either look at the limit behind what needs it, and where claims
// are read before what is published. (Not where `gone` is read before `limit`: too rare here.)
TEST_F(RolesConcurrent, AHealthyRingIsNeverFoundDamaged) {
  std::uint64_t looks = 0;
  work_with([&] {
    while (finished_.load() < 2 * per_producer) {
      const auto found = find_contradiction(ring_);
      ASSERT_FALSE(found) << found->sequence << " " << found->what << ", look " << looks;
      ++looks;
      revoke(ring_, find_tail(ring_) - 1);
    }
  });
  EXPECT_GT(looks, 0U);
}

}  // namespace
}  // namespace spillring::ring
