// What an application sees of a queue, against a supervisor in this process.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <thread>

#include "spillring/embedded.hpp"
#include "spillring/spillring.hpp"

namespace spillring {
namespace {

using namespace std::chrono_literals;

std::span<const std::byte> bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

class QueueTest : public ::testing::Test {
 protected:
  std::uint64_t send(Producer& producer, std::string_view text) {
    return producer.send(bytes(text), 1s).value();
  }
  std::string take(Consumer& consumer) {
    Result<Message> message = consumer.receive(2s);
    if (!message) return "(" + std::string(name(message.error())) + ")";
    std::string text(message->text());
    EXPECT_TRUE(message->ack());
    return text;
  }

  Embedded supervisor_;
  Client bus_ = supervisor_.connect();
};

TEST_F(QueueTest, WhatIsSentArrivesInOrder) {
  const Queue queue = bus_.create("q");
  Producer out = queue.producer();
  Consumer in = queue.consumer("g");
  const std::string large(100'000, 'x');
  EXPECT_EQ(send(out, "short"), 1U);
  EXPECT_EQ(send(out, ""), 2U);
  EXPECT_EQ(send(out, large), 3U);
  EXPECT_EQ(take(in), "short");
  EXPECT_EQ(take(in), "");
  EXPECT_EQ(take(in), large);
  EXPECT_EQ(in.try_receive().error(), Code::empty);
  EXPECT_EQ(in.receive(1ms).error(), Code::timeout);
}

TEST_F(QueueTest, KeyHeadersAndAlignmentArrive) {
  const Queue queue = bus_.create("q");
  Producer out = queue.producer();
  Consumer in = queue.consumer("g");
  const std::vector<Header> headers{{"type", bytes("text")}};
  for (const std::size_t alignment : {std::size_t{0}, std::size_t{256}, std::size_t{4096}}) {
    Result<Loan> loan = out.loan(10, 1s, {{bytes("key"), headers}, alignment});
    ASSERT_TRUE(loan);
    std::memcpy(loan->bytes().data(), "0123456789", 10);
    ASSERT_TRUE(loan->publish());
    Result<Message> message = in.receive(1s);
    ASSERT_TRUE(message);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(message->bytes().data()) %
                  (alignment == 0 ? 64 : alignment),
              0U);
    EXPECT_EQ(message->text(), "0123456789");
    ASSERT_TRUE(message->key());
    EXPECT_EQ(message->key()->size(), 3U);
    ASSERT_EQ(message->headers().size(), 1U);
    EXPECT_EQ(message->headers()[0].name, "type");
    EXPECT_TRUE(message->ack());
  }
}

TEST_F(QueueTest, AMessageIsReadWhereItWasWritten) {
  const Queue queue = bus_.create("q");
  Producer out = queue.producer();
  Consumer one = queue.subscriber("", {.start = Start::earliest()});
  Consumer two = queue.consumer("g");
  send(out, std::string(1000, 'x'));
  const Message a = one.receive(1s).value();
  const Message b = two.receive(1s).value();
  EXPECT_EQ(a.text(), b.text());
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(a.bytes().data()) % 64, 0U);
}

TEST_F(QueueTest, ALoanMayBePublishedSmallerOrNotAtAll) {
  const Queue queue = bus_.create("q");
  Producer out = queue.producer();
  Consumer in = queue.consumer("g");
  {
    Result<Loan> loan = out.loan(100);
    std::memcpy(loan->bytes().data(), "abc", 3);
    EXPECT_EQ(loan->publish(101).error(), Code::invalid);
    EXPECT_TRUE(*loan) << "the loan is as it was";
    EXPECT_EQ(loan->publish(3).value(), 1U);
    EXPECT_EQ(loan->publish().error(), Code::closed);
  }
  { const Result<Loan> dropped = out.loan(100); }
  EXPECT_EQ(send(out, "next"), 3U);
  EXPECT_EQ(take(in), "abc");
  EXPECT_EQ(take(in), "next");
}

TEST_F(QueueTest, AGroupSharesAndAnotherSeesEverything) {
  const Queue queue = bus_.create("q");
  Producer out = queue.producer();
  Consumer a = queue.consumer("g", {.prefetch = 1});
  Consumer b = queue.consumer("g", {.prefetch = 1});
  Consumer other = queue.consumer("h");
  for (int i = 0; i < 4; ++i) send(out, std::to_string(i));
  EXPECT_EQ(take(a), "0");
  EXPECT_EQ(take(b), "1");
  EXPECT_EQ(take(b), "2");
  EXPECT_EQ(take(a), "3");
  for (int i = 0; i < 4; ++i) EXPECT_EQ(take(other), std::to_string(i));
}

TEST_F(QueueTest, ANackedMessageComesAgainAndSaysSo) {
  const Queue queue = bus_.create("q");
  Producer out = queue.producer();
  Consumer in = queue.consumer("g");
  send(out, "a");
  send(out, "b");
  {
    Result<Message> message = in.receive(1s);
    EXPECT_EQ(message->deliveries(), 1U);
    EXPECT_TRUE(message->nack());
  }
  { const Result<Message> dropped = in.receive(1s); }
  std::vector<std::string> texts;
  for (int i = 0; i < 2; ++i) {
    Result<Message> message = in.receive(1s);
    ASSERT_TRUE(message);
    texts.emplace_back(message->text());
    EXPECT_EQ(message->deliveries(), 2U) << message->text();
    EXPECT_TRUE(message->ack());
  }
  EXPECT_THAT(texts, ::testing::UnorderedElementsAre("a", "b"));
  EXPECT_EQ(in.try_receive().error(), Code::empty);
}

TEST_F(QueueTest, ASettledMessageKeepsItsBytes) {
  const Queue queue = bus_.create("q", {.capacity = 64 * KiB, .slots = 64});
  Producer out = queue.producer();
  Consumer in = queue.consumer("g");
  send(out, std::string(1000, 'x'));
  Result<Message> kept = in.receive(1s);
  ASSERT_TRUE(kept->settle());
  for (int i = 0; i < 500; ++i) {
    send(out, std::string(1000, 'y'));
    ASSERT_EQ(take(in).size(), 1000U);
  }
  EXPECT_EQ(kept->text(), std::string(1000, 'x'));
  EXPECT_TRUE(kept->ack());
}

TEST_F(QueueTest, WhatWasClaimedAheadGoesBackUncounted) {
  const Queue queue = bus_.create("q");
  Producer out = queue.producer();
  for (int i = 0; i < 10; ++i) send(out, std::to_string(i));
  {
    Consumer first = queue.consumer("g", {.prefetch = 8});
    EXPECT_EQ(take(first), "0");
  }
  Consumer second = queue.consumer("g");
  for (int i = 1; i < 10; ++i) {
    Result<Message> message = second.receive(1s);
    ASSERT_TRUE(message);
    EXPECT_EQ(message->text(), std::to_string(i));
    EXPECT_EQ(message->deliveries(), 1U);
    EXPECT_TRUE(message->ack());
  }
}

TEST_F(QueueTest, AMessageMayOutliveItsConsumer) {
  const Queue queue = bus_.create("q");
  Producer out = queue.producer();
  send(out, "kept");
  Message message;
  {
    Consumer in = queue.consumer("g");
    message = in.receive(1s).value();
  }
  EXPECT_EQ(message.text(), "kept");
  EXPECT_EQ(queue.info().consumers, 1U);
  EXPECT_TRUE(message.ack());
  EXPECT_EQ(queue.info().consumers, 0U);
}

TEST_F(QueueTest, GroupsBeginWhereTheyAreTold) {
  const Queue queue = bus_.create("q");
  Producer out = queue.producer();
  for (int i = 1; i <= 5; ++i) send(out, std::to_string(i));
  Consumer all = queue.consumer("all");
  Consumer late = queue.consumer("late", {.start = Start::latest()});
  Consumer third = queue.consumer("third", {.start = Start::at(3)});
  Consumer replay = queue.subscriber("replay", {.start = Start::earliest()});
  EXPECT_EQ(take(all), "1");
  EXPECT_EQ(late.try_receive().error(), Code::empty);
  EXPECT_EQ(take(third), "3");
  EXPECT_EQ(take(replay), "1");
  send(out, "6");
  EXPECT_EQ(take(late), "6");
}

TEST_F(QueueTest, AnUnreadQueueKeepsWhatAPubSubQueueDoesNot) {
  const Queue kept = bus_.create("kept");
  const Queue pubsub = bus_.create("pubsub", {.keep = Keep::attached});
  for (const Queue& queue : {kept, pubsub}) {
    Producer out = queue.producer();
    send(out, "early");
  }
  Consumer from_kept = kept.consumer("g");
  Consumer from_pubsub = pubsub.consumer("g");
  EXPECT_EQ(take(from_kept), "early");
  EXPECT_EQ(from_pubsub.try_receive().error(), Code::empty);
}

TEST_F(QueueTest, AQueueWithoutItsLastGroupKeepsAgain) {
  const Queue queue = bus_.create("q", {.capacity = 64 * KiB, .slots = 64, .full = Full::reject});
  Producer out = queue.producer();
  { Consumer in = queue.consumer("g"); }
  queue.remove_group("g");
  EXPECT_THROW(queue.remove_group("g"), Error);
  int sent = 0;
  while (out.try_send(bytes("x"))) ++sent;
  EXPECT_GT(sent, 50);
  Consumer again = queue.consumer("g");
  for (int i = 0; i < sent; ++i) EXPECT_EQ(take(again), "x");
}

TEST_F(QueueTest, ASecondStreamReaderStandsByAndTakesOver) {
  const Queue queue = bus_.create("q");
  Producer out = queue.producer();
  auto first = std::make_unique<Consumer>(queue.subscriber("s"));
  Consumer second = queue.subscriber("s");
  send(out, "1");
  send(out, "2");
  EXPECT_EQ(second.try_receive().error(), Code::empty);
  EXPECT_EQ(take(*first), "1");
  std::thread leaver([&] {
    std::this_thread::sleep_for(20ms);
    first.reset();
  });
  EXPECT_EQ(take(second), "2");
  leaver.join();
}

TEST_F(QueueTest, AKindOfGroupStaysWhatItIs) {
  const Queue queue = bus_.create("q");
  const Consumer shared = queue.consumer("g");
  try {
    const Consumer stream = queue.subscriber("g");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::exists);
    EXPECT_FALSE(error.hint().empty());
  }
}

