// Room for messages: full queues and growing ones.
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>

#include "client/supervisor_fixture.hpp"

namespace spillring {
namespace {

class RoomTest : public WithSupervisor {};

TEST_F(RoomTest, AFullQueueRejectsOrTimesOutAndGoesOn) {
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

TEST_F(RoomTest, ABlockedProducerIsWokenByAnAcknowledgement) {
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

TEST_F(RoomTest, AQueueGrowsToItsCapacityWithNobodyReading) {
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

TEST_F(RoomTest, CapacityIsAPromiseHoweverLongOneWaits) {
  const std::string message(1000, 'x');
  for (const Full full : {Full::block, Full::reject}) {
    for (const Timeout timeout : {Timeout(no_wait), Timeout(200ms), Timeout(1s)}) {
      const Queue queue =
          bus_.create(fmt::format("q{}of{}", timeout.count(), full == Full::block), {.full = full});
      Producer out = queue.producer();
      std::uint64_t sent = 0;
      while (out.send(bytes(message), timeout)) ++sent;
      EXPECT_GE(sent * 1024, queue.info().options.capacity);
    }
  }
}

/// Sends until just a quarter of a MiB is left in a ring of 4 MiB.
void nearly_fill(const Queue& queue, Producer& out) {
  const std::string message(1000, 'x');
  while (queue.info().ring_bytes < 4 * MiB) ASSERT_TRUE(out.send(bytes(message), 1s));
  // By this answer the supervisor has looked at all that it was asked for before.
  static_cast<void>(queue.info());
  for (std::uint64_t i = 0; i != 3 * MiB / 1024 + 768; ++i)
    ASSERT_TRUE(out.send(bytes(message), 1s));
}

TEST_F(RoomTest, ARingThatTheCacheHoldsGrowsOnlyWhenItIsAskedTo) {
  const Queue queue = bus_.create("q", {.full = Full::block});
  Producer out = queue.producer();
  nearly_fill(queue, out);
  { const Producer other = queue.producer(); }  // the supervisor looks at the queue
  EXPECT_EQ(queue.info().ring_bytes, 4 * MiB);
}

TEST_F(RoomTest, ARingThatTheCacheHoldsGrowsWhereReadersAreSlow) {
  const Queue queue = bus_.create("q", {.full = Full::block});
  Producer out = queue.producer();
  nearly_fill(queue, out);
  Consumer in = queue.consumer("g");
  const std::string message(1000, 'x');
  // Through the smaller rings: from here on each that is taken makes room for one.
  for (int i = 0; i != 1600; ++i) ASSERT_EQ(take(in), message);
  ASSERT_EQ(queue.info().ring_bytes, 4 * MiB);
  std::atomic<bool> done = false;
  std::thread reader([&] {
    while (!done) {
      take(in);
      std::this_thread::sleep_for(1ms);
    }
  });
  for (int i = 0; i != 5'000 && queue.info().ring_bytes == 4 * MiB; ++i) send(out, message);
  EXPECT_EQ(queue.info().ring_bytes, 16 * MiB)
      << "each got its room, but a quarter never came free";
  done = true;
  reader.join();
}

TEST_F(RoomTest, AMessageTooLargeForTheFirstRingMakesTheQueueGrow) {
  const Queue queue = bus_.create("q");
  Producer out = queue.producer();
  Consumer in = queue.consumer("g");
  const std::string largest(queue.info().largest, 'x');
  EXPECT_TRUE(out.try_send(bytes(largest)));
  EXPECT_EQ(take(in).size(), largest.size());
  EXPECT_EQ(out.send(bytes(largest + "y"), 1s).error(), Code::too_large);
}

TEST_F(RoomTest, SizesThatOverflowAreRefused) {
  const Queue queue = bus_.create("q");
  Producer out = queue.producer();
  EXPECT_EQ(out.loan(SIZE_MAX).error(), Code::too_large);
  EXPECT_EQ(out.loan(SIZE_MAX - 63).error(), Code::too_large);
  EXPECT_EQ(out.loan(10, 1s, {{}, 3}).error(), Code::invalid);
  EXPECT_EQ(out.loan(10, 1s, {{}, 8192}).error(), Code::invalid);
  const std::string key(70'000, 'k');
  EXPECT_EQ(out.loan(10, 1s, {{bytes(key), {}}, 0}).error(), Code::too_large);
}

TEST_F(RoomTest, AQueueOfFewSlotsDoesNotGrowForWantOfSlots) {
  const Queue queue = bus_.create("q", {.slots = 64, .full = Full::reject});
  Producer out = queue.producer();
  int sent = 0;
  while (out.try_send(bytes("x"))) ++sent;
  EXPECT_EQ(sent, 62);
  EXPECT_EQ(queue.info().rings, 1U);
}

}  // namespace
}  // namespace spillring
