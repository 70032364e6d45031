// Groups: who gets what, from where, and what is kept for them.
#include <gtest/gtest.h>

#include <thread>

#include "client/supervisor_fixture.hpp"

namespace spillring {
namespace {

class GroupTest : public WithSupervisor {};

TEST_F(GroupTest, AGroupSharesAndAnotherSeesEverything) {
  const Queue queue = bus_.create("q");
  Producer out = queue.producer();
  Consumer a = queue.consumer("g", {.prefetch = 1});
  Consumer b = queue.consumer("g", {.prefetch = 1});
  Consumer other = queue.consumer("h");
  for (int i = 0; i < 4; ++i) send(out, std::to_string(i));
  EXPECT_EQ(take(a), "0");
  EXPECT_EQ(take(b), "1");
  EXPECT_EQ(take(b), "2");
  EXPECT_EQ(take(a), "3");
  for (int i = 0; i < 4; ++i) EXPECT_EQ(take(other), std::to_string(i));
}

TEST_F(GroupTest, GroupsBeginWhereTheyAreTold) {
  const Queue queue = bus_.create("q");
  Producer out = queue.producer();
  for (int i = 1; i <= 5; ++i) send(out, std::to_string(i));
  Consumer first = queue.consumer("all");
  Consumer late = queue.consumer("late", {.start = Start::latest()});
  Consumer third = queue.consumer("third", {.start = Start::at(3)});
  Consumer replay = queue.subscriber("replay", {.start = Start::earliest()});
  EXPECT_EQ(take(first), "1");
  EXPECT_EQ(late.try_receive().error(), Code::empty);
  EXPECT_EQ(take(third), "3");
  EXPECT_EQ(take(replay), "1");
  send(out, "6");
  EXPECT_EQ(take(late), "6");
}

TEST_F(GroupTest, AnUnreadQueueKeepsWhatAPubSubQueueDoesNot) {
  const Queue kept = bus_.create("kept");
  const Queue pubsub = bus_.create("pubsub", {.keep = Keep::attached});
  for (const Queue& queue : {kept, pubsub}) {
    Producer out = queue.producer();
    send(out, "early");
  }
  Consumer from_kept = kept.consumer("g");
  Consumer from_pubsub = pubsub.consumer("g");
  EXPECT_EQ(take(from_kept), "early");
  EXPECT_EQ(from_pubsub.try_receive().error(), Code::empty);
}

TEST_F(GroupTest, AQueueWithoutItsLastGroupKeepsAgain) {
  const Queue queue = bus_.create("q", {.capacity = 64 * KiB, .slots = 64, .full = Full::reject});
  Producer out = queue.producer();
  { Consumer in = queue.consumer("g"); }
  queue.remove_group("g");
  EXPECT_THROW(queue.remove_group("g"), Error);
  int sent = 0;
  while (out.try_send(bytes("x"))) ++sent;
  EXPECT_GT(sent, 50);
  Consumer again = queue.consumer("g");
  for (int i = 0; i < sent; ++i) EXPECT_EQ(take(again), "x");
}

TEST_F(GroupTest, ASecondStreamReaderStandsByAndTakesOver) {
  const Queue queue = bus_.create("q");
  Producer out = queue.producer();
  auto first = std::make_unique<Consumer>(queue.subscriber("s"));
  Consumer second = queue.subscriber("s");
  send(out, "1");
  send(out, "2");
  EXPECT_EQ(second.try_receive().error(), Code::empty);
  EXPECT_EQ(take(*first), "1");
  std::thread leaver([&] {
    std::this_thread::sleep_for(20ms);
    first.reset();
  });
  EXPECT_EQ(take(second), "2");
  leaver.join();
}

TEST_F(GroupTest, AKindOfGroupStaysWhatItIs) {
  const Queue queue = bus_.create("q");
  const Consumer shared = queue.consumer("g");
  try {
    const Consumer stream = queue.subscriber("g");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::exists);
    EXPECT_FALSE(error.hint().empty());
  }
}

TEST_F(GroupTest, LagIsKnownBeforeAnythingIsReceived) {
  const Queue queue = bus_.create("q");
  Producer out = queue.producer();
  for (int i = 0; i < 10; ++i) send(out, "x");
  Consumer in = queue.consumer("g");
  EXPECT_EQ(in.lag(), 10U);
  EXPECT_EQ(take(in), "x");
  EXPECT_EQ(in.lag(), 9U);
}

}  // namespace
}  // namespace spillring
