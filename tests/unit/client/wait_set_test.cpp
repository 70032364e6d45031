#include "spillring/wait_set.hpp"

#include <poll.h>

#include <algorithm>
#include <thread>

#include "client/supervisor_fixture.hpp"

namespace spillring {
namespace {

bool is_readable(int fd) {
  pollfd entry{fd, POLLIN, 0};
  return ::poll(&entry, 1, 0) == 1;
}

bool becomes_readable(int fd) {
  pollfd entry{fd, POLLIN, 0};
  return ::poll(&entry, 1, 30'000) == 1;
}

class WaitSetTest : public WithSupervisor {
 protected:
  Queue queue_ = bus_.create("q");
  Producer out_ = queue_.producer();
};

TEST_F(WaitSetTest, ADescriptorCanBeReadUntilNothingWasFound) {
  Consumer in = queue_.consumer();
  const int fd = in.fd();
  EXPECT_EQ(in.fd(), fd);
  EXPECT_TRUE(is_readable(fd)) << "nobody has looked yet";
  EXPECT_EQ(in.try_receive().error(), Code::empty);
  EXPECT_FALSE(is_readable(fd));
  send(out_, "one");
  EXPECT_TRUE(becomes_readable(fd));
  EXPECT_EQ(take(in), "one");
  EXPECT_TRUE(is_readable(fd)) << "there may be more";
  EXPECT_EQ(in.receive(1ms).error(), Code::timeout);
  EXPECT_FALSE(is_readable(fd));
}

TEST_F(WaitSetTest, WhatWasClaimedAheadCanBeTakenWithoutANewMessage) {
  Consumer in = queue_.consumer("g", {.prefetch = 8});
  const int fd = in.fd();
  EXPECT_EQ(in.try_receive().error(), Code::empty);
  for (int i = 0; i < 3; ++i) send(out_, "x");
  EXPECT_EQ(take(in), "x");  // unasked, and two more are claimed
  EXPECT_TRUE(is_readable(fd));
}

TEST_F(WaitSetTest, AMessageHandedBackIsToldOf) {
  Consumer one = queue_.consumer();
  Consumer other = queue_.consumer();
  send(out_, "x");
  Message held = one.receive(1s).value();
  EXPECT_EQ(other.try_receive().error(), Code::empty);
  const int fd = other.fd();
  EXPECT_EQ(other.try_receive().error(), Code::empty);
  EXPECT_TRUE(held.nack());
  EXPECT_TRUE(becomes_readable(fd));
  EXPECT_EQ(take(other), "x");
}

TEST_F(WaitSetTest, TheEndOfAQueueIsToldOf) {
  Consumer in = queue_.subscriber();
  const int fd = in.fd();
  EXPECT_EQ(in.try_receive().error(), Code::empty);
  bus_.remove("q");
  EXPECT_TRUE(becomes_readable(fd));
  EXPECT_EQ(in.try_receive().error(), Code::deleted);
  EXPECT_TRUE(is_readable(fd));
}

TEST_F(WaitSetTest, ADescriptorStaysWhereTheConsumerMoves) {
  const Consumer keeper = queue_.consumer("keeper");  // for which the message stays
  send(out_, "x");
  for (Consumer* const in :
       {new Consumer(queue_.subscriber("g")), new Consumer(queue_.subscriber())}) {
    const std::unique_ptr<Consumer> owned(in);
    const int fd = in->fd();
    while (in->try_receive()) {
    }
    EXPECT_FALSE(is_readable(fd));
    in->seek(Start::earliest());
    EXPECT_EQ(in->fd(), fd);
    EXPECT_TRUE(is_readable(fd));
    EXPECT_EQ(take(*in), "x");
    EXPECT_EQ(in->try_receive().error(), Code::empty);
    EXPECT_FALSE(is_readable(fd));
  }
}

TEST_F(WaitSetTest, WaitsForAnyOfItsMembers) {
  Consumer one = queue_.consumer();
  Consumer other = bus_.create("other").consumer();
  WaitSet waits;
  const WaitSet::Id first = waits.add(one);
  const WaitSet::Id second = waits.add(other);
  EXPECT_EQ(one.try_receive().error(), Code::empty);
  EXPECT_EQ(other.try_receive().error(), Code::empty);
  EXPECT_EQ(waits.wait(no_wait).error(), Code::empty);
  EXPECT_EQ(waits.wait(1ms).error(), Code::timeout);
  send(out_, "x");
  EXPECT_EQ(waits.wait(30s).value(), std::vector{first});
  EXPECT_TRUE(becomes_readable(waits.fd()));
  waits.remove(first);
  EXPECT_EQ(waits.wait(no_wait).error(), Code::empty);
  other.close();
  waits.remove(second);
  EXPECT_EQ(waits.wait(no_wait).error(), Code::empty);
}

TEST_F(WaitSetTest, ANumberOfAClosedDescriptorMayBeAnothers) {
  WaitSet waits;
  Consumer one = queue_.consumer();
  const WaitSet::Id gone = waits.add(one);
  one.close();
  Consumer next = queue_.consumer();
  const WaitSet::Id now = waits.add(next);
  waits.remove(gone);
  EXPECT_EQ(waits.wait(no_wait).value(), std::vector{now});
}

TEST_F(WaitSetTest, WaitsForOtherDescriptorsToo) {
  WaitSet inner;
  Consumer in = queue_.consumer();
  WaitSet waits;
  const WaitSet::Id id = waits.add_fd(inner.fd());
  EXPECT_EQ(waits.wait(no_wait).error(), Code::empty);
  inner.add(in);
  EXPECT_EQ(waits.wait(30s).value(), std::vector{id});
  EXPECT_THROW(waits.add_fd(-1), Error);
}

TEST_F(WaitSetTest, NothingIsLostBetweenManyConsumers) {
  constexpr std::size_t queues = 20;
  constexpr std::size_t members = 12;  // of each queue: broadcast, so that all bells ring at once
  constexpr std::size_t rounds = 100;
  WaitSet waits;
  std::vector<Consumer> consumers;
  std::vector<Producer> producers;
  for (std::size_t q = 0; q < queues; ++q) {
    const Queue queue = bus_.create("many-" + std::to_string(q), {.keep = Keep::attached});
    producers.push_back(queue.producer());
    for (std::size_t m = 0; m < members; ++m) {
      consumers.push_back(queue.subscriber());
      waits.add(consumers.back());  // its id is its place, from 1
    }
  }
  std::thread sender([&] {
    for (std::size_t round = 0; round < rounds; ++round) {
      for (Producer& producer : producers) send(producer, std::to_string(round));
    }
  });
  std::vector<std::size_t> next(consumers.size());
  for (std::size_t left = rounds * consumers.size(); left != 0;) {
    const auto ready = waits.wait(30s);
    ASSERT_TRUE(ready) << left << " never came";
    for (const WaitSet::Id id : *ready) {
      const Result<Message> message = consumers[id - 1].try_receive();
      if (!message) continue;
      EXPECT_EQ(message->text(), std::to_string(next[id - 1]++));
      --left;
    }
  }
  sender.join();
}

}  // namespace
}  // namespace spillring
