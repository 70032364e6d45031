#include "wait/waiter.hpp"

#include <gtest/gtest.h>
#include <poll.h>

#include <deque>
#include <thread>

#include "wait/bell.hpp"

namespace spillring::wait {
namespace {

bool is_readable(const Watch& watch) {
  pollfd entry{watch.fd(), POLLIN, 0};
  return ::poll(&entry, 1, 0) == 1;
}

bool becomes_readable(const Watch& watch) {
  pollfd entry{watch.fd(), POLLIN, 0};
  return ::poll(&entry, 1, 30'000) == 1;
}

/// Something that comes one by one.
class Mailbox final : public Watched {
 public:
  [[nodiscard]] layout::Bell& bell() const noexcept override { return bell_; }
  [[nodiscard]] std::optional<os::Instant> look(bool in_vain) noexcept override {
    ++looks;
    if (taken.load(std::memory_order_seq_cst) < sent.load(std::memory_order_seq_cst)) {
      if (in_vain) ++found_late;
      return std::nullopt;
    }
    return os::now() + longest_nap;
  }
  void send() {
    sent.fetch_add(1, std::memory_order_seq_cst);
    ring(bell_);
  }
  [[nodiscard]] bool is_empty() const { return taken.load() == sent.load(); }
  bool take() {
    if (taken.load() >= sent.load(std::memory_order_seq_cst)) return false;
    ++taken;
    return true;
  }

  std::atomic<int> sent{0};
  std::atomic<int> taken{0};
  std::atomic<int> looks{0};
  std::atomic<int> found_late{0};

 private:
  mutable layout::Bell bell_{};
};

TEST(Waiter, AWatchCanBeReadUntilItsOwnerHasFoundNothing) {
  Waiters waiters;
  Mailbox box;
  const auto watch = waiters.watch();
  watch->attach(box);
  EXPECT_TRUE(is_readable(*watch));
  watch->arm();
  EXPECT_FALSE(is_readable(*watch));
  box.send();
  EXPECT_TRUE(becomes_readable(*watch));
  EXPECT_TRUE(is_readable(*watch)) << "polling clears nothing";
  watch->detach();
}

TEST(Waiter, WhatCameBeforeTheWatchWasArmedIsFound) {
  Waiters waiters;
  Mailbox box;
  const auto watch = waiters.watch();
  watch->attach(box);
  box.send();  // rings nobody
  watch->arm();
  EXPECT_TRUE(becomes_readable(*watch));
  watch->detach();
}

TEST(Waiter, WhoTakesUnaskedIsToldToLookAgain) {
  Waiters waiters;
  Mailbox box;
  const auto watch = waiters.watch();
  watch->attach(box);
  watch->arm();
  watch->raise();
  EXPECT_TRUE(is_readable(*watch));
  watch->detach();
}

TEST(Waiter, WhatIsDetachedCanBeReadAndIsNotLookedAt) {
  Waiters waiters;
  Mailbox box;
  const auto watch = waiters.watch();
  watch->attach(box);
  watch->arm();
  watch->detach();
  EXPECT_TRUE(is_readable(*watch));
  const int looks = box.looks;
  box.send();
  EXPECT_EQ(box.looks, looks);
  Mailbox other;
  watch->attach(other);
  watch->arm();
  other.send();
  EXPECT_TRUE(becomes_readable(*watch));
  watch->detach();
}

TEST(Waiter, ManyWatchesAreSharedOutToWaiters) {
  Waiters waiters;
  std::deque<Mailbox> boxes(3 * Waiter::most + 1);
  std::vector<std::unique_ptr<Watch>> watches;
  for (Mailbox& box : boxes) {
    watches.push_back(waiters.watch());
    watches.back()->attach(box);
    watches.back()->arm();
  }
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    boxes[i].send();
    EXPECT_TRUE(becomes_readable(*watches[i])) << i;
  }
  watches.clear();
}

TEST(WaiterConcurrent, NoWakeUpIsLost) {
  constexpr std::size_t count = 300;
  constexpr int rounds = 40;
  Waiters waiters;
  std::deque<Mailbox> boxes(count);
  std::vector<std::unique_ptr<Watch>> watches;
  for (Mailbox& box : boxes) {
    watches.push_back(waiters.watch());
    watches.back()->attach(box);
  }
  std::vector<std::thread> senders;
  for (std::size_t sender = 0; sender < 2; ++sender) {
    senders.emplace_back([&, sender] {
      for (int round = 0; round < rounds; ++round) {
        for (std::size_t i = sender; i < count; i += 2) {
          boxes[i].send();
          if (i % 5 == sender) continue;
          while (!boxes[i].is_empty()) std::this_thread::yield();
        }
      }
    });
  }
  std::vector<pollfd> entries;
  entries.reserve(count);
  for (const auto& watch : watches) entries.push_back({watch->fd(), POLLIN, 0});
  for (std::size_t left = count * rounds; left != 0;) {
    ASSERT_GT(::poll(entries.data(), entries.size(), 30'000), 0) << left << " never came";
    for (std::size_t i = 0; i < count; ++i) {
      if ((entries[i].revents & POLLIN) == 0) continue;
      if (boxes[i].take()) {
        watches[i]->raise();
        --left;
      } else {
        watches[i]->arm();
      }
    }
  }
  for (std::thread& sender : senders) sender.join();
  watches.clear();
  for (const Mailbox& box : boxes) EXPECT_EQ(box.found_late, 0) << "nobody rang for a whole nap";
}

}  // namespace
}  // namespace spillring::wait
