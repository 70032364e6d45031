// Messages and loans, from sending to acknowledging.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "client/supervisor_fixture.hpp"

namespace spillring {
namespace {

class MessageTest : public WithSupervisor {};

TEST_F(MessageTest, WhatIsSentArrivesInOrder) {
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

TEST_F(MessageTest, KeyHeadersAndAlignmentArrive) {
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

TEST_F(MessageTest, WhatHasEndedOrMovedShowsNothing) {
  const Queue queue = bus_.create("q");
  Producer out = queue.producer();
  Consumer in = queue.consumer("g");
  Result<Loan> loan = out.loan(100, 1s, {{bytes("key"), {}}, 0});
  ASSERT_TRUE(loan);
  ASSERT_TRUE(loan->publish());
  EXPECT_TRUE(loan->bytes().empty());
  Message first = in.receive(1s).value();
  Message second = std::move(first);
  // NOLINTNEXTLINE(bugprone-use-after-move): that is what is asked here
  EXPECT_TRUE(first.bytes().empty() && !first.key());
  EXPECT_TRUE(second.key());
  ASSERT_TRUE(second.ack());
  EXPECT_TRUE(second.bytes().empty() && !second.key());
}

TEST_F(MessageTest, AMessageIsReadWhereItWasWritten) {
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

TEST_F(MessageTest, ALoanMayBePublishedSmallerOrNotAtAll) {
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

TEST_F(MessageTest, ANackedMessageComesAgainAndSaysSo) {
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

TEST_F(MessageTest, ASettledMessageKeepsItsBytes) {
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

TEST_F(MessageTest, WhatWasClaimedAheadGoesBackUncounted) {
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

TEST_F(MessageTest, AMessageMayOutliveItsConsumer) {
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

TEST_F(MessageTest, AWaitBesideOtherCallsReturnsWhenSomethingIsThere) {
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

TEST_F(MessageTest, WhoWaitsBehindALoanIsNotWokenByWhatComesBehindIt) {
  const Queue queue = bus_.create("q", {.stall_timeout = 10s});
  Producer slow = queue.producer();
  Producer quick = queue.producer();
  Consumer in = queue.subscriber("g");
  Result<Loan> loan = slow.loan(1, 1s);
  ASSERT_TRUE(loan);
  const std::uint64_t first = loan->seq();
  long sleeps = 0;
  std::thread reader([&] {
    rusage before{};
    rusage after{};
    ::getrusage(RUSAGE_THREAD, &before);
    EXPECT_EQ(in.receive(10s)->seq(), first);
    ::getrusage(RUSAGE_THREAD, &after);
    sleeps = after.ru_nvcsw - before.ru_nvcsw;
  });
  // Some 50, each of which finds the reader asleep; on a slow machine fewer, which shows less.
  const auto begin = std::chrono::steady_clock::now();
  const auto took = [&] { return std::chrono::steady_clock::now() - begin; };
  while (took() < 15ms) {
    send(quick, "x");
    std::this_thread::sleep_for(200us);
  }
  EXPECT_TRUE(loan->publish());
  reader.join();
  // Naps of 100 us at first, a quarter longer each time: 17 of them, and then of 4 ms and more.
  EXPECT_LT(sleeps, 30 + took() / 4ms);
  EXPECT_EQ(take(in), "x");
}

}  // namespace
}  // namespace spillring
