// full = drop-oldest: nobody waits, and everybody is told how much was missed.
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "client/state_fixture.hpp"
#include "client/supervisor_fixture.hpp"

namespace spillring {
namespace {

QueueOptions dropping() { return {.capacity = 64 * KiB, .slots = 64, .full = Full::drop_oldest}; }

std::string numbered(std::uint64_t number, std::size_t size = 100) {
  std::string text = std::to_string(number);
  text.resize(size, '.');
  return text;
}

/// What a consumer got and missed.
struct Account {
  std::uint64_t received = 0;
  std::uint64_t missed = 0;
  std::uint64_t last = 0;
};

/// Takes all there is; the numbers of its messages grow.
Account take_all(Consumer& in) {
  Account account;
  while (auto message = in.receive(50ms)) {
    const std::uint64_t number = std::stoull(std::string(message->text()));
    EXPECT_GT(number, account.last);
    account.missed += message->gap();
    EXPECT_EQ(number - account.last, message->gap() + 1) << "the gap lies right before it";
    account.last = number;
    EXPECT_TRUE(message->ack());
    ++account.received;
  }
  return account;
}

GroupInfo group_of(const Queue& queue, const std::string& name) {
  for (const GroupInfo& group : queue.groups()) {
    if (group.name == name) return group;
  }
  ADD_FAILURE() << "no group " << name;
  return {};
}

class DropOldest : public WithSupervisor {
 protected:
  static void send_numbers(Producer& out, std::uint64_t from, std::uint64_t to,
                           std::size_t size = 100) {
    for (std::uint64_t number = from; number < to; ++number) {
      const auto sent = out.send(bytes(numbered(number, size)), 30s);
      ASSERT_TRUE(sent) << number << ": " << name(sent.error());
    }
  }
};

TEST_F(DropOldest, SendersNeverWaitAndASharedGroupIsToldWhatItMissed) {
  const Queue queue = bus_.create("q", dropping());
  Consumer in = queue.consumer("g");
  Producer out = queue.producer();
  send_numbers(out, 1, 1001);
  const Account account = take_all(in);
  EXPECT_EQ(account.received + account.missed, 1000U);
  EXPECT_EQ(account.last, 1000U);
  EXPECT_GE(account.received, 64U * 3 / 4) << "the queue keeps what it can";
  EXPECT_EQ(group_of(queue, "g").dropped, account.missed);
  EXPECT_EQ(queue.info().dropped, account.missed);
}

TEST_F(DropOldest, SoIsAStream) {
  const Queue queue = bus_.create("q", dropping());
  Consumer in = queue.subscriber("s");
  Producer out = queue.producer();
  std::uint64_t received = 0;
  std::uint64_t missed = 0;
  for (int round = 0; round < 10; ++round) {
    send_numbers(out, 1, 1 + static_cast<std::uint64_t>(round) * 40);
    while (auto message = in.receive(no_wait)) {
      ++received;
      missed += message->gap();
    }
  }
  EXPECT_EQ(received + missed, 40U * 45);
  EXPECT_GT(missed, 0U);
  EXPECT_EQ(group_of(queue, "s").dropped, missed);
}

TEST_F(DropOldest, WhatWasSentBeforeTheFirstGroupCameCounts) {
  const Queue queue = bus_.create("q", dropping());
  Producer out = queue.producer();
  send_numbers(out, 1, 501);
  EXPECT_GT(queue.info().dropped, 400U);
  EXPECT_LE(queue.info().messages, 64U);
  Consumer in = queue.consumer("g");
  const Account account = take_all(in);
  EXPECT_EQ(account.received + account.missed, 500U);
  Consumer late = queue.subscriber("late", {.start = Start::latest()});
  send_numbers(out, 501, 504);
  EXPECT_EQ(late.receive(1s)->gap(), 0U) << "it was not there, and has missed nothing";
  EXPECT_EQ(group_of(queue, "late").dropped, 0U);
}

TEST_F(DropOldest, GrowsToItsCapacityFirst) {
  const Queue queue = bus_.create("q", {.capacity = 4 * MiB, .full = Full::drop_oldest});
  Producer out = queue.producer();
  Consumer in = queue.consumer("g");
  const std::uint64_t fits = 4 * MiB / 1024;
  send_numbers(out, 1, fits, 1000);
  EXPECT_EQ(queue.info().dropped, 0U);
  send_numbers(out, fits, 3 * fits, 1000);
  const Account account = take_all(in);
  EXPECT_EQ(account.received + account.missed, 3 * fits - 1);
  EXPECT_GE(account.received, fits * 3 / 4);
  EXPECT_EQ(queue.info().rings, 1U);
}

TEST_F(DropOldest, NumbersThatWereGivenUpAreNotMissed) {
  const Queue queue = bus_.create("q", dropping());
  Consumer in = queue.consumer("g");
  Consumer stream = queue.subscriber("s");
  Producer out = queue.producer();
  std::uint64_t published = 0;
  for (int i = 0; i < 1000; ++i) {
    auto loan = out.loan(64, 1s);
    ASSERT_TRUE(loan);
    if (i % 3 == 0) continue;  // given up
    ASSERT_TRUE(loan->publish());
    ++published;
  }
  for (Consumer* each : {&in, &stream}) {
    std::uint64_t accounted = 0;
    while (auto message = each->receive(no_wait)) {
      accounted += 1 + message->gap();
      EXPECT_TRUE(message->ack());
    }
    EXPECT_EQ(accounted, published);
  }
}

TEST_F(DropOldest, AViewStaysAsItIsAndItsLateAcknowledgementIsStale) {
  const Queue queue = bus_.create("q", dropping());
  Consumer slow = queue.consumer("g", {.prefetch = 1});
  Producer out = queue.producer();
  send_numbers(out, 1, 10);
  auto held = slow.receive(1s);
  ASSERT_TRUE(held);
  // The hold is in the way: the ring is replaced, and dropped as a whole once the next one is full.
  send_numbers(out, 10, 1001);
  EXPECT_EQ(held->text(), numbered(1));
  EXPECT_EQ(queue.info().rings, 1U);
  Consumer other = queue.consumer("g");
  std::uint64_t accounted = 0;
  while (auto message = other.receive(no_wait)) {
    accounted += 1 + message->gap();
    EXPECT_TRUE(message->ack());
  }
  EXPECT_EQ(held->ack().error(), Code::stale) << "it was dropped, and counted";
  EXPECT_EQ(accounted, 1000U);
}

TEST_F(DropOldest, AMessageInSomebodysHandsIsNotDroppedBeforeTheRingIs) {
  const Queue queue = bus_.create("q", dropping());
  Consumer slow = queue.consumer("g", {.prefetch = 1});
  Producer out = queue.producer();
  send_numbers(out, 1, 10);
  auto held = slow.receive(1s);
  ASSERT_TRUE(held);
  send_numbers(out, 10, 63);
  EXPECT_TRUE(held->ack());
  EXPECT_EQ(slow.receive(1s)->gap(), 0U);
}

TEST_F(DropOldest, ALoanInTheWayHoldsOthersUpForAsLongAsItMay) {
  QueueOptions options = dropping();
  options.stall_timeout = 50ms;
  const Queue queue = bus_.create("q", options);
  Producer stuck = queue.producer();
  Producer out = queue.producer();
  Consumer in = queue.consumer("g");
  auto loan = stuck.loan(64, 1s);
  ASSERT_TRUE(loan);
  std::uint64_t sent = 0;
  for (std::uint64_t number = 1; number <= 500; ++number) {
    ASSERT_TRUE(out.send(bytes(numbered(number)), 10s)) << number;
    ++sent;
  }
  EXPECT_EQ(loan->publish().error(), Code::stale);
  std::uint64_t accounted = 0;
  while (auto message = in.receive(no_wait)) {
    accounted += 1 + message->gap();
    EXPECT_TRUE(message->ack());
  }
  EXPECT_EQ(accounted, sent);
}

TEST_F(DropOldest, WhatIsHandedBackDelayedOrDoomedIsDroppedAsAnyOther) {
  QueueOptions options = dropping();
  options.max_deliveries = 2;
  const Queue queue = bus_.create("q", options);
  Consumer in = queue.consumer("g", {.prefetch = 1});
  Producer out = queue.producer();
  send_numbers(out, 1, 11);
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(in.receive(1s)->nack(1h));
  send_numbers(out, 11, 501);
  std::uint64_t accounted = 0;
  while (auto message = in.receive(50ms)) {
    accounted += 1 + message->gap();
    EXPECT_EQ(message->deliveries(), 1U);
    EXPECT_TRUE(message->ack());
  }
  EXPECT_EQ(accounted, 500U);
}

TEST_F(DropOldest, WhatWasAcknowledgedBehindWhatWasNotIsNotMissed) {
  const Queue queue = bus_.create("q", dropping());
  Consumer in = queue.consumer("g", {.prefetch = 1});
  Producer out = queue.producer();
  send_numbers(out, 1, 11);
  EXPECT_TRUE(in.receive(1s)->nack(1h));
  for (int i = 2; i <= 10; ++i) EXPECT_TRUE(in.receive(1s)->ack());
  send_numbers(out, 11, 501);
  std::uint64_t accounted = 9;
  while (auto message = in.receive(50ms)) {
    accounted += 1 + message->gap();
    EXPECT_TRUE(message->ack());
  }
  EXPECT_EQ(accounted, 500U);
}

TEST_F(DropOldest, WhatWasPurgedWasNotDropped) {
  const Queue queue = bus_.create("q", dropping());
  Consumer in = queue.consumer("g");
  Consumer stream = queue.subscriber("s");
  Producer out = queue.producer();
  send_numbers(out, 1, 201);
  queue.purge();
  const std::uint64_t dropped = group_of(queue, "g").dropped;
  EXPECT_GT(dropped, 100U);
  EXPECT_LT(dropped, 200U);
  send_numbers(out, 201, 205);
  std::uint64_t received = 0;
  std::uint64_t missed = 0;
  while (auto message = in.receive(50ms)) {
    ++received;
    missed += message->gap();
    EXPECT_TRUE(message->ack());
  }
  EXPECT_EQ(received, 4U);
  EXPECT_EQ(missed, dropped);
  send_numbers(out, 205, 405);
  while (auto message = in.receive(50ms)) {
    ++received;
    missed += message->gap();
    EXPECT_TRUE(message->ack());
  }
  EXPECT_EQ(received + missed, 204 + dropped);
}

TEST_F(DropOldest, WhatIsPurgedWhileItIsReadWasNotDropped) {
  const Queue queue = bus_.create("q", {.capacity = 16 * MiB, .full = Full::drop_oldest});
  Consumer in = queue.consumer("g");
  Consumer stream = queue.subscriber("s");
  std::atomic<bool> over{false};
  std::vector<std::thread> threads;
  for (Consumer* each : {&in, &stream}) {
    threads.emplace_back([&over, each] {
      while (!over.load()) {
        if (auto message = each->receive(5ms)) static_cast<void>(message->ack());
      }
    });
  }
  threads.emplace_back([&] {
    while (!over.load()) queue.purge();
  });
  Producer out = queue.producer();
  for (int i = 0; i < 60'000; ++i) {
    if (i % 5 == 0) static_cast<void>(out.loan(8, 10s));  // given up
    // What was purged before it was published is `stale`.
    const auto sent = out.send(bytes(numbered(1, 20)), 10s);
    EXPECT_TRUE(sent || sent.error() == Code::stale);
  }
  over.store(true);
  for (auto& thread : threads) thread.join();
  // There was always room.
  EXPECT_EQ(group_of(queue, "g").dropped, 0U);
  EXPECT_EQ(group_of(queue, "s").dropped, 0U);
}

TEST_F(DropOldest, WhatWaitsForTheDeadLettersIsDroppedNotDiscarded) {
  const Queue dead = bus_.create("dead", {.capacity = 64 * KiB, .slots = 64, .full = Full::reject});
  Consumer letters = dead.consumer("g");
  Producer other = dead.producer();
  while (other.try_send(bytes("in the way"))) {
  }
  QueueOptions options = dropping();
  options.max_deliveries = 1;
  options.dead_letter = "dead";
  const Queue queue = bus_.create("q", options);
  Consumer in = queue.consumer("g", {.prefetch = 1});
  Consumer later = queue.consumer("later", {.prefetch = 1});
  Producer out = queue.producer();
  send_numbers(out, 1, 2);
  EXPECT_TRUE(in.receive(1s)->nack());
  send_numbers(out, 2, 501);
  EXPECT_TRUE(later.receive(1s)->nack());
  // Groups are looked after in turn: when the second one's letter is there, the first one's was
  // looked at.
  for (;;) {
    auto letter = letters.receive(10s);
    ASSERT_TRUE(letter);
    EXPECT_TRUE(letter->ack());
    if (letter->text() != "in the way") break;
  }
  EXPECT_EQ(queue.info().discarded, 0U);
  const Account account = take_all(in);
  EXPECT_EQ(account.received + account.missed, 500U);
}

TEST_F(DropOldest, ConcurrentSendersAndReadersMissNothingUntold) {
  const Queue queue =
      bus_.create("q", {.capacity = 256 * KiB, .slots = 1024, .full = Full::drop_oldest});
  constexpr std::uint64_t each = 30'000;
  std::atomic<int> sending{2};
  std::atomic<std::uint64_t> received{0};
  std::atomic<std::uint64_t> missed{0};
  std::atomic<std::uint64_t> stale{0};
  std::uint64_t streamed = 0;
  std::vector<Consumer> members;
  members.reserve(2);
  for (int i = 0; i < 2; ++i) members.push_back(queue.consumer("g", {.prefetch = 8}));
  Consumer stream = queue.subscriber("s");
  std::vector<std::thread> threads;
  threads.reserve(5);
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back([&] {
      Producer out = queue.producer();
      for (std::uint64_t number = 0; number < each; ++number) {
        EXPECT_TRUE(out.send(bytes(numbered(number, 64 + number % 200)), 30s));
      }
      sending.fetch_sub(1);
    });
  }
  const auto over = [&](const Result<Message>& message) { return !message && sending.load() == 0; };
  for (Consumer& member : members) {
    threads.emplace_back([&] {
      for (;;) {
        auto message = member.receive(20ms);
        if (over(message)) break;
        if (!message) continue;
        missed.fetch_add(message->gap());
        const std::string text(message->text());
        EXPECT_EQ(text, numbered(std::stoull(text), message->bytes().size()));
        (message->ack() ? received : stale).fetch_add(1);
      }
    });
  }
  threads.emplace_back([&] {
    for (;;) {
      auto message = stream.receive(20ms);
      if (over(message)) break;
      if (message) streamed += 1 + message->gap();
    }
  });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(received.load() + group_of(queue, "g").dropped, 2 * each);
  EXPECT_EQ(missed.load(), group_of(queue, "g").dropped);
  EXPECT_EQ(streamed, 2 * each);
}

TEST_F(DropOldest, WhatMakesNoSenseIsRefused) {
  const Queue target = bus_.create("drops", dropping());
  QueueOptions options = dropping();
  options.max_deliveries = 2;
  options.dead_letter = "drops";
  try {
    static_cast<void>(bus_.create("q", options));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::invalid);
    EXPECT_NE(std::string(error.what()).find("drops its oldest"), std::string::npos);
  }
}