TEST_F(QueueTest, AFullQueueRejectsOrTimesOutAndGoesOn) {
  for (const Full full : {Full::reject, Full::block}) {
    const std::string queue_name = full == Full::reject ? "rejects" : "blocks";
    const Queue queue = bus_.create(queue_name, {.capacity = 64 * KiB, .slots = 64, .full = full});
    Producer out = queue.producer();
    Consumer in = queue.consumer("g");
    int sent = 0;
    Code code = Code::ok;
    while (code == Code::ok) {
      const auto result = out.send(bytes("message"), 20ms);
      code = result.error();
      if (result) ++sent;
    }
    EXPECT_EQ(code, full == Full::reject ? Code::full : Code::timeout);
    EXPECT_EQ(out.try_send(bytes("x")).error(), Code::full);
    EXPECT_EQ(sent, 62);
    EXPECT_EQ(take(in), "message");
    EXPECT_TRUE(out.send(bytes("room again"), 1s));
  }
}

TEST_F(QueueTest, ABlockedProducerIsWokenByAnAcknowledgement) {
  const Queue queue = bus_.create("q", {.capacity = 64 * KiB, .slots = 64});
  Producer out = queue.producer();
  Consumer in = queue.consumer("g");
  for (int i = 0; i < 62; ++i) send(out, "x");
  std::thread acker([&] {
    std::this_thread::sleep_for(50ms);
    take(in);
  });
  EXPECT_TRUE(out.send(bytes("y"), forever));
  acker.join();
}

