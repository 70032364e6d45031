// A queue that spills: what does not fit into memory goes to the disk and comes back in order.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <array>
#include <atomic>
#include <filesystem>
#include <set>
#include <string>
#include <thread>

#include "client/spill_fixture.hpp"

namespace spillring {
namespace {

namespace fs = std::filesystem;

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
  const Queue queue = bus().create("q", small());
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
  const Queue queue = bus().create("q", small());
  Producer out = queue.producer();
  Consumer in = queue.subscriber("g", {.start = Start::earliest()});
  for (std::uint64_t round = 0; round < 5; ++round) {
    send(out, round * 1000, round * 1000 + 1000);
    expect(in, round * 1000, round * 1000 + 1000);
  }
}

TEST_F(SpillTest, TwoGroupsReadAtTheirOwnPace) {
  const Queue queue = bus().create("q", small());
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
  const Queue queue = bus().create("q", small());
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
  const Queue queue = bus().create("q", small());
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
  const Queue queue = bus().create("q", small());
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
  const Queue queue = bus().create("q", small());
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
  const Queue queue = bus().create("q", small());
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
  const Queue queue = bus().create("q", small());
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
  QueueOptions options = small();
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
  const Queue queue = bus().create("q", small());
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
  const Queue queue = bus().create("q", small());
  Producer out = queue.producer();
  send(out, 0, many);
  const auto seen = queue.peek(many);
  ASSERT_EQ(seen.size(), many);
  for (std::uint64_t i = 0; i < many; ++i) ASSERT_EQ(seen[i].payload, message(i)) << i;
}

TEST_F(SpillTest, ConcurrentProducersAndConsumersLoseNothing) {
  const Queue queue = bus().create("q", small());
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
