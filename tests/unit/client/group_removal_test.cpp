// Groups that are removed although they have members: what these are told, and what becomes of what
// they hold.
#include <gtest/gtest.h>
#include <poll.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "client/supervisor_fixture.hpp"

namespace spillring {
namespace {

class GroupRemovalTest : public WithSupervisor {
 protected:
  static Code code_of_removing(const Queue& queue, bool force) {
    try {
      queue.remove_group("g", force);
      return Code::ok;
    } catch (const Error& error) {
      return error.code();
    }
  }
};

TEST_F(GroupRemovalTest, AskedForByNameOnly) {
  const Queue queue = bus_.create("q");
  const Consumer member = queue.consumer("g");
  EXPECT_EQ(code_of_removing(queue, false), Code::busy);
  EXPECT_EQ(queue.groups().size(), 1U);
  EXPECT_EQ(code_of_removing(queue, true), Code::ok);
  EXPECT_TRUE(queue.groups().empty());
  EXPECT_EQ(queue.info().groups, 0U);
  EXPECT_EQ(queue.info().consumers, 1U) << "it is attached until it closes";
  EXPECT_EQ(code_of_removing(queue, true), Code::not_found);
}

TEST_F(GroupRemovalTest, MembersAreToldAndKeepTheirViews) {
  const Queue queue = bus_.create("q");
  Producer out = queue.producer();
  for (const char* text : {"held", "ahead", "more"}) send(out, text);
  Consumer holder = queue.consumer("g", {.prefetch = 2});
  Result<Message> held = holder.receive(1s);
  ASSERT_TRUE(held);
  queue.remove_group("g", true);
  EXPECT_EQ(holder.try_receive().error(), Code::deleted) << "although it has claimed one ahead";
  EXPECT_EQ(holder.wait(1s).error(), Code::ok) << "there is something to be told";
  EXPECT_EQ(held->text(), "held");
  EXPECT_EQ(held->ack().error(), Code::stale);
  EXPECT_THROW(holder.seek(Start::earliest()), Error);
  EXPECT_EQ(holder.lag(), 0U);
}

TEST_F(GroupRemovalTest, WhoWaitsIsWoken) {
  const Queue queue = bus_.create("q");
  Consumer member = queue.consumer("g");
  Consumer watched = queue.consumer("g");
  Consumer reader = queue.subscriber("s");
  Consumer stand_by = queue.subscriber("s");
  pollfd poll_of{watched.fd(), POLLIN, 0};
  EXPECT_EQ(watched.try_receive().error(), Code::empty);
  std::vector<std::thread> waiting;
  for (Consumer* each : {&member, &reader, &stand_by}) {
    waiting.emplace_back([each] { EXPECT_EQ(each->receive(30s).error(), Code::deleted); });
  }
  queue.remove_group("g", true);
  queue.remove_group("s", true);
  for (std::thread& each : waiting) each.join();
  EXPECT_EQ(::poll(&poll_of, 1, 30'000), 1);
  EXPECT_EQ(watched.try_receive().error(), Code::deleted);
}

TEST_F(GroupRemovalTest, ItKeepsNothingBackAnyMore) {
  const Queue queue = bus_.create("q", {.capacity = 64 * KiB, .slots = 64, .full = Full::reject});
  Consumer other = queue.consumer("other");
  const Consumer member = queue.consumer("g");
  Producer out = queue.producer();
  int sent = 0;
  while (out.try_send(bytes("x"))) ++sent;
  for (int i = 0; i < sent; ++i) EXPECT_EQ(take(other), "x");
  EXPECT_EQ(out.try_send(bytes("y")).error(), Code::full) << "the group has read none";
  queue.remove_group("g", true);
  EXPECT_TRUE(out.try_send(bytes("y")));
  EXPECT_EQ(take(other), "y");
}

TEST_F(GroupRemovalTest, WhatTheLastGroupHadNotFinishedStays) {
  const Queue queue = bus_.create("q");
  Producer out = queue.producer();
  for (const char* text : {"1", "2", "3"}) send(out, text);
  Consumer member = queue.consumer("g");
  EXPECT_EQ(take(member), "1");
  Result<Message> held = member.receive(1s);
  queue.remove_group("g", true);
  Consumer again = queue.consumer("h");
  EXPECT_EQ(take(again), "2");
  EXPECT_EQ(held->ack().error(), Code::stale);
  EXPECT_EQ(take(again), "3");
}

TEST_F(GroupRemovalTest, TheNextOfTheNameHasNothingToDoWithIt) {
  const Queue queue = bus_.create("q");
  Producer out = queue.producer();
  for (const char* text : {"1", "2", "3"}) send(out, text);
  Consumer former = queue.consumer("g", {.prefetch = 1});
  Result<Message> held = former.receive(1s);
  ASSERT_EQ(held->text(), "1");
  queue.remove_group("g", true);
  Consumer next = queue.consumer("g", {.prefetch = 1});
  Result<Message> first = next.receive(1s);
  ASSERT_EQ(first->text(), "1");
  EXPECT_EQ(held->nack().error(), Code::stale);
  former.close();
  EXPECT_EQ(queue.groups().front().unacked, 1U);
  EXPECT_TRUE(first->ack());
  EXPECT_EQ(take(next), "2");
  EXPECT_EQ(take(next), "3");
  EXPECT_EQ(queue.groups().front().lag, 0U);
}

TEST_F(GroupRemovalTest, PlacesComeBackWithTheLastMember) {
  const Queue queue = bus_.create("q");
  Consumer witness = queue.subscriber("witness");
  for (int round = 0; round < 300; ++round) {  // there are 128 places
    const Consumer first = queue.consumer("g");
    const Consumer second = queue.subscriber("s");
    queue.remove_group("g", true);
    queue.remove_group("s", true);
  }
  EXPECT_EQ(queue.groups().size(), 1U);
  EXPECT_EQ(queue.info().consumers, 1U);
}

TEST_F(GroupRemovalTest, InTheMiddleOfWork) {
  const Queue queue = bus_.create("q", {.capacity = 256 * KiB, .slots = 256});
  Consumer witness = queue.consumer("witness");
  std::atomic<bool> done{false};
  std::thread sender([&] {
    Producer out = queue.producer();
    while (!done) (void)out.send(bytes(std::string(100, 'x')), 10ms);
  });
  std::thread reader([&] {
    std::uint64_t last = 0;
    while (!done) {
      Result<Message> message = witness.receive(10ms);
      if (!message) continue;
      EXPECT_GT(message->seq(), last);
      last = message->seq();
      EXPECT_TRUE(message->ack());
    }
  });
  for (int round = 0; round < 100; ++round) {
    std::atomic<int> at_work{0};
    std::vector<std::thread> members;
    for (const bool shared : {true, true, false}) {
      members.emplace_back([&, shared] {
        Consumer in = shared ? queue.consumer("g") : queue.subscriber("s");
        ++at_work;
        for (;;) {
          Result<Message> message = in.receive(30s);
          if (!message) {
            EXPECT_EQ(message.error(), Code::deleted);
            return;
          }
          const Code acknowledged = message->ack().error();
          EXPECT_TRUE(acknowledged == Code::ok || acknowledged == Code::stale);
        }
      });
    }
    while (at_work != 3) std::this_thread::yield();
    queue.remove_group("g", true);
    queue.remove_group("s", true);
    for (std::thread& member : members) member.join();
  }
  done = true;
  sender.join();
  reader.join();
  EXPECT_EQ(queue.info().state, QueueState::ok);
}

}  // namespace
}  // namespace spillring
