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

/// Whoever held a message for too long sees what it saw, whatever becomes of the file.
TEST_F(SpillTest, AViewStaysWhenItsFileIsWrittenOver) {
  QueueOptions options = small;
  options.lease = 50ms;
  const Queue queue = bus().create("q", options);
  Producer out = queue.producer();
  Consumer slow = queue.consumer("g", {.prefetch = 1});
  send(out, 0, many);
  const auto inode_of = [](const fs::path& file) {
    struct stat status {};
    return ::stat(file.c_str(), &status) == 0 ? status.st_ino : 0;
  };
  const fs::path file = segments().at(0);
  const ino_t inode = inode_of(file);
  const Message held = slow.receive(5s).value();
  const auto wanted = message(held.seq() - 1);
  std::this_thread::sleep_for(200ms);
  Consumer in = queue.consumer("g");
  std::uint64_t sent = many;
  const auto is_written_over = [&] {
    const auto files = segments();
    return !fs::exists(file) && std::any_of(files.begin(), files.end(), [&](const auto& each) {
      return inode_of(each) == inode;
    });
  };
  for (int i = 0; i < 40 && !is_written_over(); ++i, sent += 500) {
    for (int k = 0; k < 500; ++k) {
      Message got = in.receive(5s).value();
      EXPECT_TRUE(std::ranges::equal(got.bytes(), message(got.seq() - 1)));
      EXPECT_TRUE(got.ack());
    }
    send(out, sent, sent + 500);
  }
  EXPECT_TRUE(is_written_over());
  EXPECT_TRUE(std::ranges::equal(held.bytes(), wanted));
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

/// Somebody removes a file of the supervisor's: what was in it is lost, and said to be.
class RemovalTest : public SpillTest, public ::testing::WithParamInterface<bool> {
 protected:
  static constexpr std::size_t last = SIZE_MAX;  // of the files

  static Consumer consumer(const Queue& queue) {
    return GetParam() ? queue.consumer("g") : queue.subscriber("g", {.start = Start::earliest()});
  }
  struct Read {
    std::uint64_t received = 0;
    std::uint64_t gaps = 0;  // that were told with messages
    std::uint64_t last = 0;
  };
  static Read read_all(Consumer& in) {
    Read read;
    Result<Message> got = in.receive(5s);
    for (; got; got = in.receive(200ms)) {
      std::uint64_t number = 0;
      std::memcpy(&number, got->bytes().data(), sizeof number);
      EXPECT_TRUE(read.received == 0 || number > read.last) << "in order";
      EXPECT_TRUE(std::ranges::equal(got->bytes(), message(number)));
      read.last = number;
      ++read.received;
      read.gaps += got->gap();
      EXPECT_TRUE(got->ack());
    }
    EXPECT_EQ(got.error(), Code::timeout);
    return read;
  }
};

TEST_P(RemovalTest, OfAnyFileWhileItRunsCostsWhatIsInItAndThatIsTold) {
  for (const std::size_t which : {std::size_t{0}, std::size_t{3}, last}) {
    const std::string name = which == last ? "last" : "q" + std::to_string(which);
    const Queue queue = bus().create(name, small);
    Producer out = queue.producer();
    Consumer in = consumer(queue);
    send(out, 0, many);
    std::vector<fs::path> files = segments();
    ASSERT_GT(files.size(), 10U);
    ASSERT_TRUE(fs::remove(which == last ? files.back() : files.at(which)));
    const Read read = read_all(in);
    EXPECT_EQ(read.last, many - 1);
    EXPECT_LT(read.received, many);
    EXPECT_GT(read.received, many / 2);
    EXPECT_EQ(read.received + queue.groups().at(0).lost, many);
    EXPECT_EQ(read.received + read.gaps, many) << "told with the message behind it";
    EXPECT_EQ(queue.info().state, QueueState::ok);
    send(out, many, many + 10);
    expect(in, many, many + 10);
    bus().remove(name);
    ASSERT_TRUE(eventually([&] { return segments().empty(); }));
  }
}

TEST_P(RemovalTest, OfTheDirectoryWhileItRunsCostsWhatIsInItAndWritingGoesOn) {
  const Queue queue = bus().create("q", small);
  Producer out = queue.producer();
  Consumer in = consumer(queue);
  send(out, 0, many);
  fs::remove_all(state() / "journal");
  send(out, many, 2 * many);
  const Read read = read_all(in);
  EXPECT_EQ(read.last, 2 * many - 1);
  EXPECT_GT(read.received, many);
  EXPECT_EQ(read.received + queue.groups().at(0).lost, 2 * many);
  EXPECT_EQ(read.received + read.gaps, 2 * many);
}

TEST_P(RemovalTest, OfAnyFileBetweenTwoRunsCostsWhatIsInItAndThatIsTold) {
  for (const std::size_t which : {std::size_t{0}, std::size_t{3}, last}) {
    const std::string name = which == last ? "last" : "q" + std::to_string(which);
    {
      const Queue queue = bus().create(name, small);
      Producer out = queue.producer();
      Consumer in = consumer(queue);
      send(out, 0, many);
    }
    stop();
    std::vector<fs::path> files = segments();
    ASSERT_TRUE(fs::remove(which == last ? files.back() : files.at(which)));
    start();
    const Queue queue = bus().open(name);
    Consumer in = consumer(queue);
    Producer out = queue.producer();
    send(out, many, many + 10);
    const Read read = read_all(in);
    EXPECT_EQ(read.last, many + 9);
    EXPECT_LT(read.received, many + 10);
    // A number without a message may be in the file, and counts as lost with it.
    EXPECT_GE(read.received + queue.groups().at(0).lost, many + 10);
    EXPECT_LE(read.received + queue.groups().at(0).lost, many + 12);
    EXPECT_EQ(read.gaps, queue.groups().at(0).lost);
    EXPECT_EQ(queue.info().state, QueueState::ok);
    bus().remove(name);
    ASSERT_TRUE(eventually([&] { return segments().empty(); }));
  }
}

TEST_P(RemovalTest, OfAllFilesBetweenTwoRunsIsTold) {
  {
    const Queue queue = bus().create("q", small);
    Producer out = queue.producer();
    Consumer in = consumer(queue);
    send(out, 0, many);
    expect(in, 0, 1000);
  }
  stop();
  fs::remove_all(state() / "journal");
  start();
  const Queue queue = bus().open("q");
  Consumer in = consumer(queue);
  Producer out = queue.producer();
  send(out, many, many + 10);
  Message first = in.receive(5s).value();
  EXPECT_TRUE(std::ranges::equal(first.bytes(), message(many)));
  EXPECT_GE(first.gap(), many - 1000);
  EXPECT_LE(first.gap(), many - 1000 + 2);
  EXPECT_TRUE(first.ack());
  expect(in, many + 1, many + 10);
}

INSTANTIATE_TEST_SUITE_P(, RemovalTest, ::testing::Bool(), [](const auto& shared) {
  return shared.param ? "ForAConsumer" : "ForASubscriber";
});

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
