// What a clean stop leaves in the state directory is back at the next start.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "client/spill_fixture.hpp"

namespace spillring {
namespace {

class CleanStopTest : public SpillTest {};

TEST_F(CleanStopTest, AStoppedSupervisorsMessagesAreBack) {
  std::uint64_t sequence = 0;
  {
    const Queue queue = bus().create("q", small());
    Producer out = queue.producer();
    Consumer in = queue.consumer("g");
    send(out, 0, many);
    expect(in, 0, 100);
    sequence = queue.info().next;
  }
  restart();
  const Queue queue = bus().open("q");
  EXPECT_GE(queue.info().next, sequence) << "numbers are never used again";
  Consumer in = queue.consumer("g");
  expect(in, 100, many);
  Producer out = queue.producer();
  send(out, many, many + 10);
  expect(in, many, many + 10);
  EXPECT_EQ(in.try_receive().error(), Code::empty);
}

TEST_F(CleanStopTest, AQueueThatBlocksIsBackTooAndWithoutAnyGroup) {
  {
    const Queue queue = bus().create("q", {.full = Full::block});
    Producer out = queue.producer();
    send(out, 0, 10);
  }
  restart();
  restart();
  const Queue queue = bus().open("q");
  EXPECT_EQ(queue.info().options.full, Full::block);
  Consumer in = queue.consumer("g");
  expect(in, 0, 10);
}

TEST_F(CleanStopTest, WhatWasAcknowledgedOutOfOrderStaysSoAndDeliveriesAreCountedOn) {
  {
    const Queue queue = bus().create("q", {});
    Producer out = queue.producer();
    Consumer in = queue.consumer("g", {.prefetch = 1});
    send(out, 0, 10);
    std::vector<Message> held;
    held.reserve(6);
    for (int i = 0; i < 6; ++i) held.push_back(in.receive(5s).value());
    EXPECT_TRUE(held[1].ack());
    EXPECT_TRUE(held[4].ack());
    stop();
    EXPECT_EQ(held[2].ack().error(), Code::stale) << "it will come again, and is told so";
  }
  start();
  const Queue queue = bus().open("q");
  Consumer in = queue.consumer("g", {.prefetch = 1});
  std::vector<std::pair<std::uint64_t, unsigned>> seen;
  for (int i = 0; i < 8; ++i) {
    Message got = in.try_receive().value();  // at once: nothing has to be found out
    std::uint64_t number = 0;
    std::memcpy(&number, got.bytes().data(), sizeof number);
    seen.emplace_back(number, got.deliveries());
    EXPECT_TRUE(got.ack());
  }
  EXPECT_EQ(in.try_receive().error(), Code::empty);
  using P = std::pair<std::uint64_t, unsigned>;
  EXPECT_THAT(seen, ::testing::UnorderedElementsAre(P(0, 2), P(2, 2), P(3, 2), P(5, 2), P(6, 1),
                                                    P(7, 1), P(8, 1), P(9, 1)));
}

TEST_F(CleanStopTest, WhatNobodyHasHadIsThereAtOnceAfterARestart) {
  {
    const Queue queue = bus().create("q", {});
    Producer out = queue.producer();
    Consumer in = queue.consumer("g", {.prefetch = 1});
    send(out, 0, 10);
    expect(in, 0, 3);
  }
  restart();
  Consumer in = bus().open("q").consumer("g");
  for (std::uint64_t i = 3; i < 10; ++i) {
    Result<Message> got = in.try_receive();
    ASSERT_TRUE(got) << i;
    EXPECT_EQ(got->deliveries(), 1U);
    EXPECT_TRUE(got->ack());
  }
}

TEST_F(CleanStopTest, ALoanThatIsOpenAtTheStopIsNeverDelivered) {
  const Queue queue = bus().create("q", {});
  Producer out = queue.producer();
  send(out, 0, 1);
  Result<Loan> loan = out.loan(8, 1s);
  ASSERT_TRUE(loan);
  stop();
  EXPECT_EQ(loan->publish().error(), Code::stale);
  EXPECT_EQ(out.send(message(2), 0s).error(), Code::unavailable);
  start();
  Consumer in = bus().open("q").consumer("g");
  expect(in, 0, 1);
  EXPECT_EQ(in.try_receive().error(), Code::empty);
}

TEST_F(CleanStopTest, WhatWasRemovedDoesNotComeBack) {
  (void)bus().create("q", small());
  {
    Producer out = bus().open("q").producer();
    send(out, 0, many);
  }
  bus().remove("q");
  restart();
  EXPECT_TRUE(bus().list().empty());
  EXPECT_TRUE(eventually([&] { return segments().empty(); }));
}

TEST_F(CleanStopTest, AStateDirectoryHasOneSupervisor) {
  Embedded::Options options;
  options.state_dir = state();
  try {
    const Embedded second(options);
    FAIL() << "there are two";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::exists);
  }
}

}  // namespace
}  // namespace spillring
