// What a member that writes anything where consumers may write can and cannot do to others.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "client/raw_client.hpp"
#include "client/state_fixture.hpp"
#include "daemon/catalogue.hpp"

namespace spillring {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t many = 3000;  // messages, about 3 MiB
constexpr std::uint64_t window = 1024;
const QueueOptions small{.capacity = 256 * KiB, .slots = window};

class ForgeryTest : public StateTest {
 protected:
  static void send(const Queue& queue, std::uint64_t count) {
    Producer out = queue.producer();
    const std::vector<std::byte> bytes(1024);
    for (std::uint64_t i = 0; i < count; ++i) ASSERT_TRUE(out.send(bytes, 5s)) << i;
  }
  static void take(const Queue& queue, const std::string& group, std::uint64_t count) {
    Consumer in = queue.consumer(group, {.prefetch = 64});
    for (std::uint64_t i = 0; i < count; ++i) {
      Result<Message> message = in.receive(5s);
      ASSERT_TRUE(message) << name(message.error()) << " instead of message " << i;
      ASSERT_TRUE(message->ack());
    }
  }
  static bool is_quick(const std::function<void()>& action) {
    const auto begin = std::chrono::steady_clock::now();
    action();
    return std::chrono::steady_clock::now() - begin < 2s;
  }
};

TEST_F(ForgeryTest, AFloorThatWentBackKeepsNothingAndStopsNothing) {
  const Queue queue = bus().create("q", small);
  send(queue, many);
  take(queue, "g", many);
  const QueueInfo before = queue.info();
  ASSERT_EQ(before.messages, 0U);
  const Forger forger(socket(), "q", "g");
  forger.floor().store(0);
  EXPECT_EQ(queue.info().messages, 0U) << "it was there already";
  EXPECT_EQ(queue.info().earliest, before.earliest);
  send(queue, many);  // more than memory has room for: the journal goes on
  EXPECT_LE(queue.info().messages, many + 64) << "seals of rings count";
  EXPECT_GT(queue.info().journaled, many / 2);
}

TEST_F(ForgeryTest, AFloorBehindTheEndLosesNothingOfOtherGroups) {
  const Queue queue = bus().create("q", small);
  const Consumer slow = queue.consumer("slow");
  const Forger forger(socket(), "q", "g");
  for (const std::uint64_t forged : {UINT64_MAX, std::uint64_t{1} << 60, std::uint64_t{5}}) {
    forger.floor().store(forged);
    send(queue, many);
    EXPECT_GE(queue.info().messages, many);
  }
  take(queue, "slow", 3 * many);
}

TEST_F(ForgeryTest, ANewGroupBeginsWhereThereIsSomething) {
  const Queue queue = bus().create("q", small);
  send(queue, many);
  take(queue, "g", many);
  const Forger forger(socket(), "q", "g");
  for (const std::uint64_t forged : {std::uint64_t{0}, UINT64_MAX}) {
    forger.floor().store(forged);
    const std::string group = "new" + std::to_string(forged);
    Consumer late = queue.consumer(group, {.start = Start::earliest()});
    send(queue, 10);
    EXPECT_TRUE(is_quick([&] { take(queue, group, 10); }));
  }
}

// They find where something is, with one question, instead of `corrupt` for good.
TEST_F(ForgeryTest, MembersGoOnBehindAFloorThatWentBack) {
  for (const Full full : {Full::spill, Full::block}) {
    const std::string name = full == Full::spill ? "spills" : "blocks";
    const Queue queue = bus().create(name, {.capacity = 16 * MiB, .slots = window, .full = full});
    Producer out = queue.producer();
    Consumer in = queue.consumer("g", {.prefetch = 1});
    const Forger forger(socket(), name, "g");
    const auto pass_one = [&] {
      ASSERT_TRUE(out.send(std::vector<std::byte>(100), 5s));
      Result<Message> message = in.receive(5s);
      ASSERT_TRUE(message) << spillring::name(message.error());
      ASSERT_TRUE(message->ack());
    };
    for (std::uint64_t i = 0; i < 8 * window; ++i) pass_one();
    for (int round = 0; round < 10; ++round) {
      forger.floor().store(0);
      forger.next().store(0);
      EXPECT_TRUE(is_quick(pass_one)) << round;
    }
  }
}

TEST_F(ForgeryTest, AReaderGoesOnWhereItsFloorWasAway) {
  const Queue queue = bus().create("q", small);
  Consumer in = queue.subscriber("s", {.start = Start::earliest()});
  const Forger forger(socket(), "q", "other");
  os::Atomic<std::uint64_t>& floor = forger.floor_of(0);
  ASSERT_EQ(floor.load(), 1U);
  forger.floor().store(UINT64_MAX);
  floor.store(UINT64_MAX);  // all of it may go, the reader has seen nothing
  send(queue, 3 * window);
  floor.store(1);
  EXPECT_NE(in.try_receive().error(), Code::corrupt);
  send(queue, 1);
  Result<Message> message = in.receive(5s);
  ASSERT_TRUE(message) << name(message.error());
  EXPECT_GT(message->seq(), 1U);
}

// It asked the supervisor about each number that was there once.
TEST_F(ForgeryTest, LookingIsNotLedThroughAllThatWasThereOnce) {
  const Queue queue = bus().create("q", small);
  for (int round = 0; round < 10; ++round) {
    send(queue, many);
    take(queue, "g", many);
  }
  send(queue, 1);
  const Forger forger(socket(), "q", "g");
  for (const std::uint64_t forged : {std::uint64_t{0}, std::uint64_t{7}, UINT64_MAX}) {
    forger.floor().store(forged);
    EXPECT_TRUE(is_quick([&] { EXPECT_LE(queue.peek(10).size(), 1U); })) << forged;
    EXPECT_TRUE(is_quick([&] { EXPECT_LE(queue.peek(10, 1).size(), 1U); })) << forged;
  }
}

// The first two once left a queue that said `corrupt` to its readers, and that it was well to
// everybody else; later each of them cost the queue.
TEST_F(ForgeryTest, ARingThatContradictsItselfIsReplaced) {
  struct Damage {
    const char* what;
    std::function<void(const ring::RingView&)> write;
  };
  const Damage damages[] = {
      {"published-again",
       [](const ring::RingView& ring) {
         const std::uint32_t later = ring.lap(2) + 1;
         ring.descriptor(2).published.store(
             layout::publish_word(later, layout::Published::committed));
       }},
      {"gone", [](const ring::RingView& ring) { ring.header().gone.store(1000); }},
      {"size", [](const ring::RingView& ring) { ring.descriptor(2).size = UINT32_MAX; }},
      {"claimed-again",
       [](const ring::RingView& ring) {
         ring.claim(4).word.store(layout::claim_word(ring.lap(4) + 5, {1, 1}));
       }},
  };
  for (const Damage& damage : damages) {
    const Queue queue = bus().create(damage.what, small);
    send(queue, 3);
    Producer out = queue.producer();
    Consumer in = queue.subscriber("s", {.start = Start::earliest()});
    const RingForger forger(socket(), damage.what);
    damage.write(forger.view());
    std::uint64_t told = 0;
    for (int i = 0; i < 1000 && told == 0; ++i) {
      static_cast<void>(out.send(std::vector<std::byte>(100), no_wait));
      const Result<Message> message = in.receive(50ms);
      if (message) told = message->gap();
      if (message.error() == Code::corrupt) std::this_thread::sleep_for(10ms);
    }
    EXPECT_GT(told, 0U) << damage.what;
    EXPECT_EQ(queue.info().state, QueueState::ok) << damage.what;
    const Result<std::uint64_t> sent = out.send(std::vector<std::byte>(100), 5s);
    ASSERT_TRUE(sent) << damage.what << ": " << name(sent.error());
    Result<Message> message = in.receive(5s);
    while (message && message->seq() != *sent) message = in.receive(5s);
    EXPECT_TRUE(message) << damage.what;
  }
  const Queue queue = bus().create("other", small);
  send(queue, 3);
  take(queue, "g", 3);
}

// Members of a shared group once finished such messages for good, and said nothing.
TEST_F(ForgeryTest, WhatIsSaidToBeGoneIsNotFinished) {
  for (const Full full : {Full::spill, Full::block}) {
    const std::string name = full == Full::spill ? "spills" : "blocks";
    const Queue queue = bus().create(name, {.capacity = 256 * KiB, .slots = window, .full = full});
    Consumer in = queue.consumer("g", {.prefetch = 4});
    send(queue, 8);
    const RingForger forger(socket(), name);
    forger.view().header().gone.store(6);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(in.try_receive().error(), Code::corrupt);
    EXPECT_EQ(queue.groups().at(0).lag, 8U);
    forger.view().header().gone.store(1);
    for (std::uint64_t s = 1; s <= 8; ++s) {
      Result<Message> message = in.receive(5s);
      ASSERT_TRUE(message) << spillring::name(message.error()) << " instead of message " << s;
      EXPECT_EQ(message->seq(), s);
      EXPECT_EQ(message->deliveries(), 1U);
      EXPECT_TRUE(message->ack());
    }
  }
}

TEST_F(ForgeryTest, AFloorThatMovesWhileItIsSavedIsReadOnce) {
  static_cast<void>(bus().create("q", small));
  for (int round = 0; round < 20; ++round) {
    {
      const Queue queue = bus().open("q");
      send(queue, many);
      take(queue, "g", many);
    }
    const Forger forger(socket(), "q", "g");
    std::atomic<bool> over{false};
    std::thread flips([&] {
      const std::uint64_t truth = forger.floor().load();
      while (!over) {  // each as often as the other
        for (int i = 0; i < 16; ++i) forger.floor().store(0);
        for (int i = 0; i < 16; ++i) forger.floor().store(truth);
      }
    });
    stop();
    over = true;
    flips.join();
    for (const daemon::SavedQueue& saved : daemon::Catalogue(state() / "catalogue").load()) {
      for (const daemon::SavedGroup& group : saved.groups) {
        EXPECT_LE(group.standing.size(), window);
      }
    }
    start();
  }
}

}  // namespace
}  // namespace spillring
