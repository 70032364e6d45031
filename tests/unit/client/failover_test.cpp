// Stream groups with more than one reader: who reads, who stands by, and from where the next one
// goes on.
#include <gtest/gtest.h>

#include <chrono>
#include <thread>
#include <vector>

#include "client/child.hpp"
#include "client/supervisor_fixture.hpp"

namespace spillring {
namespace {

constexpr int finished = 6;  // of the ten that the first reader has been given
constexpr int given = 10;
constexpr int all = 20;

class FailoverTest : public WithSupervisor {
 protected:
  FailoverTest() : queue_(bus_.create("q")) {
    Producer out = queue_.producer();
    for (int number = 1; number <= all; ++number) send(out, std::to_string(number));
  }

  [[nodiscard]] Consumer reader() const {
    return queue_.subscriber("s", {.start = Start::earliest()});
  }
  /// Everything from `first` on, in order, and nothing else.
  void expect_from(Consumer& in, int first) {
    for (int number = first; number <= all; ++number) EXPECT_EQ(take(in), std::to_string(number));
    EXPECT_EQ(in.try_receive().error(), Code::empty);
  }

  Queue queue_;
};

/// Reads ten messages and keeps the last four in its hands.
std::vector<Message> read_ten(Consumer& in) {
  std::vector<Message> held;
  for (int number = 1; number <= given; ++number) {
    Message message = in.receive(30s).value();
    if (number > finished) {
      held.push_back(std::move(message));
    } else if (!message.ack()) {
      ::_exit(3);
    }
  }
  return held;
}

TEST_F(FailoverTest, AfterAKillTheNextBeginsWithTheFirstThatWasNotFinished) {
  Child owner(supervisor_.socket(), [](Client& bus, const auto& ready) {
    Consumer in = bus.open("q").subscriber("s", {.start = Start::earliest()});
    const std::vector<Message> held = read_ten(in);
    ready();
    ::pause();
  });
  owner.await_ready();
  Consumer next = reader();
  EXPECT_EQ(next.try_receive().error(), Code::empty) << "it stands by";
  std::thread killer([&] { owner.signal(SIGKILL); });
  expect_from(next, finished + 1);
  killer.join();
}

TEST_F(FailoverTest, AStoppedOwnerKeepsItsPlaceAndGoesOn) {
  Child owner(supervisor_.socket(), [](Client& bus, const auto& ready) {
    Consumer in = bus.open("q").subscriber("s", {.start = Start::earliest()});
    std::vector<Message> held = read_ten(in);
    ready();
    ::raise(SIGSTOP);
    for (Message& message : held) {
      if (!message.ack()) ::_exit(1);
    }
    for (int number = given + 1; number <= all; ++number) {
      Result<Message> message = in.receive(30s);
      if (!message || message->text() != std::to_string(number) || !message->ack()) ::_exit(2);
    }
    ready();
    ::pause();
  });
  owner.await_ready();
  Consumer next = reader();
  EXPECT_EQ(next.receive(300ms).error(), Code::timeout) << "a stop is no death";
  owner.signal(SIGCONT);
  owner.await_ready();
  EXPECT_EQ(next.try_receive().error(), Code::empty);
  owner.signal(SIGKILL);
  Producer out = queue_.producer();
  send(out, "behind");
  EXPECT_EQ(take(next), "behind") << "all before was finished";
}

TEST_F(FailoverTest, AnOwnerThatIsKilledWhileItIsStoppedIsFollowed) {
  Child owner(supervisor_.socket(), [](Client& bus, const auto& ready) {
    Consumer in = bus.open("q").subscriber("s", {.start = Start::earliest()});
    const std::vector<Message> held = read_ten(in);
    ready();
    ::raise(SIGSTOP);
    ::_exit(1);
  });
  owner.await_ready();
  Consumer next = reader();
  EXPECT_EQ(next.receive(100ms).error(), Code::timeout);
  owner.signal(SIGKILL);
  expect_from(next, finished + 1);
}

TEST_F(FailoverTest, AfterACloseTheNextBeginsWithTheFirstThatWasNotFinished) {
  auto owner = std::make_unique<Consumer>(reader());
  std::vector<Message> held = read_ten(*owner);
  Consumer next = reader();
  EXPECT_EQ(next.try_receive().error(), Code::empty) << "it stands by";
  std::thread closer([&] { owner.reset(); });
  EXPECT_EQ(take(next), std::to_string(finished + 1)) << "it was not finished";
  closer.join();
  EXPECT_EQ(held.front().text(), std::to_string(finished + 1)) << "its view stays";
  for (Message& message : held) EXPECT_TRUE(message.ack()) << "which moves nobody";
  expect_from(next, finished + 2);
}

TEST_F(FailoverTest, WhoHasReadEverythingLeavesNothingToRepeat) {
  auto owner = std::make_unique<Consumer>(reader());
  Consumer next = reader();
  expect_from(*owner, 1);
  owner.reset();
  Producer out = queue_.producer();
  send(out, "behind");
  EXPECT_EQ(take(next), "behind");
}

TEST_F(FailoverTest, OneOfManyTakesOver) {
  constexpr std::size_t spare = 4;
  auto owner = std::make_unique<Consumer>(reader());
  std::vector<Consumer> standing_by;
  for (std::size_t i = 0; i < spare; ++i) standing_by.push_back(reader());
  EXPECT_EQ(take(*owner), "1");
  owner.reset();
  std::vector<std::string> texts;
  while (texts.size() < all - 1) {
    for (Consumer& each : standing_by) {
      if (Result<Message> message = each.try_receive()) {
        texts.emplace_back(message->text());
        EXPECT_TRUE(message->ack());
      }
    }
  }
  for (int number = 2; number <= all; ++number) {
    EXPECT_EQ(texts[static_cast<std::size_t>(number - 2)], std::to_string(number));
  }
}

}  // namespace
}  // namespace spillring