TEST_F(QueueTest, AQueueGrowsToItsCapacityWithNobodyReading) {
  const Queue queue = bus_.create("q", {.capacity = 4 * MiB, .full = Full::reject});
  Producer out = queue.producer();
  const std::string message(1000, 'x');
  std::uint64_t sent = 0;
  while (out.try_send(bytes(message))) ++sent;
  EXPECT_GE(sent * 1024, 4 * MiB) << "capacity is a promise";
  EXPECT_GT(queue.info().rings, 1U);
  Consumer in = queue.consumer("g");
  for (std::uint64_t i = 0; i < sent; ++i) ASSERT_EQ(take(in), message) << i;
  EXPECT_EQ(in.try_receive().error(), Code::empty);
  // The supervisor lets the others go when it is told that they have been read.
  for (int i = 0; i < 5'000 && queue.info().rings != 1; ++i) std::this_thread::sleep_for(1ms);
  EXPECT_EQ(queue.info().rings, 1U);
}

TEST_F(QueueTest, AMessageTooLargeForTheFirstRingMakesTheQueueGrow) {
  const Queue queue = bus_.create("q");
  Producer out = queue.producer();
  Consumer in = queue.consumer("g");
  const std::string largest(queue.info().largest, 'x');
  EXPECT_TRUE(out.try_send(bytes(largest)));
  EXPECT_EQ(take(in).size(), largest.size());
  EXPECT_EQ(out.send(bytes(largest + "y"), 1s).error(), Code::too_large);
}

TEST_F(QueueTest, SizesThatOverflowAreRefused) {
  const Queue queue = bus_.create("q");
  Producer out = queue.producer();
  EXPECT_EQ(out.loan(SIZE_MAX).error(), Code::too_large);
  EXPECT_EQ(out.loan(SIZE_MAX - 63).error(), Code::too_large);
  EXPECT_EQ(out.loan(10, 1s, {{}, 3}).error(), Code::invalid);
  EXPECT_EQ(out.loan(10, 1s, {{}, 8192}).error(), Code::invalid);
  const std::string key(70'000, 'k');
  EXPECT_EQ(out.loan(10, 1s, {{bytes(key), {}}, 0}).error(), Code::too_large);
}

TEST_F(QueueTest, APurgePassesEverythingOver) {
  const Queue queue = bus_.create("q");
  Producer out = queue.producer();
  Consumer in = queue.consumer("g");
  Consumer stream = queue.subscriber("s", {.start = Start::earliest()});
  for (int i = 0; i < 5; ++i) send(out, std::string(100, 'x'));
  Result<Message> held = in.receive(1s);
  Result<Loan> loan = out.loan(10);
  EXPECT_GT(queue.purge(), 0U);
  EXPECT_EQ(loan->publish().error(), Code::stale) << "it would never be seen";
  EXPECT_EQ(held->text(), std::string(100, 'x'));
  EXPECT_EQ(in.try_receive().error(), Code::empty);
  EXPECT_EQ(stream.try_receive().error(), Code::empty);
  send(out, "after");
  EXPECT_EQ(take(in), "after");
  EXPECT_EQ(take(stream), "after");
  EXPECT_EQ(held->ack().error(), Code::stale);
}

TEST_F(QueueTest, ARemovedQueueSaysSoToAll) {
  const Queue queue = bus_.create("q");
  Producer out = queue.producer();
  Consumer in = queue.consumer("g");
  send(out, std::string(100, 'x'));
  const Message view = in.receive(1s).value();
  Code woken = Code::ok;
  Consumer waiting = queue.consumer("h", {.start = Start::latest()});
  std::thread waiter([&] { woken = waiting.receive(10s).error(); });
  std::this_thread::sleep_for(20ms);
  bus_.remove("q");
  waiter.join();
  EXPECT_EQ(woken, Code::deleted);
  EXPECT_EQ(out.send(bytes("x"), 1s).error(), Code::deleted);
  EXPECT_EQ(in.receive(1s).error(), Code::deleted);
  EXPECT_EQ(view.text(), std::string(100, 'x'));
  EXPECT_THROW(static_cast<void>(queue.info()), Error);
  EXPECT_NO_THROW(static_cast<void>(bus_.create("q")));
}

TEST_F(QueueTest, PeekChangesNothing) {
  const Queue queue = bus_.create("q");
  Producer out = queue.producer();
  const std::vector<Header> headers{{"h", bytes("v")}};
  EXPECT_TRUE(out.send(bytes("one"), 1s, {bytes("k"), headers}));
  send(out, std::string(5000, 'z'));
  for (int round = 0; round < 2; ++round) {
    const auto seen = queue.peek(10);
    ASSERT_EQ(seen.size(), 2U);
    EXPECT_EQ(seen[0].payload.size(), 3U);
    ASSERT_TRUE(seen[0].key);
    ASSERT_EQ(seen[0].headers.size(), 1U);
    EXPECT_EQ(seen[0].headers[0].first, "h");
    EXPECT_EQ(seen[1].payload.size(), 5000U);
  }
  EXPECT_EQ(queue.peek(1, 2).front().seq, 2U);
  EXPECT_TRUE(queue.peek(1, 3).empty());
  Consumer in = queue.consumer("g");
  EXPECT_EQ(take(in), "one");
}

TEST_F(QueueTest, InfoCountsWhatIsThere) {
  const Queue queue = bus_.create("q");
  Producer out = queue.producer();
  Consumer in = queue.consumer("g");
  for (int i = 0; i < 5; ++i) send(out, std::string(100, 'x'));
  const Message held = in.receive(1s).value();
  const QueueInfo info = queue.info();
  EXPECT_EQ(info.messages, 5U);
  EXPECT_EQ(info.bytes, 5U * 128);
  EXPECT_EQ(info.producers, 1U);
  EXPECT_EQ(info.consumers, 1U);
  ASSERT_EQ(queue.groups().size(), 1U);
  EXPECT_EQ(queue.groups()[0].lag, 5U);
  EXPECT_EQ(queue.groups()[0].unacked, 5U) << "claimed ahead";
  EXPECT_LT(info.memory, 2 * MiB);
}

TEST_F(QueueTest, LagIsKnownBeforeAnythingIsReceived) {
  const Queue queue = bus_.create("q");
  Producer out = queue.producer();
  for (int i = 0; i < 10; ++i) send(out, "x");
  Consumer in = queue.consumer("g");
  EXPECT_EQ(in.lag(), 10U);
  EXPECT_EQ(take(in), "x");
  EXPECT_EQ(in.lag(), 9U);
}

TEST_F(QueueTest, AQueueOfFewSlotsDoesNotGrowForWantOfSlots) {
  const Queue queue = bus_.create("q", {.slots = 64, .full = Full::reject});
  Producer out = queue.producer();
  int sent = 0;
  while (out.try_send(bytes("x"))) ++sent;
  EXPECT_EQ(sent, 62);
  EXPECT_EQ(queue.info().rings, 1U);
}

TEST_F(QueueTest, AConsumerThatHasReadNothingGoesOnWithoutItsSupervisor) {
  auto supervisor = std::make_unique<Embedded>();
  const Queue queue = supervisor->connect().create("q");
  Producer out = queue.producer();
  Consumer in = queue.consumer("g");
  Consumer stream = queue.subscriber();
  supervisor.reset();
  send(out, "x");
  EXPECT_EQ(take(in), "x");
  EXPECT_EQ(take(stream), "x");
}

TEST_F(QueueTest, BadNamesAndOptionsAreRefusedWithAReason) {
  for (const std::string& bad : {std::string(), std::string(".hidden"), std::string("a/b"),
                                 std::string("a b"), std::string("ä"), std::string(121, 'x')}) {
    try {
      static_cast<void>(bus_.create(bad));
      FAIL() << bad;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::invalid);
      EXPECT_FALSE(error.why().empty());
    }
  }
  EXPECT_NO_THROW(static_cast<void>(bus_.create(std::string(120, 'x'))));
  const QueueOptions bad[] = {{.capacity = 0},       {.capacity = UINT64_MAX}, {.slots = 0},
                              {.slots = UINT64_MAX}, {.stall_timeout = 0s},    {.lease = 1ns}};
  for (const QueueOptions& options : bad) {
    EXPECT_THROW(static_cast<void>(bus_.create("q", options)), Error);
  }
  EXPECT_EQ(bus_.list().size(), 1U) << "nothing is left behind";
  EXPECT_THROW(static_cast<void>(bus_.open("nobody")), Error);
}

TEST_F(QueueTest, MemoryThatCannotBeHadLeavesNothingBehind) {
  try {
    static_cast<void>(bus_.create("huge", {.capacity = 1024 * GiB, .prealloc = true}));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::no_memory);
    EXPECT_FALSE(error.hint().empty());
  }
  EXPECT_TRUE(bus_.list().empty());
  EXPECT_NO_THROW(static_cast<void>(bus_.create("huge")));
}

