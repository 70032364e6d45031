// Many messages at a time: each on its own, or all or none of them.
#include <cstring>
#include <map>
#include <thread>

#include "client/state_fixture.hpp"
#include "client/supervisor_fixture.hpp"

namespace spillring {
namespace {

using Views = std::vector<std::span<const std::byte>>;
using Texts = std::vector<std::string>;

Views views_of(const Texts& texts) {
  Views views;
  for (const std::string& text : texts) views.push_back(bytes(text));
  return views;
}

Texts texts_of(const Parts& parts) {
  Texts texts;
  for (const auto part : parts) {
    texts.emplace_back(reinterpret_cast<const char*>(part.data()), part.size());
  }
  return texts;
}

const Texts three{"one", "", std::string(5000, 'x')};

class BatchTest : public WithSupervisor {};

TEST_F(BatchTest, AnAtomicBatchIsOneMessageForEveryKindOfGroup) {
  const Queue queue = bus_.create("q");
  Consumer shared = queue.consumer("shared");
  Consumer stream = queue.subscriber("stream");
  Producer out = queue.producer();
  const Header header{"a", bytes("b")};
  const auto sent = out.send_batch(
      views_of(three), 1s,
      {.atomic = true, .metadata = {.key = bytes("k"), .headers = std::span(&header, 1)}});
  ASSERT_TRUE(sent);
  EXPECT_EQ(std::tuple(sent->count, sent->first, sent->last), std::tuple(3U, 1U, 1U));
  EXPECT_EQ(queue.info().messages, 1U);
  for (Consumer* in : {&shared, &stream}) {
    Message message = in->receive(2s).value();
    EXPECT_TRUE(message.is_batch());
    EXPECT_EQ(texts_of(message.parts()), three);
    EXPECT_EQ(message.key()->size(), 1U);
    EXPECT_EQ(message.headers().size(), 1U);
    EXPECT_TRUE(message.ack());
    EXPECT_EQ(in->receive(no_wait).error(), Code::empty);
  }
}

TEST_F(BatchTest, ASmallOneLiesInItsDescriptor) {
  const Queue queue = bus_.create("q");
  Producer out = queue.producer();
  ASSERT_TRUE(out.send_batch(views_of({"12345678"}), 1s, {.atomic = true}));
  EXPECT_EQ(queue.info().bytes, 0U);
  Consumer in = queue.consumer();
  const Message message = in.receive(2s).value();
  EXPECT_TRUE(message.is_batch());
  EXPECT_EQ(texts_of(message.parts()), Texts{"12345678"});
}

TEST_F(BatchTest, AMessageIsItsOnlyPart) {
  const Queue queue = bus_.create("q");
  Producer out = queue.producer();
  send(out, "alone");
  const std::vector<PeekedMessage> seen = queue.peek();
  EXPECT_FALSE(seen.at(0).is_batch);
  EXPECT_EQ(texts_of(seen.at(0).parts()), Texts{"alone"});
  Consumer in = queue.consumer();
  const Message message = in.receive(2s).value();
  EXPECT_FALSE(message.is_batch());
  EXPECT_EQ(texts_of(message.parts()), Texts{"alone"});
}

TEST_F(BatchTest, ItIsPeekedAtAsItIs) {
  const Queue queue = bus_.create("q");
  Producer out = queue.producer();
  ASSERT_TRUE(out.send_batch(views_of(three), 1s, {.atomic = true}));
  const std::vector<PeekedMessage> seen = queue.peek();
  EXPECT_TRUE(seen.at(0).is_batch);
  EXPECT_EQ(texts_of(seen.at(0).parts()), three);
}

TEST_F(BatchTest, ItIsHandedBackAndBuriedAsAWhole) {
  const Queue dead = bus_.create("dead");
  const Queue queue = bus_.create("q", {.max_deliveries = 2, .dead_letter = "dead"});
  Producer out = queue.producer();
  ASSERT_TRUE(out.send_batch(views_of(three), 1s, {.atomic = true}));
  Consumer in = queue.consumer();
  for (unsigned delivery = 1; delivery <= 2; ++delivery) {
    Message message = in.receive(30s).value();
    EXPECT_EQ(message.deliveries(), delivery);
    EXPECT_TRUE(message.nack());
  }
  Consumer undertaker = dead.consumer();
  const Message letter = undertaker.receive(30s).value();
  EXPECT_TRUE(letter.is_batch());
  EXPECT_EQ(texts_of(letter.parts()), three);
}

TEST_F(BatchTest, ItHasOneTime) {
  const Queue queue = bus_.create("q");
  Producer out = queue.producer();
  ASSERT_TRUE(out.send_batch(views_of(three), 1s, {.atomic = true, .metadata = {.ttl = 1ms}}));
  ASSERT_TRUE(out.send_batch(views_of({"a"}), 1s, {.atomic = true, .metadata = {.ttl = 1h}}));
  std::this_thread::sleep_for(50ms);
  Consumer in = queue.consumer();
  const Message message = in.receive(2s).value();
  EXPECT_EQ(texts_of(message.parts()), Texts{"a"});
  EXPECT_EQ(message.ttl(), 1h);
}

TEST_F(BatchTest, WhatCannotBeSentAsOne) {
  const Queue queue = bus_.create("q", {.capacity = MiB, .full = Full::reject});
  Producer out = queue.producer();
  const BatchOptions atomic{.atomic = true};
  EXPECT_EQ(out.send_batch({}, 1s, atomic).error(), Code::invalid);
  EXPECT_EQ(out.send_batch(views_of(Texts(3, std::string(100'000, 'x'))), 1s, atomic).error(),
            Code::too_large);
  const Texts large(2, std::string(100'000, 'x'));
  Result<Sent> sent = out.send_batch(views_of(large), 1s, atomic);
  while (sent) sent = out.send_batch(views_of(large), 1s, atomic);
  EXPECT_EQ(sent.error(), Code::full);
  Consumer in = queue.consumer();
  while (auto message = in.try_receive()) {
    EXPECT_EQ(texts_of(message->parts()), large);
    EXPECT_TRUE(message->ack());
  }
}

TEST_F(BatchTest, EachIsAMessageOfItsOwn) {
  const Queue queue = bus_.create("q");
  Consumer in = queue.consumer();
  Producer out = queue.producer();
  const auto sent = out.send_batch(views_of(three), 1s, {.metadata = {.key = bytes("k")}});
  ASSERT_TRUE(sent);
  EXPECT_EQ(std::tuple(sent->count, sent->first, sent->last), std::tuple(3U, 1U, 3U));
  EXPECT_EQ(out.send_batch(views_of(three), 1s)->last, 6U);
  EXPECT_EQ(out.published(), 6U);
  for (int key = 1; key >= 0; --key) {
    for (const std::string& text : three) {
      const auto batch = in.receive_batch(1, 2s).value();
      EXPECT_FALSE(batch.at(0).is_batch());
      EXPECT_EQ(batch.at(0).text(), text);
      EXPECT_EQ(batch.at(0).key().has_value(), key == 1);
      EXPECT_TRUE(const_cast<Message&>(batch.at(0)).ack());
    }
  }
  EXPECT_EQ(out.send_batch({}, 1s)->count, 0U);
}

TEST_F(BatchTest, ItSaysHowManyWentBeforeTheQueueWasFull) {
  const Queue queue = bus_.create("q", {.slots = 64, .full = Full::reject});
  Producer out = queue.producer();
  const Texts many(1000, "x");
  const auto sent = out.send_batch(views_of(many), 1s);
  ASSERT_TRUE(sent);
  EXPECT_LT(sent->count, many.size());
  EXPECT_EQ(sent->count, queue.info().messages);
  EXPECT_EQ(out.send_batch(views_of(many), 1s).error(), Code::full);
  EXPECT_EQ(out.send_batch(views_of({std::string(64 * MiB, 'x')}), 1s).error(), Code::too_large);
}

TEST_F(BatchTest, AQueuesTimeIsThatOfEach) {
  const Queue queue = bus_.create("q", {.ttl = 1h});
  Producer out = queue.producer();
  ASSERT_TRUE(out.send_batch(views_of(three), 1s));
  for (const PeekedMessage& message : queue.peek(10)) EXPECT_EQ(message.ttl, 1h);
}

// Longer than its ring, so that it grows and waits on the way; readers who sleep are woken.
TEST_F(BatchTest, ConcurrentBatchesComeInTheirSendersOrder) {
  constexpr std::uint64_t each = 20'000;
  constexpr std::uint64_t senders = 2;
  const Queue queue = bus_.create("q", {.slots = 256, .full = Full::block});
  std::vector<std::thread> threads;
  for (std::uint64_t sender = 0; sender < senders; ++sender) {
    threads.emplace_back([&queue, sender] {
      Producer out = queue.producer();
      std::vector<std::uint64_t> numbers(each);
      for (std::uint64_t i = 0; i < each; ++i) numbers[i] = sender << 32 | i;
      Views views;
      for (const std::uint64_t& number : numbers) {
        views.push_back(std::as_bytes(std::span(&number, 1)));
      }
      for (std::size_t at = 0; at < views.size();) {
        const std::size_t some = std::min<std::size_t>(views.size() - at, 1 + at % 300);
        const bool atomic = at % 3 == 0 && some < 20;
        const auto sent =
            out.send_batch(std::span(views).subspan(at, some), 60s, {.atomic = atomic});
        ASSERT_TRUE(sent) << name(sent.error());
        ASSERT_EQ(sent->count, some);
        at += some;
      }
    });
  }
  std::map<std::uint64_t, std::uint64_t> next;
  Consumer in = queue.consumer();
  for (std::uint64_t count = 0; count < each * senders;) {
    auto batch = in.receive_batch(100, 60s);
    ASSERT_TRUE(batch) << name(batch.error());
    for (Message& message : *batch) {
      for (const auto part : message.parts()) {
        std::uint64_t number = 0;
        ASSERT_EQ(part.size(), sizeof number);
        std::memcpy(&number, part.data(), sizeof number);
        ASSERT_EQ(number & 0xffff'ffff, next[number >> 32]++);
        ++count;
      }
      ASSERT_TRUE(message.ack());
    }
  }
  for (std::thread& thread : threads) thread.join();
}

class StoredBatchTest : public StateTest {};

TEST_F(StoredBatchTest, ItComesBackFromTheDisk) {
  {
    const Queue queue = bus().create("q", {.durability = Durability::disk});
    Producer out = queue.producer();
    ASSERT_TRUE(out.send_batch(views_of(three), 1s, {.atomic = true}));
    ASSERT_TRUE(out.send_batch(views_of({"a", ""}), 1s, {.atomic = true, .metadata = {.ttl = 1h}}));
    ASSERT_TRUE(out.send_batch(views_of({"b"}), 1s, {.atomic = true}));
    ASSERT_TRUE(out.send_batch(views_of({"c"}), 1s));
    ASSERT_TRUE(out.flush(30s));
  }
  restart();
  const Queue queue = bus().open("q");
  const std::vector<PeekedMessage> seen = queue.peek(9);
  ASSERT_EQ(seen.size(), 4U);
  EXPECT_EQ(texts_of(seen.at(0).parts()), three);
  Consumer in = queue.consumer();
  for (const Texts& texts : {three, Texts{"a", ""}, Texts{"b"}, Texts{"c"}}) {
    const Message message = in.receive(30s).value();
    EXPECT_EQ(message.is_batch(), texts.at(0) != "c");
    EXPECT_EQ(texts_of(message.parts()), texts);
    EXPECT_TRUE(const_cast<Message&>(message).ack());
  }
}

// A durable queue's writer is told of every number of a run, also of those in its middle.
TEST_F(StoredBatchTest, ConcurrentFollowersGetEveryNumber) {
  const Queue queue = bus().create("q", {.durability = Durability::disk});
  Consumer in = queue.consumer();
  std::vector<std::thread> threads;
  threads.reserve(3);
  for (int sender = 0; sender < 3; ++sender) {
    threads.emplace_back([&queue] {
      Producer out = queue.producer();
      for (int round = 0; round < 100; ++round) {
        ASSERT_EQ(out.send_batch(views_of(Texts(1 + round % 70, "x")), 30s)->count,
                  1U + round % 70);
        ASSERT_TRUE(out.flush(30s));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace spillring
