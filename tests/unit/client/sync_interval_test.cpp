// How often a durable queue syncs, and what is confirmed by then.
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <string>

#include "client/state_fixture.hpp"

namespace {

std::atomic<std::uint64_t> syncs{0};

}  // namespace

/// In place of the C library's: the supervisor of these tests lives in this process.
extern "C" int fdatasync(int file) {
  ++syncs;
  return static_cast<int>(::syscall(SYS_fdatasync, file));
}

namespace spillring {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

class SyncIntervalTest : public StateTest {
 protected:
  [[nodiscard]] Queue made(Timeout interval, QueueOptions options = {}) const {
    options.durability = Durability::disk;
    options.sync_interval = interval;
    return bus().create("q", options);
  }
  static void send_and_wait(Producer& out, int times) {
    const std::byte payload[100]{};
    for (int i = 0; i < times; ++i) {
      ASSERT_TRUE(out.send(payload, 10s));
      ASSERT_TRUE(out.flush(10s));
    }
  }
};

TEST_F(SyncIntervalTest, EachWhoWaitsHasASync) {
  Producer out = made(0ms).producer();
  const std::uint64_t before = syncs;
  send_and_wait(out, 20);
  EXPECT_GE(syncs - before, 20U);
}

TEST_F(SyncIntervalTest, WhoWaitsWaitsForTheNextOne) {
  const Queue queue = made(100ms);
  Producer out = queue.producer();
  send_and_wait(out, 1);  // begins the file
  const std::uint64_t before = syncs;
  const auto begin = Clock::now();
  send_and_wait(out, 5);
  const auto took = Clock::now() - begin;
  EXPECT_GE(took, 400ms) << "five syncs have four intervals between them";
  EXPECT_LE(syncs - before, 5U);
  EXPECT_EQ(queue.info().options.sync_interval, Timeout(100ms));
}

TEST_F(SyncIntervalTest, ManyShareOne) {
  Producer out = made(100ms).producer();
  send_and_wait(out, 1);
  const std::uint64_t before = syncs;
  const std::byte payload[100]{};
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(out.send(payload, 10s));
  const auto sent = Clock::now();
  ASSERT_TRUE(out.flush(10s));
  const auto waited = static_cast<std::uint64_t>((Clock::now() - sent) / 100ms);
  EXPECT_LE(syncs - before, 3 + waited) << "not one for each";
}

TEST_F(SyncIntervalTest, AFullRingDoesNotWaitForIt) {
  const Queue queue = made(1h, {.capacity = MiB, .prealloc = true});
  Producer out = queue.producer();
  const std::vector<std::byte> payload(64 * KiB);
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(out.send(payload, 10s)) << i;
  EXPECT_EQ(queue.info().messages, 200U);
}

TEST_F(SyncIntervalTest, WithoutSyncsWhatIsWrittenCounts) {
  const Queue queue = made(sync_never);
  Producer out = queue.producer();
  const std::uint64_t before = syncs;
  send_and_wait(out, 20);
  EXPECT_EQ(syncs, before);
  EXPECT_EQ(queue.info().journaled, 20U);
  EXPECT_EQ(queue.info().options.sync_interval, sync_never);
}

TEST_F(SyncIntervalTest, OutlivesTheSupervisor) {
  static_cast<void>(made(250ms));
  restart();
  EXPECT_EQ(bus().open("q").info().options.sync_interval, Timeout(250ms));
}

TEST_F(SyncIntervalTest, IsForDurableQueuesAndHasBounds) {
  const auto refused = [this](const QueueOptions& options) {
    try {
      static_cast<void>(bus().create("q", options));
    } catch (const Error& error) {
      return error.code() == Code::invalid;
    }
    return false;
  };
  EXPECT_TRUE(refused({.sync_interval = 1s}));
  EXPECT_TRUE(refused({.durability = Durability::disk, .sync_interval = 2h}));
}

}  // namespace
}  // namespace spillring
