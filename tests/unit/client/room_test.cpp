// Room for messages: full queues and growing ones.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include "client/supervisor_fixture.hpp"
#include "short_files.hpp"

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

/// The supervisor has looked at all that the queue asked for before: it does so for each who comes.
void let_supervisor_look(const Queue& queue) { const Producer visitor = queue.producer(); }

/// Sends until the queue has a ring of 4 MiB.
void grow_to_cached_ring(const Queue& queue, Producer& out) {
  const std::string message(1000, 'x');
  while (queue.info().ring_bytes < 4 * MiB) ASSERT_TRUE(out.send(bytes(message), 1s));
  let_supervisor_look(queue);
}

/// Sends until just a quarter of a MiB is left in a ring of 4 MiB.
void nearly_fill(const Queue& queue, Producer& out) {
  grow_to_cached_ring(queue, out);
  const std::string message(1000, 'x');
  for (std::uint64_t i = 0; i != 3 * MiB / 1024 + 768; ++i)
    ASSERT_TRUE(out.send(bytes(message), 1s));
}

TEST_F(RoomTest, ARingThatTheCacheHoldsGrowsOnlyWhenItIsAskedTo) {
  const Queue queue = bus_.create("q", {.full = Full::block});
  Producer out = queue.producer();
  nearly_fill(queue, out);
  let_supervisor_look(queue);
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

/// So many messages of 1,000 bytes.
void take_some(Consumer& in, std::uint64_t messages) {
  for (std::uint64_t i = 0; i != messages; ++i) {
    auto message = in.receive(2s);
    ASSERT_TRUE(message && message->ack());
  }
}

/// Of a queue whose ring of 4 MiB was full for a message of `size` until its reader, a moment
/// later, read `messages` of it.
std::uint64_t ring_after_a_burst(const Queue& queue, std::size_t size, std::uint64_t messages) {
  Producer out = queue.producer();
  nearly_fill(queue, out);
  Consumer in = queue.consumer("g");
  take_some(in, 1600);  // through the smaller rings
  std::thread reader([&] {
    std::this_thread::sleep_for(1ms);
    take_some(in, messages);
  });
  const auto sent = out.send(bytes(std::string(size, 'x')), 1s);
  reader.join();
  EXPECT_TRUE(sent);
  let_supervisor_look(queue);
  return queue.info().ring_bytes;
}

TEST_F(RoomTest, ARingThatTheCacheHoldsStaysWhereReadersAreFast) {
  std::uint64_t last = 0;
  for (int attempt = 0; attempt != 20 && last != 4 * MiB; ++attempt) {  // the machine may pause
    const Queue queue = bus_.create(fmt::format("q{}", attempt), {.full = Full::block});
    last = ring_after_a_burst(queue, MiB - 64, 5 * MiB / 4 / 1024);
    bus_.remove(queue.name());
  }
  EXPECT_EQ(last, 4 * MiB);
}

TEST_F(RoomTest, ARingThatTheCacheHoldsGrowsAtOnceForAMessageOfMoreThanAQuarter) {
  std::uint64_t last = 0;
  for (int attempt = 0; attempt != 20 && last != 16 * MiB; ++attempt) {  // it may have had its room
    const Queue queue = bus_.create(fmt::format("q{}", attempt), {.full = Full::block});
    last = ring_after_a_burst(queue, MiB + MiB / 2, 2 * MiB / 1024);
    bus_.remove(queue.name());
  }
  EXPECT_EQ(last, 16 * MiB);
}

TEST_F(RoomTest, AMessageLargerThanARingThatOthersWentThroughMakesTheQueueGrow) {
  const std::string small(1000, 'x');
  for (const Full full : {Full::block, Full::reject, Full::drop_oldest}) {
    for (const Timeout timeout : {Timeout(no_wait), Timeout(1s)}) {
      const std::string name = fmt::format("q{}of{}", timeout.count(), static_cast<int>(full));
      const Queue queue = bus_.create(name, {.full = full});
      Producer out = queue.producer();
      Consumer in = queue.consumer("g");
      for (int i = 0; i != 1100; ++i) {
        send(out, small);
        ASSERT_EQ(take(in), small);
      }
      const std::string largest(MiB, 'x');
      ASSERT_LT(queue.info().ring_bytes, largest.size());
      EXPECT_TRUE(out.send(bytes(largest), timeout)) << name;
      EXPECT_EQ(take(in).size(), largest.size());
    }
  }
}

TEST_F(RoomTest, AMessageLargerThanARingThatTheCacheHoldsMakesTheQueueGrow) {
  const Queue queue = bus_.create("q", {.capacity = 64 * MiB, .full = Full::block});
  Producer out = queue.producer();
  grow_to_cached_ring(queue, out);
  Consumer in = queue.consumer("g");
  const std::string message(1000, 'x');
  while (auto old = in.try_receive()) ASSERT_TRUE(old->ack());
  for (int i = 0; i != 10'000; ++i) {
    send(out, message);
    ASSERT_EQ(take(in), message);
  }
  ASSERT_EQ(queue.info().ring_bytes, 4 * MiB);
  const std::string largest(6 * MiB, 'x');
  EXPECT_TRUE(out.send(bytes(largest), 1s));
  EXPECT_EQ(take(in).size(), largest.size());
}

TEST_F(RoomTest, WhoWaitsForRoomSleepsWhereThereIsNoMemoryForALargerRing) {
  const Queue queue = bus_.create("q", {.full = Full::block});
  Producer out = queue.producer();
  auto small = std::make_unique<ShortFiles>(128 * KiB);
  const std::string message(1000, 'x');
  Code code = Code::ok;
  while (code == Code::ok) code = out.send(bytes(message), 50ms).error();
  rusage before{};
  ::getrusage(RUSAGE_THREAD, &before);
  EXPECT_EQ(out.send(bytes(message), 300ms).error(), Code::timeout);
  rusage after{};
  ::getrusage(RUSAGE_THREAD, &after);
  small.reset();
  EXPECT_EQ(code, Code::timeout);
  EXPECT_LT(after.ru_nvcsw - before.ru_nvcsw, 100);
  EXPECT_TRUE(out.send(bytes(message), 2s)) << "it is tried again";
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
