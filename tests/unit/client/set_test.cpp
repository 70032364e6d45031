// Options that are changed while a queue is in use.
#include <thread>

#include "client/state_fixture.hpp"
#include "client/supervisor_fixture.hpp"

namespace spillring {
namespace {

class SetTest : public StateTest {};

TEST_F(SetTest, ALeaseCountsFromThenOn) {
  const Queue queue = bus().create("q");
  Producer out = queue.producer();
  ASSERT_TRUE(out.send(bytes("x"), 1s));
  Consumer one = queue.consumer();
  Consumer other = queue.consumer();
  const Message held = one.receive(1s).value();
  EXPECT_EQ(other.receive(50ms).error(), Code::timeout);
  EXPECT_EQ(queue.set({.lease = 20ms}).options.lease, 20ms);
  const auto again = other.receive(30s);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->deliveries(), 2U);
}

TEST_F(SetTest, AStallTimeoutHoldsForLoansThatAreThere) {
  const Queue queue = bus().create("q", {.stall_timeout = 1h});
  Producer stopped = queue.producer();
  Producer out = queue.producer();
  Loan loan = stopped.loan(8, 1s).value();
  ASSERT_TRUE(out.send(bytes("x"), 1s));
  Consumer in = queue.consumer();
  EXPECT_EQ(in.receive(50ms).error(), Code::timeout);
  queue.set({.stall_timeout = 20ms});
  EXPECT_TRUE(in.receive(30s));
  EXPECT_EQ(loan.publish().error(), Code::stale);
}

TEST_F(SetTest, WhatWasSetOutlivesTheSupervisor) {
  bus()
      .create("q", {.durability = Durability::disk})
      .set({.stall_timeout = 2s,
            .lease = 3s,
            .sync_interval = 100ms,
            .retain_age = 24h,
            .retain_bytes = 10 * MiB});
  restart();
  const QueueOptions options = bus().open("q").info().options;
  EXPECT_EQ(options.stall_timeout, 2s);
  EXPECT_EQ(options.lease, 3s);
  EXPECT_EQ(options.sync_interval, 100ms);
  EXPECT_EQ(options.retain_age, 24h);
  EXPECT_EQ(options.retain_bytes, 10 * MiB);
}

TEST_F(SetTest, WhatIsNotNamedStays) {
  const Queue queue = bus().create("q", {.retain_bytes = 1 * MiB, .lease = 5s});
  queue.set({.retain_age = 1h});
  const QueueOptions options = queue.set({}).options;
  EXPECT_EQ(options.lease, 5s);
  EXPECT_EQ(options.retain_age, 1h);
  EXPECT_EQ(options.retain_bytes, 1 * MiB);
}

TEST_F(SetTest, WhatCannotBeHadChangesNothing) {
  const Queue plain = bus().create("plain");
  const Queue history = bus().create("history", {.retain_bytes = 1 * MiB});
  const auto code_of = [](const Queue& queue, const QueueChanges& changes) {
    try {
      queue.set(changes);
    } catch (const Error& error) {
      return error.code();
    }
    return Code::ok;
  };
  EXPECT_EQ(code_of(plain, {.stall_timeout = no_wait, .lease = 1s}), Code::invalid);
  EXPECT_EQ(code_of(plain, {.lease = 1us}), Code::invalid);
  EXPECT_EQ(code_of(plain, {.sync_interval = 1s}), Code::invalid);
  EXPECT_EQ(code_of(plain, {.retain_age = 1h}), Code::invalid) << "history would have to begin";
  EXPECT_EQ(code_of(history, {.retain_bytes = 0}), Code::invalid) << "it would have to end";
  EXPECT_EQ(plain.info().options.lease, no_wait);
  EXPECT_EQ(history.info().options.retain_bytes, 1 * MiB);
}

TEST_F(SetTest, LessHistoryIsDroppedAtOnce) {
  const Queue queue = bus().create("q", {.retain_bytes = 64 * MiB});
  Producer out = queue.producer();
  Consumer in = queue.consumer();
  const std::vector<std::byte> payload(64 * KiB);
  for (int i = 0; i < 64; ++i) {
    ASSERT_TRUE(out.send(payload, 5s));
    ASSERT_TRUE(in.receive(5s).value().ack());
  }
  EXPECT_EQ(queue.info().earliest, 1U);
  queue.set({.retain_bytes = 256 * KiB});
  const auto until = std::chrono::steady_clock::now() + 30s;
  while (queue.info().earliest == 1 && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(5ms);
  }
  EXPECT_GT(queue.info().earliest, 1U);
}

}  // namespace
}  // namespace spillring
