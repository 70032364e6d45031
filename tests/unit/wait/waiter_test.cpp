#include "wait/waiter.hpp"

#include <gtest/gtest.h>
#include <poll.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <deque>
#include <thread>

#include "spillring/error.hpp"
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
  Mailbox() = default;
  /// With a bell that others have, too.
  explicit Mailbox(layout::Bell& shared) : bell_(shared) {}
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
  layout::Bell own_{};
  layout::Bell& bell_ = own_;
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

TEST(Waiter, WatchesOfOneBellAreToldOfWhatIsTheirs) {
  Waiters waiters;
  layout::Bell bell{};
  Mailbox one(bell);
  Mailbox other(bell);
  const auto first = waiters.watch();
  const auto second = waiters.watch();
  first->attach(one);
  second->attach(other);
  first->arm();
  second->arm();
  other.send();
  EXPECT_TRUE(becomes_readable(*second));
  EXPECT_FALSE(is_readable(*first)) << "nothing came for it";
  one.send();  // the value that the first one announced is older than the bell's by now, or was
  EXPECT_TRUE(becomes_readable(*first));
}

/// What is noticed at once is not noticed by all being looked at, which happens once in a nap: then
/// `idle` would have been looked at as well.
TEST(Waiter, EveryBellWakesTheWaiter) {
  constexpr int attempts = 10;  // a look at all may be due just then
  Waiters waiters;
  std::array<layout::Bell, 3> bells{};
  std::deque<Mailbox> boxes;
  for (std::size_t i = 0; i < 6; ++i) boxes.emplace_back(bells[i % bells.size()]);
  Mailbox idle;
  boxes.emplace_back();
  std::vector<std::unique_ptr<Watch>> watches;
  for (Mailbox& box : boxes) {
    watches.push_back(waiters.watch());
    watches.back()->attach(box);
  }
  const auto idler = waiters.watch();
  idler->attach(idle);  // the last that the waiter comes to when it goes round
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    bool noticed = false;
    for (int attempt = 0; attempt < attempts && !noticed; ++attempt) {
      while (boxes[i].take()) {
      }
      value += 10;  // the same for all: they differ by their words alone
      for (Mailbox& box : boxes) box.bell().value = value;
      for (const auto& watch : watches) watch->arm();
      // Armed last: when it has been looked at, the waiter is done with all others, and goes to
      // sleep without another round.
      int looks = idle.looks;
      idler->arm();
      const auto late = std::chrono::steady_clock::now() + std::chrono::seconds(30);
      while (idle.looks == looks && std::chrono::steady_clock::now() < late) {
        std::this_thread::yield();
      }
      ASSERT_NE(idle.looks, looks) << i;
      ++looks;
      boxes[i].send();
      ASSERT_TRUE(becomes_readable(*watches[i])) << i;
      idler->raise();  // returns when that round is over: it has the waiter's mutex
      noticed = idle.looks == looks;
    }
    EXPECT_TRUE(noticed) << i;
  }
}

/// Somebody is looking, under the waiter's mutex, until `go`.
class LongLook final : public Watched {
 public:
  [[nodiscard]] layout::Bell& bell() const noexcept override { return bell_; }
  [[nodiscard]] std::optional<os::Instant> look(bool /*in_vain*/) noexcept override {
    looking = true;
    while (!go) std::this_thread::yield();
    return std::nullopt;
  }

  std::atomic<bool> looking{false};
  std::atomic<bool> go{false};

 private:
  mutable layout::Bell bell_{};
};

/// In a child that was forked the thread is missing, and whatever it had locked stays so.
TEST(Waiter, AForkedChildLeavesTheWaiterToItsParent) {
  Waiters waiters;
  LongLook watched;
  auto watch = waiters.watch();
  watch->attach(watched);
  watch->arm();
  while (!watched.looking) std::this_thread::yield();
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(20);  // rather than wait for ever
    watch.reset();
    ::_exit(7);
  }
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 7) << "it came to its end";
  EXPECT_FALSE(is_readable(*watch)) << "the child told the parent's owner nothing";
  watched.go = true;
  EXPECT_TRUE(becomes_readable(*watch));
  watch->detach();
}

TEST(Waiter, WhereNoThreadCanBeStartedThatIsSaidAndSignalsAreAsBefore) {
  pthread_attr_t before{};
  ASSERT_EQ(::pthread_getattr_default_np(&before), 0);
  pthread_attr_t huge{};
  ASSERT_EQ(::pthread_attr_init(&huge), 0);
  ASSERT_EQ(::pthread_attr_setstacksize(&huge, std::size_t{1} << 47), 0);
  ASSERT_EQ(::pthread_setattr_default_np(&huge), 0);
  Waiters waiters;
  try {
    const auto watch = waiters.watch();
    ADD_FAILURE() << "there is no room for such a stack";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::no_memory);
  }
  ::pthread_setattr_default_np(&before);
  ::pthread_attr_destroy(&huge);
  ::pthread_attr_destroy(&before);
  sigset_t blocked;
  ASSERT_EQ(::pthread_sigmask(SIG_SETMASK, nullptr, &blocked), 0);
  EXPECT_EQ(::sigismember(&blocked, SIGTERM), 0);
  EXPECT_NE(waiters.watch(), nullptr) << "as soon as one can be";
}

constexpr std::size_t many = 300;

/// Two senders, one receiver that polls all of `boxes`, of which most are empty again and again.
void expect_that_no_wake_up_is_lost(std::deque<Mailbox>& boxes) {
  constexpr int rounds = 40;
  Waiters waiters;
  std::vector<std::unique_ptr<Watch>> watches;
  for (Mailbox& box : boxes) {
    watches.push_back(waiters.watch());
    watches.back()->attach(box);
  }
  std::vector<std::thread> senders;
  for (std::size_t sender = 0; sender < 2; ++sender) {
    senders.emplace_back([&, sender] {
      for (int round = 0; round < rounds; ++round) {
        for (std::size_t i = sender; i < boxes.size(); i += 2) {
          boxes[i].send();
          if (i % 5 == sender) continue;
          while (!boxes[i].is_empty()) std::this_thread::yield();
        }
      }
    });
  }
  std::vector<pollfd> entries;
  entries.reserve(boxes.size());
  for (const auto& watch : watches) entries.push_back({watch->fd(), POLLIN, 0});
  for (std::size_t left = boxes.size() * rounds; left != 0;) {
    ASSERT_GT(::poll(entries.data(), entries.size(), 30'000), 0) << left << " never came";
    for (std::size_t i = 0; i < boxes.size(); ++i) {
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

TEST(WaiterConcurrent, NoWakeUpIsLost) {
  std::deque<Mailbox> boxes(many);
  expect_that_no_wake_up_is_lost(boxes);
}

TEST(WaiterConcurrent, NoWakeUpIsLostWhereManyWaitForOneBell) {
  std::array<layout::Bell, 3> bells{};
  std::deque<Mailbox> boxes;
  for (std::size_t i = 0; i < many; ++i) boxes.emplace_back(bells[i % bells.size()]);
  expect_that_no_wake_up_is_lost(boxes);
}

}  // namespace
}  // namespace spillring::wait
