// Messages that are delivered so often and no more, and those that are handed back for later.
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <map>
#include <thread>

#include "client/state_fixture.hpp"
#include "client/supervisor_fixture.hpp"

namespace spillring {
namespace {

std::map<std::string, std::string> headers_of(const Message& message) {
  std::map<std::string, std::string> result;
  for (const Header& header : message.headers()) {
    result[std::string(header.name)] =
        std::string(reinterpret_cast<const char*>(header.value.data()), header.value.size());
  }
  return result;
}

/// Takes the next message so often that it is not delivered again.
void use_up(Consumer& consumer, unsigned times) {
  for (unsigned delivery = 1; delivery <= times; ++delivery) {
    Message message = consumer.receive(30s).value();
    EXPECT_EQ(message.deliveries(), delivery);
    ASSERT_TRUE(message.nack());
  }
}

void await(const std::function<bool()>& condition) {
  for (int tries = 0; tries < 30'000; ++tries) {
    if (condition()) return;
    std::this_thread::sleep_for(1ms);
  }
  ADD_FAILURE() << "it never came true";
}

class DeadLetterTest : public WithSupervisor {};

TEST_F(DeadLetterTest, SaysWhyAndWhereFrom) {
  const Queue dead = bus_.create("dead");
  const Queue queue = bus_.create("q", {.max_deliveries = 2, .dead_letter = "dead"});
  Producer out = queue.producer();
  const std::vector<Header> own{{"colour", bytes("red")}, {"spillring-reason", bytes("old")}};
  ASSERT_TRUE(out.send(bytes("good"), 1s));
  ASSERT_TRUE(out.send(bytes(std::string(5000, 'x')), 1s, {.key = bytes("k"), .headers = own}));
  Consumer in = queue.consumer("workers", {.prefetch = 1});
  EXPECT_EQ(take(in), "good");
  use_up(in, 2);
  Consumer undertaker = dead.consumer();
  const Message letter = undertaker.receive(30s).value();
  EXPECT_EQ(letter.text(), std::string(5000, 'x'));
  ASSERT_TRUE(letter.key());
  const std::map<std::string, std::string> expected{
      {"colour", "red"},           {"spillring-reason", "max-deliveries"},
      {"spillring-source", "q"},   {"spillring-group", "workers"},
      {"spillring-sequence", "2"}, {"spillring-deliveries", "2"}};
  EXPECT_EQ(headers_of(letter), expected);
  await([&] { return queue.info().messages == 0; });
  EXPECT_EQ(queue.info().dead_lettered, 1U);
  EXPECT_EQ(queue.info().doomed, 0U);
  EXPECT_EQ(in.receive(20ms).error(), Code::timeout);
}

TEST_F(DeadLetterTest, WithoutSuchAQueueItIsDiscarded) {
  const Queue queue = bus_.create("q", {.max_deliveries = 3});
  Producer out = queue.producer();
  send(out, "poison");
  send(out, "good");
  Consumer in = queue.consumer("g", {.prefetch = 1});
  use_up(in, 3);
  EXPECT_EQ(take(in), "good");
  await([&] { return queue.info().discarded == 1; });
  EXPECT_EQ(queue.info().messages, 0U);
}

TEST_F(DeadLetterTest, ThereAreFiveDeliveriesUnlessOtherwiseSaid) {
  (void)bus_.create("dead");
  EXPECT_EQ(bus_.create("q", {.dead_letter = "dead"}).info().options.max_deliveries, 5U);
  EXPECT_EQ(bus_.create("r").info().options.max_deliveries, 0U);
}

TEST_F(DeadLetterTest, WhatCannotBeIsRefusedByName) {
  const auto refused = [this](const QueueOptions& options) {
    try {
      (void)bus_.create("q", options);
    } catch (const Error& error) {
      return std::pair(error.code(), std::string(error.summary()));
    }
    return std::pair(Code::ok, std::string());
  };
  (void)bus_.create("small", {.capacity = 64 * KiB});
  EXPECT_EQ(refused({.dead_letter = "nowhere"}),
            std::pair(Code::not_found, std::string("there is no queue 'nowhere'")));
  EXPECT_EQ(refused({.dead_letter = "q"}).first, Code::not_found);
  EXPECT_EQ(refused({.dead_letter = "small"}).first, Code::invalid);
  EXPECT_EQ(refused({.max_deliveries = 251}).first, Code::invalid);
}

TEST_F(DeadLetterTest, EachGroupHasItsOwn) {
  const Queue dead = bus_.create("dead");
  const Queue queue = bus_.create("q", {.max_deliveries = 1, .dead_letter = "dead"});
  Consumer one = queue.consumer("one");
  Consumer two = queue.consumer("two");
  Producer out = queue.producer();
  send(out, "x");
  use_up(one, 1);
  EXPECT_EQ(take(two), "x");
  Consumer undertaker = dead.consumer();
  Message letter = undertaker.receive(30s).value();
  EXPECT_EQ(headers_of(letter)["spillring-group"], "one");
  ASSERT_TRUE(letter.ack());
  EXPECT_EQ(undertaker.receive(20ms).error(), Code::timeout);
}

TEST_F(DeadLetterTest, StaysWhileTheOtherQueueIsFull) {
  const Queue dead = bus_.create("dead", {.capacity = 64 * KiB, .full = Full::block});
  const Queue queue =
      bus_.create("q", {.capacity = 64 * KiB, .max_deliveries = 1, .dead_letter = "dead"});
  Producer filler = dead.producer();
  while (filler.send(bytes(std::string(8000, 'f')), no_wait)) {
  }
  Producer out = queue.producer();
  ASSERT_TRUE(out.send(bytes(std::string(8000, 'x')), 1s));
  Consumer in = queue.consumer();
  use_up(in, 1);
  await([&] { return queue.info().doomed == 1; });
  EXPECT_EQ(queue.info().messages, 1U);
  dead.purge();
  Consumer undertaker = dead.consumer();
  EXPECT_EQ(undertaker.receive(30s).value().text(), std::string(8000, 'x'));
  await([&] { return queue.info().messages == 0; });
}

TEST_F(DeadLetterTest, StaysWhileTheOtherQueueIsAway) {
  (void)bus_.create("dead");
  const Queue queue = bus_.create("q", {.max_deliveries = 1, .dead_letter = "dead"});
  bus_.remove("dead");
  Producer out = queue.producer();
  send(out, "x");
  Consumer in = queue.consumer();
  use_up(in, 1);
  await([&] { return queue.info().doomed == 1; });
  const Queue again = bus_.create("dead");
  Consumer undertaker = again.consumer();
  EXPECT_EQ(take(undertaker), "x");
}

TEST_F(DeadLetterTest, APurgeTakesItToo) {
  (void)bus_.create("dead");
  const Queue queue = bus_.create("q", {.max_deliveries = 1, .dead_letter = "dead"});
  bus_.remove("dead");
  Producer out = queue.producer();
  send(out, "x");
  Consumer in = queue.consumer();
  use_up(in, 1);
  queue.purge();
  await([&] { return queue.info().doomed == 0; });
  EXPECT_EQ(queue.info().messages, 0U);
  send(out, "y");
  EXPECT_EQ(take(in), "y");
}

/// Receives until it meets the poison, which kills it.
pid_t victim(const std::string& socket) {
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  Client bus({.socket = socket});
  Consumer in = bus.open("q").consumer("g");
  for (;;) {
    Result<Message> message = in.receive(30s);
    if (!message) ::_exit(1);
    if (message->text() == "poison") ::raise(SIGKILL);
    ::_exit(message->ack() ? 0 : 2);
  }
}

TEST_F(DeadLetterTest, PoisonKillsSoManyAndTakesNobodyAlong) {
  constexpr unsigned most = 3;
  const Queue dead = bus_.create("dead");
  const Queue queue = bus_.create("q", {.max_deliveries = most, .dead_letter = "dead"});
  Producer out = queue.producer();
  send(out, "poison");
  for (int i = 0; i < 20; ++i) send(out, std::to_string(i));
  for (unsigned death = 0; death < most; ++death) {
    int status = 0;
    ::waitpid(victim(supervisor_.socket()), &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status)) << death;
    await([&] { return queue.info().consumers == 0; });
  }
  Consumer in = queue.consumer("g");
  for (int i = 0; i < 20; ++i) {
    Message message = in.receive(30s).value();
    EXPECT_EQ(message.text(), std::to_string(i));
    EXPECT_EQ(message.deliveries(), 1U) << "what was claimed ahead was not delivered";
    ASSERT_TRUE(message.ack());
  }
  Consumer undertaker = dead.consumer();
  EXPECT_EQ(undertaker.receive(30s).value().text(), "poison");
  EXPECT_EQ(queue.info().dead_lettered, 1U);
}

TEST_F(DeadLetterTest, WhatIsHandedBackForLaterComesLater) {
  const Queue queue = bus_.create("q");
  Producer out = queue.producer();
  send(out, "later");
  send(out, "now");
  Consumer in = queue.consumer("g", {.prefetch = 1});
  Message later = in.receive(30s).value();
  const auto before = std::chrono::steady_clock::now();
  ASSERT_TRUE(later.nack(100ms));
  EXPECT_EQ(take(in), "now");
  const Message again = in.receive(30s).value();
  EXPECT_GE(std::chrono::steady_clock::now() - before, 100ms);
  EXPECT_EQ(again.text(), "later");
  EXPECT_EQ(again.deliveries(), 2U);
}

TEST_F(DeadLetterTest, ADelayOutlivesItsConsumer) {
  const Queue queue = bus_.create("q");
  Producer out = queue.producer();
  send(out, "x");
  {
    Consumer in = queue.consumer("g");
    ASSERT_TRUE(in.receive(30s).value().nack(50ms));
  }
  Consumer in = queue.consumer("g");
  EXPECT_EQ(take(in), "x");
}

TEST_F(DeadLetterTest, ADelayThatCannotBeIsRefused) {
  const Queue queue = bus_.create("q");
  Producer out = queue.producer();
  send(out, "x");
  Consumer in = queue.consumer("g");
  Message message = in.receive(30s).value();
  EXPECT_EQ(message.nack(longest_delay + 1ms).error(), Code::invalid);
  EXPECT_TRUE(message.ack());
}

class DurableDeadLetterTest : public StateTest {};

TEST_F(DurableDeadLetterTest, IsOnTheDiskBeforeTheSourceIsFinished) {
  const Queue dead = bus().create("dead", {.durability = Durability::disk});
  const Queue queue = bus().create(
      "q", {.durability = Durability::disk, .max_deliveries = 1, .dead_letter = "dead"});
  Producer out = queue.producer();
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(out.send(bytes(std::to_string(i)), 30s));
  Consumer in = queue.consumer();
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(in.receive(30s).value().nack());
  await([&] { return queue.info().dead_lettered == 200; });
  EXPECT_EQ(dead.info().journaled, 200U);
  EXPECT_EQ(queue.info().messages, 0U);
}

TEST_F(DurableDeadLetterTest, ADurableQueueHasDurableDeadLetters) {
  (void)bus().create("dead");
  EXPECT_THROW((void)bus().create("q", {.durability = Durability::disk, .dead_letter = "dead"}),
               Error);
}

TEST_F(DurableDeadLetterTest, FromTheJournalToo) {
  const Queue dead = bus().create("dead");
  const Queue queue =
      bus().create("q", {.capacity = 256 * KiB, .max_deliveries = 1, .dead_letter = "dead"});
  Producer out = queue.producer();
  const std::string body(10'000, 'j');
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(out.send(bytes(std::to_string(i) + body), 30s));
  ASSERT_GT(queue.info().journaled, 50U);
  Consumer in = queue.consumer("g", {.prefetch = 1});
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(in.receive(30s).value().nack());
  Consumer undertaker = dead.consumer();
  for (int i = 0; i < 200; ++i) {
    Message letter = undertaker.receive(30s).value();
    EXPECT_EQ(letter.text(), std::to_string(i) + body);
    ASSERT_TRUE(letter.ack());
  }
}

// Whichever of the two is brought to the disk first.
TEST_F(DurableDeadLetterTest, AStopCountsACopyThatTheDiskHadNotYet) {
  const QueueOptions rarely_synced = {.durability = Durability::disk, .sync_interval = 1h};
  for (const bool dead_is_later : {false, true}) {
    const std::string dead_name = dead_is_later ? "dead-later" : "dead";
    const std::string name = dead_is_later ? "q-later" : "q";
    (void)bus().create(dead_name, rarely_synced);
    {
      const Queue queue = bus().create(name, {.durability = Durability::disk,
                                              .sync_interval = 1h,
                                              .max_deliveries = 1,
                                              .dead_letter = dead_name});
      if (dead_is_later) {
        bus().remove(dead_name);
        (void)bus().create(dead_name, rarely_synced);
      }
      const Queue dead = bus().open(dead_name);
      Producer out = queue.producer();
      Consumer in = queue.consumer();
      // The first sync comes at once, and the next one much later.
      for (const Queue& each : {queue, dead}) {
        Producer first = each.producer();
        ASSERT_TRUE(first.send(bytes("first"), 30s));
        ASSERT_TRUE(first.flush(30s));
      }
      ASSERT_TRUE(in.receive(30s).value().ack());
      ASSERT_TRUE(out.send(bytes("x"), 30s));
      ASSERT_TRUE(in.receive(30s).value().nack());
      await([&] { return dead.info().messages == 2; });
      ASSERT_EQ(queue.info().doomed, 1U) << "the disk does not have it";
    }
    restart();
    EXPECT_EQ(bus().open(name).info().doomed, 0U);
    EXPECT_EQ(bus().open(name).info().messages, 0U);
    EXPECT_EQ(bus().open(dead_name).info().messages, 2U) << "there is one copy";
  }
}

TEST_F(DurableDeadLetterTest, CountsOutliveTheSupervisor) {
  (void)bus().create("dead");
  {
    const Queue queue = bus().create("q", {.max_deliveries = 2, .dead_letter = "dead"});
    Producer out = queue.producer();
    ASSERT_TRUE(out.send(bytes("once"), 1s));
    ASSERT_TRUE(out.send(bytes("twice"), 1s));
    Consumer in = queue.consumer("g", {.prefetch = 1});
    Message once = in.receive(30s).value();
    Message twice = in.receive(30s).value();
    bus().remove("dead");
    ASSERT_TRUE(twice.nack());
    Message again = in.receive(30s).value();
    EXPECT_EQ(again.deliveries(), 2U);
    ASSERT_TRUE(again.nack());
    ASSERT_TRUE(once.nack());
    await([&] { return queue.info().doomed == 1; });
  }
  restart();
  const Queue queue = bus().open("q");
  EXPECT_EQ(queue.info().options.max_deliveries, 2U);
  EXPECT_EQ(queue.info().options.dead_letter, "dead");
  const Queue dead = bus().create("dead");
  Consumer undertaker = dead.consumer();
  EXPECT_EQ(undertaker.receive(30s).value().text(), "twice");
  Consumer in = queue.consumer("g");
  const Message once = in.receive(30s).value();
  EXPECT_EQ(once.text(), "once");
  EXPECT_EQ(once.deliveries(), 2U);
}

}  // namespace
}  // namespace spillring
