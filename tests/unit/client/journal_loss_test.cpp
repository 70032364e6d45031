// What is damaged in a journal, or removed from it, is lost, and nothing else is; and it is told.
#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>

#include "client/spill_fixture.hpp"

namespace spillring {
namespace {

namespace fs = std::filesystem;

class LossTest : public SpillTest {
 protected:
  static void damage(const fs::path& segment) {
    std::fstream file(segment, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(8192);
    file.put('\x5A');
  }
};

TEST_F(LossTest, ADamagedMessageIsCountedAndTheRestComes) {
  const Queue queue = bus().create("q", small());
  Producer out = queue.producer();
  Consumer in = queue.consumer("g");
  send(out, 0, many);
  damage(segments().at(3));
  const Read read = read_all(in);
  EXPECT_EQ(read.last, many - 1);
  EXPECT_LT(read.received, many);
  EXPECT_EQ(read.received + queue.groups().at(0).lost, many);
}

/// Somebody removes a file of the supervisor's: what was in it is lost, and said to be.
class RemovalTest : public SpillTest, public ::testing::WithParamInterface<bool> {
 protected:
  static constexpr std::size_t last = SIZE_MAX;  // of the files
  // Numbers without a message may be in what is removed, and count as lost with it: a seal for each
  // ring that was replaced, and claims that were revoked as their owner did not get a processor.
  static constexpr std::uint64_t skipped = 16;

  static Consumer consumer(const Queue& queue) {
    return GetParam() ? queue.consumer("g") : queue.subscriber("g", {.start = Start::earliest()});
  }
};

TEST_P(RemovalTest, OfAnyFileWhileItRunsCostsWhatIsInItAndThatIsTold) {
  for (const std::size_t which : {std::size_t{0}, std::size_t{3}, last}) {
    const std::string name = which == last ? "last" : "q" + std::to_string(which);
    const Queue queue = bus().create(name, small());
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
  const Queue queue = bus().create("q", small());
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
      const Queue queue = bus().create(name, small());
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
    EXPECT_GE(read.received + queue.groups().at(0).lost, many + 10);
    EXPECT_LE(read.received + queue.groups().at(0).lost, many + 10 + skipped);
    EXPECT_EQ(read.gaps, queue.groups().at(0).lost);
    EXPECT_EQ(queue.info().state, QueueState::ok);
    bus().remove(name);
    ASSERT_TRUE(eventually([&] { return segments().empty(); }));
  }
}

TEST_P(RemovalTest, OfAllFilesBetweenTwoRunsIsTold) {
  {
    const Queue queue = bus().create("q", small());
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
  EXPECT_LE(first.gap(), many - 1000 + skipped);
  EXPECT_TRUE(first.ack());
  expect(in, many + 1, many + 10);
}

INSTANTIATE_TEST_SUITE_P(, RemovalTest, ::testing::Bool(), [](const auto& shared) {
  return shared.param ? "ForAConsumer" : "ForASubscriber";
});

TEST_F(LossTest, WhatIsHandedBackBeforeADamagedBatchComesAgain) {
  const Queue queue = bus().create("q", small());
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

TEST_F(LossTest, WhatIsDamagedAfterItWasHandedBackIsInNobodysWay) {
  const Queue queue = bus().create("q", small());
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
  EXPECT_EQ(read_all(in).received + queue.groups().at(0).lost, many);
  EXPECT_EQ(in.lag(), 0U);
}

}  // namespace
}  // namespace spillring