class DropOldestState : public StateTest {};

TEST_F(DropOldestState, IsRefusedWhereEverythingIsKept) {
  QueueOptions options = dropping();
  options.durability = Durability::disk;
  EXPECT_THROW(static_cast<void>(bus().create("q", options)), Error);
  options = dropping();
  options.retain_bytes = 1;
  EXPECT_THROW(static_cast<void>(bus().create("q", options)), Error);
}

TEST_F(DropOldestState, GoesOnAfterACleanStopAndTheCountsDo) {
  {
    const Queue queue = bus().create("q", dropping());
    Producer out = queue.producer();
    Consumer in = queue.consumer("g");
    for (std::uint64_t i = 1; i <= 300; ++i) ASSERT_TRUE(out.try_send(bytes(numbered(i))));
  }
  restart();
  const Queue queue = bus().open("q");
  const std::uint64_t before = group_of(queue, "g").dropped;
  EXPECT_GT(before, 200U);
  Producer out = queue.producer();
  // What the stop has left on the disk is older than all of this, and is dropped first.
  for (std::uint64_t i = 301; i <= 600; ++i) ASSERT_TRUE(out.try_send(bytes(numbered(i))));
  Consumer in = queue.consumer("g");
  const Account account = take_all(in);
  EXPECT_EQ(account.received + account.missed, 600U);
  EXPECT_EQ(account.last, 600U);
  EXPECT_EQ(group_of(queue, "g").dropped, account.missed);
}