TEST_F(QueueTest, ManyQueuesAreListedWhole) {
  for (int i = 0; i < 60; ++i) static_cast<void>(bus_.create("queue-" + std::to_string(i)));
  EXPECT_EQ(bus_.list().size(), 60U);
}

TEST_F(QueueTest, AWaitBesideOtherCallsReturnsWhenSomethingIsThere) {
  const Queue queue = bus_.create("q");
  Producer out = queue.producer();
  Consumer in = queue.consumer("g");
  EXPECT_EQ(in.try_receive().error(), Code::empty);
  EXPECT_EQ(in.wait(5ms).error(), Code::timeout);
  std::thread sender([&] {
    std::this_thread::sleep_for(20ms);
    send(out, "x");
  });
  while (true) {
    Result<Message> message = in.try_receive();
    if (message) break;
    ASSERT_TRUE(in.wait(10s));
  }
  sender.join();
}

TEST_F(QueueTest, WithoutItsSupervisorDataGoesOn) {
  auto supervisor = std::make_unique<Embedded>();
  const Client bus = supervisor->connect();
  const Queue queue = bus.create("q");
  Producer out = queue.producer();
  Consumer in = queue.consumer("g");
  send(out, "before");
  EXPECT_EQ(take(in), "before");
  supervisor.reset();
  send(out, "after");
  EXPECT_EQ(take(in), "after");
  try {
    static_cast<void>(bus.list());
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::unavailable);
  }
}

}  // namespace
}  // namespace spillring
