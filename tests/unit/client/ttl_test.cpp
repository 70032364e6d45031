// Messages that are delivered within a time, and then no more.
#include <functional>
#include <map>
#include <thread>

#include "client/state_fixture.hpp"
#include "client/supervisor_fixture.hpp"

namespace spillring {
namespace {

constexpr Timeout moment = 1ms;

/// Longer than a moment, by any clock.
void let_it_pass() { std::this_thread::sleep_for(50ms); }

void await(const std::function<bool()>& condition) {
  for (int tries = 0; tries < 30'000; ++tries) {
    if (condition()) return;
    std::this_thread::sleep_for(1ms);
  }
  ADD_FAILURE() << "it never came true";
}

std::uint64_t expired(const Queue& queue) { return queue.groups().at(0).expired; }

class TtlTest : public WithSupervisor {
 protected:
  static void send(Producer& out, std::string_view text, Timeout ttl) {
    ASSERT_TRUE(out.send(bytes(text), 1s, {.ttl = ttl}));
  }
};

TEST_F(TtlTest, ASharedGroupPassesWhatIsTooLate) {
  const Queue queue = bus_.create("q");
  Producer out = queue.producer();
  for (int i = 0; i < 100; ++i) send(out, "late", moment);
  send(out, "good", 1h);
  let_it_pass();
  Consumer in = queue.consumer();
  EXPECT_EQ(take(in), "good");
  EXPECT_EQ(in.receive(20ms).error(), Code::timeout);
  EXPECT_EQ(expired(queue), 100U);
  EXPECT_EQ(queue.info().messages, 0U);
}

TEST_F(TtlTest, AStreamGroupPassesWhatIsTooLate) {
  const Queue queue = bus_.create("q");
  Producer out = queue.producer();
  send(out, "late", moment);
  send(out, "good", forever);
  send(out, "late", moment);
  let_it_pass();
  Consumer in = queue.subscriber("s", {.start = Start::earliest()});
  EXPECT_EQ(take(in), "good");
  EXPECT_EQ(in.receive(20ms).error(), Code::timeout);
  EXPECT_EQ(expired(queue), 2U);
  EXPECT_EQ(queue.info().messages, 0U);
}

// However many are too late: who waits is asked now and then whether it still wants to.
TEST_F(TtlTest, ManyArePassedWithPauses) {
  const Queue queue = bus_.create("q");
  Consumer shared = queue.consumer("shared", {.interruptible = true});
  Consumer stream = queue.subscriber("stream", {.interruptible = true});
  Consumer patient = queue.subscriber("patient");
  Producer out = queue.producer();
  for (int i = 0; i < 5000; ++i) send(out, "late", moment);
  send(out, "good", 1h);
  let_it_pass();
  for (Consumer* in : {&shared, &stream}) {
    int pauses = 0;
    Result<Message> message = in->receive(no_wait);
    for (; message.error() == Code::interrupted; message = in->receive(no_wait)) ++pauses;
    EXPECT_EQ(message.value().text(), "good");
    EXPECT_GE(pauses, 4);
  }
  EXPECT_EQ(patient.receive(1ns).error(), Code::timeout);
  EXPECT_EQ(patient.receive(no_wait).value().text(), "good");
  for (const GroupInfo& group : queue.groups()) EXPECT_EQ(group.expired, 5000U) << group.name;
}

TEST_F(TtlTest, WhatPassesMakesRoom) {
  const Queue queue = bus_.create("q", {.capacity = 64 * KiB, .full = Full::block});
  Producer out = queue.producer();
  const std::string body(8000, 'x');
  while (out.send(bytes(body), no_wait, {.ttl = moment})) {
  }
  let_it_pass();
  Consumer shared = queue.consumer("shared");
  Consumer stream = queue.subscriber("stream", {.start = Start::earliest()});
  EXPECT_EQ(shared.receive(no_wait).error(), Code::empty);
  EXPECT_EQ(stream.receive(no_wait).error(), Code::empty);
  EXPECT_TRUE(out.send(bytes(body), no_wait));
}

TEST_F(TtlTest, ItBecomesADeadLetter) {
  const Queue dead = bus_.create("dead", {.ttl = moment});
  const Queue queue = bus_.create("q", {.max_deliveries = 2, .dead_letter = "dead"});
  Producer out = queue.producer();
  ASSERT_TRUE(out.send(bytes("late"), 1s, {.key = bytes("k"), .ttl = moment}));
  send(out, "good", 1h);
  let_it_pass();
  Consumer in = queue.consumer("workers");
  EXPECT_EQ(take(in), "good");
  Consumer undertaker = dead.consumer();
  await([&] { return queue.info().messages == 0; });
  let_it_pass();  // a dead letter has no time
  const Message letter = undertaker.receive(30s).value();
  EXPECT_EQ(letter.text(), "late");
  EXPECT_TRUE(letter.key());
  EXPECT_EQ(letter.ttl(), no_wait);
  std::map<std::string_view, std::string> said;
  for (const Header& header : letter.headers()) {
    said[header.name] = {reinterpret_cast<const char*>(header.value.data()), header.value.size()};
  }
  const std::map<std::string_view, std::string> expected{{"spillring-reason", "expired"},
                                                         {"spillring-source", "q"},
                                                         {"spillring-group", "workers"},
                                                         {"spillring-sequence", "1"},
                                                         {"spillring-deliveries", "0"}};
  EXPECT_EQ(said, expected);
  EXPECT_EQ(queue.info().dead_lettered, 1U);
  EXPECT_EQ(expired(queue), 1U);
  EXPECT_EQ(undertaker.receive(20ms).error(), Code::timeout);
}

TEST_F(TtlTest, WhoHasItKeepsItAndNobodyGetsItAgain) {
  const Queue queue = bus_.create("q");
  Producer out = queue.producer();
  send(out, "held", 1s);
  send(out, "ahead", 1s);
  Consumer in = queue.consumer();
  Message held = in.receive(1s).value();
  std::this_thread::sleep_for(1100ms);
  EXPECT_EQ(held.text(), "held");
  EXPECT_EQ(in.receive(no_wait).error(), Code::empty) << "what was claimed ahead is too late";
  EXPECT_EQ(expired(queue), 1U);
  ASSERT_TRUE(held.nack());
  EXPECT_EQ(in.receive(no_wait).error(), Code::empty);
  EXPECT_EQ(expired(queue), 2U);
  EXPECT_EQ(queue.info().messages, 0U);
}

TEST_F(TtlTest, AnAcknowledgementMayComeLate) {
  const Queue queue = bus_.create("q");
  Producer out = queue.producer();
  send(out, "held", 1s);
  Consumer in = queue.consumer();
  Message held = in.receive(1s).value();
  std::this_thread::sleep_for(1100ms);
  EXPECT_TRUE(held.ack());
  EXPECT_EQ(expired(queue), 0U);
}

TEST_F(TtlTest, TheMessageThenTheProducerThenTheQueueDecide) {
  Queue queue = bus_.create("q", {.ttl = 3h});
  EXPECT_EQ(queue.info().options.ttl, 3h);
  Producer plain = queue.producer();
  Producer hasty = queue.producer({.ttl = 2h});
  send(plain, "a", no_wait);
  send(hasty, "b", no_wait);
  send(hasty, "c", 1h);
  send(hasty, "d", forever);
  EXPECT_EQ(queue.set({.ttl = 4h}).options.ttl, 4h);
  send(plain, "e", no_wait);
  queue.set({.ttl = no_wait});
  send(plain, "f", no_wait);
  std::vector<Timeout> seen;
  for (const PeekedMessage& message : queue.peek(10)) seen.push_back(message.ttl);
  EXPECT_EQ(seen, (std::vector<Timeout>{3h, 2h, 1h, no_wait, 4h, no_wait}));
  Consumer in = queue.consumer();
  for (const Timeout ttl : seen) {
    Message message = in.receive(1s).value();
    EXPECT_EQ(message.ttl(), ttl);
    EXPECT_TRUE(message.ack());
  }
}

TEST_F(TtlTest, LoansAndAllSizesHaveOne) {
  const Queue queue = bus_.create("q");
  Producer out = queue.producer();
  for (const std::size_t size : {0, 1, 24, 25, 64, 5000}) {
    ASSERT_TRUE(out.send(bytes(std::string(size, 's')), 1s, {.ttl = 1h}));
    Loan loan = out.loan(size, 1s, {.metadata = {.key = bytes("k"), .ttl = 2h}}).value();
    std::fill(loan.bytes().begin(), loan.bytes().end(), std::byte{'l'});
    ASSERT_TRUE(loan.publish());
  }
  Consumer in = queue.consumer();
  for (const std::size_t size : {0, 1, 24, 25, 64, 5000}) {
    Message sent = in.receive(1s).value();
    EXPECT_EQ(sent.text(), std::string(size, 's'));
    EXPECT_EQ(sent.ttl(), 1h);
    ASSERT_TRUE(sent.ack());
    Message lent = in.receive(1s).value();
    EXPECT_EQ(lent.text(), std::string(size, 'l'));
    EXPECT_EQ(lent.ttl(), 2h);
    EXPECT_TRUE(lent.key());
    ASSERT_TRUE(lent.ack());
  }
}

TEST_F(TtlTest, TheTimeOfALoanBeginsWhenItIsPublished) {
  const Queue queue = bus_.create("q");
  Producer out = queue.producer();
  Loan loan = out.loan(8, 1s, {.metadata = {.ttl = 1s}}).value();
  std::this_thread::sleep_for(1100ms);
  ASSERT_TRUE(loan.publish());
  EXPECT_FALSE(queue.peek().at(0).expired);
}

TEST_F(TtlTest, PeekMarksIt) {
  const Queue queue = bus_.create("q");
  Producer out = queue.producer();
  send(out, "late", moment);
  send(out, "good", 1h);
  let_it_pass();
  const std::vector<PeekedMessage> seen = queue.peek(2);
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_TRUE(seen[0].expired);
  EXPECT_FALSE(seen[1].expired);
  const Consumer in = queue.consumer();
  EXPECT_EQ(expired(queue), 0U) << "nobody has passed it";
}

TEST_F(TtlTest, WhatCannotBeIsRefused) {
  const Queue queue = bus_.create("q");
  Producer out = queue.producer();
  EXPECT_EQ(out.send(bytes("x"), 1s, {.ttl = -1s}).error(), Code::invalid);
  EXPECT_EQ(out.loan(1, 1s, {.metadata = {.ttl = -1s}}).error(), Code::invalid);
  try {
    (void)bus_.create("r", {.ttl = 1us});
    ADD_FAILURE() << "a microsecond was taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::invalid);
    EXPECT_EQ(error.summary(), "the ttl is too short");
  }
}

class StoredTtlTest : public StateTest {};

TEST_F(StoredTtlTest, TheJournalKeepsIt) {
  {
    const Queue queue = bus().create("q", {.durability = Durability::disk, .ttl = 5h});
    Producer out = queue.producer();
    ASSERT_TRUE(out.send(bytes("late"), 1s, {.ttl = moment}));
    ASSERT_TRUE(out.send(bytes("good"), 1s, {.ttl = 1h}));
    ASSERT_TRUE(out.send(bytes("any"), 1s));
    ASSERT_TRUE(out.flush(30s));
  }
  restart();
  let_it_pass();
  const Queue queue = bus().open("q");
  EXPECT_EQ(queue.info().options.ttl, 5h);
  const std::vector<PeekedMessage> seen = queue.peek(3);
  ASSERT_EQ(seen.size(), 3U);
  EXPECT_TRUE(seen[0].expired);
  Consumer in = queue.consumer();
  Message good = in.receive(30s).value();
  EXPECT_EQ(good.text(), "good");
  EXPECT_EQ(good.ttl(), 1h);
  ASSERT_TRUE(good.ack());
  EXPECT_EQ(in.receive(30s).value().ttl(), 5h);
  EXPECT_EQ(expired(queue), 1U);
}

TEST_F(StoredTtlTest, WhatWasSpilledIsPassedToo) {
  const Queue queue = bus().create("q", {.capacity = 256 * KiB});
  Producer out = queue.producer();
  const std::string body(10'000, 'j');
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(out.send(bytes(body), 30s, {.ttl = moment}));
  ASSERT_TRUE(out.send(bytes("good"), 30s));
  ASSERT_GT(queue.info().journaled, 50U);
  let_it_pass();
  Consumer shared = queue.consumer("shared");
  Consumer stream = queue.subscriber("stream", {.start = Start::earliest()});
  for (Consumer* in : {&shared, &stream}) {
    Message good = in->receive(30s).value();
    EXPECT_EQ(good.text(), "good");
    ASSERT_TRUE(good.ack());
  }
  for (const GroupInfo& group : queue.groups()) EXPECT_EQ(group.expired, 200U) << group.name;
}

TEST_F(StoredTtlTest, SetIsForGood) {
  bus().create("q").set({.ttl = 7min});
  restart();
  EXPECT_EQ(bus().open("q").info().options.ttl, 7min);
}

}  // namespace
}  // namespace spillring
