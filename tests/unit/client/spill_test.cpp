// A queue that spills: what does not fit into memory goes to the disk and comes back in order.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <thread>

#include "client/state_fixture.hpp"

namespace spillring {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

class SpillTest : public StateTest {
 protected:
  /// A message that says which one it is, of a size that depends on that.
  static std::vector<std::byte> message(std::uint64_t number) {
    std::vector<std::byte> bytes(8 + number * 37 % 3000,
                                 std::byte{static_cast<unsigned char>(number)});
    std::memcpy(bytes.data(), &number, sizeof number);
    return bytes;
  }
  static void send(Producer& out, std::uint64_t from, std::uint64_t to) {
    for (std::uint64_t i = from; i < to; ++i) ASSERT_TRUE(out.send(message(i), 5s)) << i;
  }
  static void expect(Consumer& in, std::uint64_t from, std::uint64_t to) {
    for (std::uint64_t i = from; i < to; ++i) {
      Result<Message> got = in.receive(5s);
      ASSERT_TRUE(got) << name(got.error()) << " instead of message " << i;
      const auto wanted = message(i);
      ASSERT_TRUE(std::ranges::equal(got->bytes(), wanted)) << i;
      EXPECT_TRUE(got->ack());
    }
  }
  [[nodiscard]] std::vector<fs::path> segments() const {
    std::vector<fs::path> found;
    for (const auto& entry : fs::recursive_directory_iterator(state() / "journal")) {
      if (entry.is_regular_file()) found.push_back(entry.path());
    }
    std::sort(found.begin(), found.end());
    return found;
  }
  static void damage(const fs::path& segment) {
    std::fstream file(segment, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(8192);
    file.put('\x5A');
  }
  template <typename Condition>
  static bool eventually(Condition condition) {
    for (int i = 0; i < 500 && !condition(); ++i) std::this_thread::sleep_for(10ms);
    return condition();
  }
};

constexpr std::uint64_t many = 4000;  // messages; about 6 MiB
const QueueOptions small{.capacity = 256 * KiB, .slots = 1024};

TEST_F(SpillTest, WhereThereIsAStateDirectoryQueuesSpill) {
  EXPECT_EQ(bus().create("q").info().options.full, Full::spill);
  EXPECT_EQ(bus().create("b", {.full = Full::block}).info().options.full, Full::block);
}

TEST_F(SpillTest, NothingIsSpilledWithoutAStateDirectory) {
  const Embedded without;
  const Client bus = without.connect();
  EXPECT_EQ(bus.create("q").info().options.full, Full::block);
  try {
    (void)bus.create("s", {.full = Full::spill});
    FAIL() << "it was made";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::invalid);
    EXPECT_NE(error.why().find("state directory"), std::string::npos);
  }
}

TEST_F(SpillTest, WhatDoesNotFitComesBackInOrder) {
  const Queue queue = bus().create("q", small);
  Producer out = queue.producer();
  Consumer in = queue.consumer("g");
  send(out, 0, many);
  const QueueInfo info = queue.info();
  EXPECT_GT(info.journaled, many / 2);
  EXPECT_GT(segments().size(), 10U);
  expect(in, 0, many);
  EXPECT_EQ(in.try_receive().error(), Code::empty);
  EXPECT_TRUE(eventually([&] { return segments().empty(); })) << "the disk is given back";
  EXPECT_EQ(queue.groups().at(0).lost, 0U);
}

TEST_F(SpillTest, AStreamCrossesFromTheJournalToTheRing) {
  const Queue queue = bus().create("q", small);
  Producer out = queue.producer();
  Consumer in = queue.subscriber("g", {.start = Start::earliest()});
  for (std::uint64_t round = 0; round < 5; ++round) {
    send(out, round * 1000, round * 1000 + 1000);
    expect(in, round * 1000, round * 1000 + 1000);
  }
}

TEST_F(SpillTest, TwoGroupsReadAtTheirOwnPace) {
  const Queue queue = bus().create("q", small);
  Producer out = queue.producer();
  Consumer fast = queue.consumer("fast");
  Consumer slow = queue.consumer("slow");
  send(out, 0, 1000);
  expect(fast, 0, 1000);
  send(out, 1000, many);
  expect(fast, 1000, many);
  expect(slow, 0, many);
  EXPECT_TRUE(eventually([&] { return segments().empty(); }));
}

TEST_F(SpillTest, WhoKeepsUpCausesNoWriting) {
  const Queue queue = bus().create("q", small);
  Producer out = queue.producer();
  Consumer in = queue.consumer("g");
  for (std::uint64_t i = 0; i < 3 * many; i += 50) {
    send(out, i, i + 50);
    expect(in, i, i + 50);
  }
  EXPECT_EQ(queue.info().journaled, 0U);
  EXPECT_FALSE(fs::exists(state() / "journal")) << "not even a directory was made";
}

TEST_F(SpillTest, WhoReadsInTheJournalHoldsNothingInTheRing) {
  const Queue queue = bus().create("q", small);
  Producer out = queue.producer();
  Consumer shared = queue.consumer("g", {.prefetch = 1});
  Consumer stream = queue.subscriber("s");
  send(out, 0, 10);
  expect(shared, 0, 1);
  expect(stream, 0, 1);
  send(out, 10, many);
  expect(shared, 1, 3);
  expect(stream, 1, 2);
  const Message view = stream.receive(5s).value();
  for (const ClientInfo& client : queue.clients()) EXPECT_FALSE(client.hold) << client.group;
}

/// Four rings are kept by views, and there is no fifth: the newest has to do.
TEST_F(SpillTest, ASlowReaderOfTheJournalIsInNobodysWay) {
  const Queue queue = bus().create("q", small);
  Producer out = queue.producer();
  Consumer slow = queue.subscriber("slow");
  std::vector<Consumer> stopped;
  std::vector<Message> views;
  std::uint64_t sent = 0;
  for (int ring = 0; ring < 4; ++ring) {
    stopped.push_back(queue.subscriber({}, {.start = Start::latest()}));
    send(out, sent, sent + 1);
    views.push_back(stopped.back().receive(5s).value());
    send(out, sent + 1, sent + many);
    sent += many;
  }
  send(out, sent, sent + many);
  expect(slow, 0, sent + many / 4);  // in the range of the newest ring, and out of it
  send(out, sent + many, sent + 3 * many);
  expect(slow, sent + many / 4, sent + 3 * many);
}

TEST_F(SpillTest, WhatIsHandedBackComesAgainFromTheJournal) {
  const Queue queue = bus().create("q", small);
  Producer out = queue.producer();
  Consumer in = queue.consumer("g", {.prefetch = 1});
  send(out, 0, many);
  std::vector<Message> held;
  held.reserve(20);
  for (int i = 0; i < 20; ++i) held.push_back(in.receive(5s).value());
  held.clear();  // dropped: handed back
  for (std::uint64_t i = 0; i < 20; ++i) {
    Message again = in.receive(5s).value();
    EXPECT_EQ(again.deliveries(), 2U);
    EXPECT_TRUE(std::ranges::equal(again.bytes(), message(again.seq() - 1)));
    EXPECT_TRUE(again.ack());
  }
  expect(in, 20, many);
}

TEST_F(SpillTest, AViewOfTheJournalStaysWhenTheJournalIsGone) {
  const Queue queue = bus().create("q", small);
  Producer out = queue.producer();
  Consumer in = queue.consumer("g");
  send(out, 0, many);
  const Message held = in.receive(5s).value();
  const auto wanted = message(0);
  EXPECT_TRUE(std::ranges::equal(held.bytes(), wanted));
  queue.purge();
  EXPECT_TRUE(eventually([&] { return segments().empty(); })) << "a purge gives the disk back";
  bus().remove("q");
  EXPECT_TRUE(std::ranges::equal(held.bytes(), wanted));
}

/// A backlog that is read while it grows needs no more files than it had at first.
TEST_F(SpillTest, WhatIsReadIsWrittenOver) {
  const Queue queue = bus().create("q", small);
  Producer out = queue.producer();
  Consumer in = queue.consumer("g");
  const auto files = [this] {
    std::set<ino_t> inodes;
    for (const fs::path& segment : segments()) {
      struct stat status {};
      if (::stat(segment.c_str(), &status) == 0) inodes.insert(status.st_ino);
    }
    return inodes;
  };
  send(out, 0, many);
  std::set<ino_t> seen = files();
  const std::size_t at_first = seen.size();
  constexpr std::uint64_t step = many / 8;
  for (std::uint64_t i = 0; i < 8 * many; i += step) {
    expect(in, i, i + step);
    send(out, many + i, many + i + step);
    seen.merge(files());
  }
  EXPECT_LE(seen.size(), 2 * at_first) << "eight times as much was written";
  expect(in, 8 * many, 9 * many);
  EXPECT_EQ(queue.groups().at(0).lost, 0U);
  EXPECT_TRUE(eventually([&] { return queue.info().journal_bytes == 0; }));
  EXPECT_TRUE(eventually([&] { return segments().empty(); }));
}

TEST_F(SpillTest, KeysAndHeadersComeBack) {
  const Queue queue = bus().create("q", small);
  Producer out = queue.producer();
  Consumer in = queue.consumer("g");
  const std::string value(500, 'v');
  const std::vector<Header> headers{{"h", std::as_bytes(std::span(value))}};
  const auto key = std::as_bytes(std::span("key", 3));
  const auto payload = message(7);
  for (int i = 0; i < 2000; ++i) ASSERT_TRUE(out.send(payload, 5s, {key, headers}));
  EXPECT_GT(queue.info().journaled, 1000U);
  for (int i = 0; i < 2000; ++i) {
    Message got = in.receive(5s).value();
    ASSERT_TRUE(std::ranges::equal(*got.key(), key));
    ASSERT_EQ(got.headers().size(), 1U);
    ASSERT_TRUE(std::ranges::equal(got.headers()[0].value, headers[0].value));
    ASSERT_TRUE(std::ranges::equal(got.bytes(), payload));
    EXPECT_TRUE(got.ack());
  }
}

TEST_F(SpillTest, PeekSeesWhatIsOnTheDisk) {
  const Queue queue = bus().create("q", small);
  Producer out = queue.producer();
  send(out, 0, many);
  const auto seen = queue.peek(many);
  ASSERT_EQ(seen.size(), many);
  for (std::uint64_t i = 0; i < many; ++i) ASSERT_EQ(seen[i].payload, message(i)) << i;
}

TEST_F(SpillTest, ADamagedMessageIsCountedAndTheRestComes) {
  const Queue queue = bus().create("q", small);
  Producer out = queue.producer();
  Consumer in = queue.consumer("g");
  send(out, 0, many);
  damage(segments().at(3));
  std::uint64_t received = 0;
  std::uint64_t last = 0;
  for (Result<Message> got = in.receive(5s); got; got = in.receive(100ms)) {
    std::uint64_t number = 0;
    std::memcpy(&number, got->bytes().data(), sizeof number);
    ASSERT_TRUE(received == 0 || number > last) << "in order";
    ASSERT_TRUE(std::ranges::equal(got->bytes(), message(number)));
    last = number;
    ++received;
    EXPECT_TRUE(got->ack());
  }
  EXPECT_EQ(last, many - 1);
  EXPECT_LT(received, many);
  EXPECT_EQ(received + queue.groups().at(0).lost, many);
}

TEST_F(SpillTest, WhatIsHandedBackBeforeADamagedBatchComesAgain) {
  const Queue queue = bus().create("q", small);
  Producer out = queue.producer();
  Consumer in = queue.consumer("g", {.prefetch = 1});
  send(out, 0, many);
  damage(segments().at(1));
  {
    const Message held = in.receive(5s).value();
    for (std::uint64_t number = 0; number < 400;) {  // the damaged ones are behind it
      Message got = in.receive(5s).value();
      std::memcpy(&number, got.bytes().data(), sizeof number);
      EXPECT_TRUE(got.ack());
    }
  }
  const Message again = in.receive(5s).value();
  EXPECT_EQ(again.seq(), 1U);
  EXPECT_EQ(again.deliveries(), 2U);
}

TEST_F(SpillTest, WhatIsDamagedAfterItWasHandedBackIsInNobodysWay) {
  const Queue queue = bus().create("q", small);
  Producer out = queue.producer();
  send(out, 0, many);
  std::uint64_t first = 0;
  {
    Consumer in = queue.consumer("g", {.prefetch = 1});
    first = in.receive(5s).value().seq();
  }
  EXPECT_EQ(first, 1U);
  damage(segments().at(0));
  Consumer in = queue.consumer("g");
  std::uint64_t received = 0;
  for (Result<Message> got = in.receive(5s); got; got = in.receive(100ms)) {
    ++received;
    EXPECT_TRUE(got->ack());
  }
  EXPECT_EQ(received + queue.groups().at(0).lost, many);
  EXPECT_EQ(in.lag(), 0U);
}

TEST_F(SpillTest, AStoppedSupervisorsMessagesAreBack) {
  std::uint64_t sequence = 0;
  {
    const Queue queue = bus().create("q", small);
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

TEST_F(SpillTest, AQueueThatBlocksIsBackTooAndWithoutAnyGroup) {
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

TEST_F(SpillTest, WhatWasAcknowledgedOutOfOrderStaysSoAndDeliveriesAreCountedOn) {
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

TEST_F(SpillTest, WhatNobodyHasHadIsThereAtOnceAfterARestart) {
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

TEST_F(SpillTest, ALoanThatIsOpenAtTheStopIsNeverDelivered) {
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

TEST_F(SpillTest, WhatWasRemovedDoesNotComeBack) {
  (void)bus().create("q", small);
  {
    Producer out = bus().open("q").producer();
    send(out, 0, many);
  }
  bus().remove("q");
  restart();
  EXPECT_TRUE(bus().list().empty());
  EXPECT_TRUE(eventually([&] { return segments().empty(); }));
}

TEST_F(SpillTest, AStateDirectoryHasOneSupervisor) {
  Embedded::Options options;
  options.state_dir = state();
  try {
    const Embedded second(options);
    FAIL() << "there are two";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::exists);
  }
}

TEST_F(SpillTest, ConcurrentProducersAndConsumersLoseNothing) {
  const Queue queue = bus().create("q", small);
  constexpr std::uint64_t each = 3000;
  std::vector<std::thread> threads;
  std::array<std::atomic<int>, 2 * each> seen{};
  std::atomic<std::uint64_t> received{0};
  for (std::uint64_t producer = 0; producer < 2; ++producer) {
    threads.emplace_back([&, producer] {
      Producer out = queue.producer();
      send(out, producer * each, (producer + 1) * each);
    });
  }
  for (int consumer = 0; consumer < 2; ++consumer) {
    threads.emplace_back([&] {
      Consumer in = queue.consumer("g", {.prefetch = 8});
      while (received.load() < 2 * each) {
        Result<Message> got = in.receive(10ms);
        if (!got) continue;
        std::uint64_t number = 0;
        std::memcpy(&number, got->bytes().data(), sizeof number);
        EXPECT_TRUE(std::ranges::equal(got->bytes(), message(number)));
        if (number % 97 == 0 && got->deliveries() == 1) continue;  // handed back
        ++seen.at(number);
        if (got->ack()) ++received;
        if (number % 64 == 0) std::this_thread::sleep_for(1ms);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (std::uint64_t i = 0; i < 2 * each; ++i) ASSERT_EQ(seen.at(i).load(), 1) << i;
}

}  // namespace
}  // namespace spillring