TEST_F(DropOldestState, NumbersWithoutAMessageThatAStopHasLeftAreNotMissed) {
  for (const bool in_front : {true, false}) {
    SCOPED_TRACE(in_front);
    const std::string name = in_front ? "front" : "middle";
    {
      const Queue queue = bus().create(name, dropping());
      Producer out = queue.producer();
      if (in_front) static_cast<void>(out.loan(64, 1s));  // given up
      for (std::uint64_t i = 1; i <= 5; ++i) ASSERT_TRUE(out.try_send(bytes(numbered(i))));
      static_cast<void>(out.loan(64, 1s));
      for (std::uint64_t i = 6; i <= 10; ++i) ASSERT_TRUE(out.try_send(bytes(numbered(i))));
    }
    restart();
    const Queue queue = bus().open(name);
    Consumer in = queue.consumer("g");
    Consumer stream = queue.subscriber("s", {.start = Start::earliest()});
    Consumer behind = queue.consumer("behind", {.start = Start::at(4)});
    const Account account = take_all(in);
    EXPECT_EQ(account.received, 10U);
    EXPECT_EQ(account.missed, 0U);
    while (auto message = stream.receive(50ms)) EXPECT_EQ(message->gap(), 0U);
    while (auto message = behind.receive(50ms)) {
      EXPECT_EQ(message->gap(), 0U);
      EXPECT_TRUE(message->ack());
    }
    for (const char* group : {"g", "s", "behind"}) EXPECT_EQ(group_of(queue, group).dropped, 0U);
  }
}

TEST_F(DropOldestState, WhatACleanStopHasLeftIsReadFirstWhereThereIsRoom) {
  {
    const Queue queue = bus().create("q", dropping());
    Producer out = queue.producer();
    Consumer in = queue.consumer("g");
    for (std::uint64_t i = 1; i <= 300; ++i) ASSERT_TRUE(out.try_send(bytes(numbered(i))));
  }
  restart();
  const Queue queue = bus().open("q");
  Producer out = queue.producer();
  for (std::uint64_t i = 301; i <= 310; ++i) ASSERT_TRUE(out.try_send(bytes(numbered(i))));
  Consumer in = queue.consumer("g");
  const Account account = take_all(in);
  EXPECT_EQ(account.received + account.missed, 310U);
  EXPECT_GT(account.received, 50U);
}

}  // namespace
}  // namespace spillring
