// Retention, seek and starts: what was read can be read again, as far as the queue still has it.
#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <thread>

#include "client/state_fixture.hpp"

namespace spillring {
namespace {

using namespace std::chrono_literals;

class HistoryTest : public StateTest {
 protected:
  HistoryTest() : StateTest(64 * MiB) {}

  /// Sends numbers as messages of 1 KiB.
  static void send(const Queue& queue, std::uint64_t from, std::uint64_t to) {
    Producer out = queue.producer();
    std::vector<std::byte> bytes(1024);
    for (std::uint64_t i = from; i < to; ++i) {
      std::memcpy(bytes.data(), &i, sizeof i);
      ASSERT_TRUE(out.send(bytes, 10s));
    }
  }
  static std::uint64_t number_in(const Message& message) {
    std::uint64_t number = 0;
    std::memcpy(&number, message.bytes().data(), sizeof number);
    return number;
  }
  static void expect(Consumer& in, std::uint64_t from, std::uint64_t to) {
    for (std::uint64_t i = from; i < to; ++i) {
      Result<Message> got = in.receive(10s);
      ASSERT_TRUE(got) << name(got.error()) << " instead of " << i;
      ASSERT_EQ(number_in(*got), i);
      ASSERT_TRUE(got->ack());
    }
  }
  static void wait_until_journaled(const Queue& queue, std::uint64_t end) {
    for (int tries = 0; tries < 2000; ++tries) {
      const QueueInfo info = queue.info();
      if (info.first + info.journaled >= end || info.first >= end) return;
      std::this_thread::sleep_for(5ms);
    }
    FAIL() << "it is never written";
  }
};

TEST_F(HistoryTest, ANewGroupReadsWhatOthersHaveFinishedWith) {
  const Queue queue =
      bus().create("q", {.capacity = MiB, .retain_bytes = 100 * MiB, .prealloc = true});
  std::thread sender([&] { send(queue, 1, 5001); });
  Consumer in = queue.consumer("first");
  expect(in, 1, 5001);
  sender.join();
  EXPECT_EQ(queue.info().earliest, 1U);
  Consumer late = queue.consumer("late");
  expect(late, 1, 5001);
  Consumer subscription = queue.subscriber({}, {.start = Start::earliest()});
  expect(subscription, 1, 5001);
  Consumer middle = queue.consumer("middle", {.start = Start::at(2500)});
  Result<Message> got = middle.receive(5s);
  ASSERT_TRUE(got);
  EXPECT_EQ(got->seq(), 2500U);
}

TEST_F(HistoryTest, WithoutRetentionItIsGone) {
  const Queue queue = bus().create("q", {.capacity = MiB});
  Consumer in = queue.consumer("first");
  std::thread sender([&] { send(queue, 1, 5001); });
  expect(in, 1, 5001);
  sender.join();
  Consumer late = queue.consumer("late");
  EXPECT_EQ(late.receive(no_wait).error(), Code::empty);
}

TEST_F(HistoryTest, NoMoreIsKeptThanWasAskedForByMuch) {
  const Queue queue =
      bus().create("q", {.capacity = MiB, .retain_bytes = 4 * MiB, .prealloc = true});
  Consumer in = queue.consumer("first");
  std::thread sender([&] { send(queue, 1, 20'001); });
  expect(in, 1, 20'001);
  sender.join();
  wait_until_journaled(queue, 20'001);
  static_cast<void>(queue.purge());  // the supervisor looks
  const QueueInfo info = queue.info();
  EXPECT_GE(info.journal_bytes, 4 * MiB);
  EXPECT_LE(info.journal_bytes, 8 * MiB);
  EXPECT_GT(info.earliest, 10'000U);
  EXPECT_LT(info.earliest, 20'001U - 3500) << "4 MiB are about 3800 of these";
  Consumer late = queue.consumer("late");
  Result<Message> got = late.receive(5s);
  ASSERT_TRUE(got);
  EXPECT_EQ(got->seq(), info.earliest);
}

TEST_F(HistoryTest, WhatIsTooOldGoes) {
  const Queue queue = bus().create("q", {.capacity = MiB, .retain_age = 400ms, .prealloc = true});
  Consumer in = queue.consumer("first");
  std::uint64_t next = 1;
  // Files are begun as time passes, and so the oldest go.
  for (int tries = 0; tries < 100 && queue.info().earliest == 1; ++tries) {
    send(queue, next, next + 10);
    expect(in, next, next + 10);
    next += 10;
    std::this_thread::sleep_for(100ms);
  }
  EXPECT_GT(queue.info().earliest, 1U);
}

TEST_F(HistoryTest, WhatSomebodyStillNeedsStaysHoweverOldAndLarge) {
  const Queue queue = bus().create(
      "q", {.capacity = MiB, .full = Full::spill, .retain_age = 1ms, .retain_bytes = 65536});
  Consumer slow = queue.consumer("slow");
  send(queue, 1, 10'001);
  std::this_thread::sleep_for(20ms);
  expect(slow, 1, 10'001);
}

TEST_F(HistoryTest, AConsumerGoesBackAndForth) {
  const Queue queue =
      bus().create("q", {.capacity = MiB, .retain_bytes = 100 * MiB, .prealloc = true});
  Consumer in = queue.consumer("group", {.prefetch = 16});
  std::thread sender([&] { send(queue, 1, 3001); });
  expect(in, 1, 3001);
  sender.join();
  in.seek(Start::earliest());
  expect(in, 1, 100);
  in.seek(Start::at(2900));
  expect(in, 2900, 2950);
  in.seek(Start::latest());
  EXPECT_EQ(in.receive(no_wait).error(), Code::empty);
  send(queue, 3001, 3002);
  expect(in, 3001, 3002);
  in.seek(Start::at(1500));
  expect(in, 1500, 3002);
  EXPECT_EQ(queue.groups().size(), 1U);
}

TEST_F(HistoryTest, AStreamGoesBackAndForth) {
  const Queue queue =
      bus().create("q", {.capacity = MiB, .retain_bytes = 100 * MiB, .prealloc = true});
  Consumer named = queue.subscriber("stream", {.start = Start::earliest()});
  Consumer unnamed = queue.subscriber({}, {.start = Start::earliest()});
  std::thread sender([&] { send(queue, 1, 2001); });
  std::thread other([&] { expect(unnamed, 1, 2001); });
  expect(named, 1, 2001);
  sender.join();
  other.join();
  for (Consumer* in : {&named, &unnamed}) {
    in->seek(Start::at(1000));
    expect(*in, 1000, 2001);
  }
}

TEST_F(HistoryTest, AGroupThatIsInUseDoesNotMove) {
  const Queue queue = bus().create("q");
  send(queue, 1, 4);
  Consumer one = queue.consumer("group", {.prefetch = 1});
  const auto code_of = [](const auto& call) {
    try {
      call();
      return Code::ok;
    } catch (const Error& error) {
      return error.code();
    }
  };
  Result<Message> held = one.receive(5s);
  ASSERT_TRUE(held);
  EXPECT_EQ(code_of([&] { one.seek(Start::latest()); }), Code::busy) << "a message is in use";
  ASSERT_TRUE(held->ack());
  EXPECT_EQ(code_of([&] { queue.seek("group", Start::latest()); }), Code::busy);
  {
    Consumer two = queue.consumer("group", {.prefetch = 1});
    EXPECT_EQ(code_of([&] { one.seek(Start::latest()); }), Code::busy) << "it has another member";
  }
  EXPECT_EQ(code_of([&] { queue.seek("nobody", Start::latest()); }), Code::not_found);
  expect(one, 2, 3);
  one.close();
  queue.seek("group", Start::latest());
  EXPECT_EQ(queue.groups().front().lag, 0U);
}

TEST_F(HistoryTest, AMomentIsFoundInTheJournalAndInTheRing) {
  const Queue queue =
      bus().create("q", {.capacity = 256 * KiB, .retain_bytes = 100 * MiB, .prealloc = true});
  Consumer in = queue.consumer("first");
  std::thread sender([&] { send(queue, 1, 3001); });
  std::vector<std::uint64_t> times(1);
  for (std::uint64_t i = 1; i < 3001; ++i) {
    Result<Message> got = in.receive(10s);
    ASSERT_TRUE(got);
    times.push_back(static_cast<std::uint64_t>(got->timestamp().time_since_epoch().count()));
    ASSERT_TRUE(got->ack());
  }
  sender.join();
  for (const std::uint64_t wanted : {1U, 2U, 700U, 1500U, 2999U, 3000U}) {
    in.seek(Start::at_time(times[wanted]));
    Result<Message> got = in.receive(10s);
    ASSERT_TRUE(got);
    EXPECT_EQ(static_cast<std::uint64_t>(got->timestamp().time_since_epoch().count()),
              times[wanted]);
    ASSERT_TRUE(got->ack());
  }
  in.seek(Start::at_time(0));
  expect(in, 1, 2);
  in.seek(Start::at_time(times[3000] + 1));
  EXPECT_EQ(in.receive(no_wait).error(), Code::empty);
}

}  // namespace
}  // namespace spillring
