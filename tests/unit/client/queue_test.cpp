// Queues as a whole: made, looked at, purged, removed.
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "client/supervisor_fixture.hpp"

namespace spillring {
namespace {

class QueueTest : public WithSupervisor {};

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

TEST_F(QueueTest, AFullPolicyThatIsNotBuiltIsRefused) {
  try {
    static_cast<void>(bus_.create("q", {.full = static_cast<Full>(77)}));
    FAIL() << "it was made";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::invalid);
    EXPECT_EQ(error.why(), "policy 77 is not built in this version");
    EXPECT_EQ(error.hint(), "take block, reject, spill or drop-oldest");
  }
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

}  // namespace
}  // namespace spillring
