// A queue whose journal may have no more of the disk: producers wait, nothing is lost, and who asks
// is told why.
#include <gtest/gtest.h>

#include <cstring>
#include <thread>

#include "client/state_fixture.hpp"

namespace spillring {
namespace {

using namespace std::chrono_literals;

class DiskLimitTest : public ::testing::Test {
 protected:
  DiskLimitTest() {
    Embedded::Options options;
    options.state_dir = (directory_.path() / "state").string();
    options.segment_size = 64 * KiB;
    options.max_journal_per_queue = MiB;
    supervisor_.emplace(options);
  }

  static std::vector<std::byte> message(std::uint64_t number) {
    std::vector<std::byte> bytes(1000);
    std::memcpy(bytes.data(), &number, sizeof number);
    return bytes;
  }
  /// Sends until it is refused; returns how many it took.
  static std::uint64_t fill(Producer& out) {
    std::uint64_t sent = 0;
    while (out.send(message(sent), 500ms)) ++sent;
    return sent;
  }
  static void expect(Consumer& in, std::uint64_t from, std::uint64_t to) {
    for (std::uint64_t i = from; i < to; ++i) {
      Result<Message> got = in.receive(20s);
      ASSERT_TRUE(got) << name(got.error()) << " instead of message " << i;
      const auto wanted = message(i);
      ASSERT_TRUE(std::ranges::equal(got->bytes(), wanted)) << i;
      EXPECT_TRUE(got->ack());
    }
  }

  TemporaryDirectory directory_;
  std::optional<Embedded> supervisor_;
};

const QueueOptions limited{.capacity = 256 * KiB, .slots = 1024};

TEST_F(DiskLimitTest, ProducersWaitUntilItIsRead) {
  const Queue queue = supervisor_->connect().create("q", limited);
  Producer out = queue.producer();
  Consumer in = queue.consumer("g");
  EXPECT_EQ(out.disk_alarm(), DiskAlarm::none);
  const std::uint64_t sent = fill(out);
  EXPECT_EQ(out.disk_alarm(), DiskAlarm::quota);
  const QueueInfo info = queue.info();
  EXPECT_EQ(info.alarm, DiskAlarm::quota);
  EXPECT_LE(info.journal_bytes, MiB);
  EXPECT_GT(info.journal_bytes, MiB / 2);
  EXPECT_GT(info.disk_free, info.disk_left);

  const std::uint64_t all = sent + 2000;
  std::thread producer([&] {
    for (std::uint64_t i = sent; i < all; ++i) ASSERT_TRUE(out.send(message(i), 20s)) << i;
  });
  expect(in, 0, all);
  producer.join();
  EXPECT_EQ(in.try_receive().error(), Code::empty);
}

TEST_F(DiskLimitTest, WhatIsSpilledAndReadBackIsCounted) {
  const Queue queue = supervisor_->connect().create("q", limited);
  Producer out = queue.producer();
  Consumer in = queue.consumer("g");
  const std::uint64_t sent = fill(out);
  const QueueInfo info = queue.info();
  EXPECT_EQ(info.spilled, info.journaled);
  EXPECT_EQ(info.spilled_bytes, info.spilled * 1000);
  expect(in, 0, sent);
  const GroupInfo group = queue.groups().at(0);
  EXPECT_GE(group.read_back, info.spilled) << "reading may make room to write what is left";
  EXPECT_LT(group.read_back, sent) << "the last ones were in memory";
  EXPECT_EQ(group.read_back_bytes, group.read_back * 1000);
}

TEST_F(DiskLimitTest, TheOldestMessageHasAnAgeWhereverItIs) {
  const Client bus = supervisor_->connect();
  const Queue queue = bus.create("q", {.capacity = 256 * KiB, .slots = 256});
  EXPECT_FALSE(queue.info().oldest_age) << "there is none";
  Producer out = queue.producer();
  ASSERT_TRUE(out.send(message(0)));
  std::this_thread::sleep_for(50ms);
  ASSERT_TRUE(queue.info().oldest_age);
  EXPECT_GE(*queue.info().oldest_age, 40ms);
  EXPECT_TRUE(bus.list().at(0).oldest_age) << "it is in memory";
  fill(out);
  ASSERT_GT(queue.info().journaled, 0U);
  ASSERT_TRUE(queue.info().oldest_age);
  EXPECT_GE(*queue.info().oldest_age, 500ms) << "the last one waited so long";
  EXPECT_FALSE(bus.list().at(0).oldest_age) << "the supervisor reads no journal";
}

}  // namespace
}  // namespace spillring
