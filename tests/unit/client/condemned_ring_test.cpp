// A ring is damaged while its queue is in use: what is lost with it is told, exactly, and nothing
// else is lost.
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <limits>
#include <set>
#include <sstream>
#include <thread>

#include "client/raw_client.hpp"
#include "client/spill_fixture.hpp"

namespace spillring {
namespace {

constexpr std::uint64_t slots = 64;

QueueOptions fixed(Full full) {
  return {.capacity = 64 * KiB, .slots = slots, .full = full, .prealloc = true};
}

class CondemnedRingTest : public SpillTest {
 protected:
  /// No steps lead to it, and it says nothing of other numbers.
  static void damage(const ring::RingView& ring) {
    const std::uint64_t s = ring.header().limit.load();
    const std::uint32_t later = ring.lap(s) + 1;
    ring.descriptor(s).published.store(layout::publish_word(later, layout::Published::aborted));
  }
  /// Damages a ring and waits for the one that takes its place, or for the end of the queue.
  /// Returns the name of the newest.
  std::uint64_t condemn(const Queue& queue) const {
    const RingForger forger(socket(), queue.name());
    const auto is_replaced = [&] { return forger.names().back() != forger.view().first(); };
    EXPECT_TRUE(eventually([&] {  // a ring in use may come round, and make it true
      if (is_replaced()) return true;
      damage(forger.view());
      forger.report();
      return false;
    }));
    return forger.names().back();
  }
  static std::uint64_t successor_of(const RingForger& forger) {
    const std::uint64_t before = forger.view().first();
    EXPECT_TRUE(eventually([&] { return forger.names().back() != before; }));
    return forger.names().back();
  }
  static Consumer stream_of(const Queue& queue) {
    return queue.subscriber("stream", {.start = Start::earliest()});
  }
  static Consumer member_of(const Queue& queue) { return queue.consumer("group", {.prefetch = 1}); }
  static std::uint64_t send_one(Producer& out) {
    return out.send(std::vector<std::byte>(100), 5s).value();
  }
  /// Takes what has this number, and says what it was told to have missed before.
  static std::uint64_t take(Consumer& in, std::uint64_t seq) {
    Result<Message> message = in.receive(5s);
    if (!message) {
      ADD_FAILURE() << name(message.error()) << " instead of number " << seq;
      return UINT64_MAX;
    }
    EXPECT_EQ(message->seq(), seq);
    EXPECT_TRUE(message->ack());
    return message->gap();
  }
  static std::uint64_t lost_by(const Queue& queue, const std::string& group) {
    for (const GroupInfo& info : queue.groups()) {
      if (info.name == group) return info.lost;
    }
    return UINT64_MAX;
  }
  static std::string lost_with(std::uint64_t ring, std::uint64_t from, std::uint64_t end) {
    return "the numbers " + std::to_string(from) + " to " + std::to_string(end - 1) +
           " are lost with its ring " + std::to_string(ring) + "\n";
  }
};

class CondemnedRingOfAnyTest : public CondemnedRingTest,
                               public ::testing::WithParamInterface<Full> {};

TEST_P(CondemnedRingOfAnyTest, WhatIsLostIsToldAndTheQueueGoesOn) {
  const Queue queue = bus().create("q", fixed(GetParam()));
  Producer out = queue.producer();
  Consumer stream = stream_of(queue);
  Consumer member = member_of(queue);
  for (int i = 0; i < 10; ++i) send_one(out);
  for (std::uint64_t s = 1; s <= 3; ++s) take(stream, s);
  for (std::uint64_t s = 1; s <= 2; ++s) take(member, s);
  ::testing::internal::CaptureStderr();
  const std::uint64_t next = condemn(queue);
  EXPECT_EQ(next, 4 + slots) << "behind all that can have been claimed while 4 was unread";
  for (std::uint64_t s = next; s < next + 5; ++s) EXPECT_EQ(send_one(out), s);
  EXPECT_EQ(take(stream, next), next - 4);
  EXPECT_EQ(take(member, next), next - 3);
  for (std::uint64_t s = next + 1; s < next + 5; ++s) {
    EXPECT_EQ(take(stream, s), 0U);
    EXPECT_EQ(take(member, s), 0U);
  }
  EXPECT_EQ(lost_by(queue, "stream"), next - 4);
  EXPECT_EQ(lost_by(queue, "group"), next - 3);
  EXPECT_TRUE(eventually([&] { return queue.info().rings == 1; })) << "everybody is past it";
  EXPECT_EQ(queue.info().state, QueueState::ok);
  const std::string log = ::testing::internal::GetCapturedStderr();
  EXPECT_NE(log.find(lost_with(1, 3, next)), std::string::npos) << log;
}

TEST_P(CondemnedRingOfAnyTest, WhoSleepsIsTold) {
  const Queue queue = bus().create("q", fixed(GetParam()));
  Producer out = queue.producer();
  Consumer stream = stream_of(queue);
  Consumer member = member_of(queue);
  const auto next_gap = [](Consumer& in) {
    Result<Message> message = in.receive(10s);
    while (message.error() == Code::corrupt) message = in.receive(10s);  // it looked in between
    return message.value().gap();
  };
  auto first = std::async(std::launch::async, next_gap, std::ref(stream));
  auto second = std::async(std::launch::async, next_gap, std::ref(member));
  const std::uint64_t next = condemn(queue);
  EXPECT_EQ(send_one(out), next);
  EXPECT_EQ(first.get(), next - 1);
  EXPECT_EQ(second.get(), next - 1);
}

TEST_P(CondemnedRingOfAnyTest, WhatIsInSomebodysHandsStaysAndIsNotLost) {
  const Queue queue = bus().create("q", fixed(GetParam()));
  Producer out = queue.producer();
  Consumer stream = stream_of(queue);
  Consumer member = member_of(queue);
  Consumer other = member_of(queue);
  for (std::uint64_t i = 0; i < 10; ++i) ASSERT_TRUE(out.send(message(i), 5s));
  Message view = stream.receive(5s).value();
  Message held = member.receive(5s).value();
  Message given_back = other.receive(5s).value();
  ASSERT_EQ(given_back.seq(), 2U);
  const std::uint64_t next = condemn(queue);
  for (std::uint64_t s = next; s < next + slots / 2; ++s) {
    ASSERT_EQ(send_one(out), s);
    EXPECT_EQ(take(stream, s), s == next ? next - 2 : 0);
  }
  EXPECT_TRUE(std::ranges::equal(view.bytes(), message(0)));
  EXPECT_TRUE(std::ranges::equal(held.bytes(), message(0)));
  EXPECT_TRUE(held.ack());
  EXPECT_EQ(take(member, next), next - 3);
  EXPECT_TRUE(given_back.nack());
  EXPECT_TRUE(eventually([&] {
    static_cast<void>(other.try_receive());
    return lost_by(queue, "group") == next - 2;
  })) << "nobody can have it any more";
}

TEST_P(CondemnedRingOfAnyTest, ALoanOfItIsStaleAndTheNextIsNot) {
  const Queue queue = bus().create("q", fixed(GetParam()));
  Producer out = queue.producer();
  Consumer stream = stream_of(queue);
  Loan loan = out.loan(100, 1s).value();
  const std::uint64_t next = condemn(queue);
  EXPECT_EQ(loan.publish().error(), Code::stale);
  EXPECT_EQ(send_one(out), next);
  EXPECT_EQ(take(stream, next), next - 1);
}

TEST_P(CondemnedRingOfAnyTest, WhoLooksGoesOnBehindIt) {
  const Queue queue = bus().create("q", fixed(GetParam()));
  Producer out = queue.producer();
  for (int i = 0; i < 10; ++i) send_one(out);
  const std::uint64_t next = condemn(queue);
  send_one(out);
  const auto seen = queue.peek(10);
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_EQ(seen.front().seq, next);
}

TEST_P(CondemnedRingOfAnyTest, AGroupThatComesLaterIsToldAndAPurgeIsNoLoss) {
  const Queue queue = bus().create("q", fixed(GetParam()));
  Producer out = queue.producer();
  for (int i = 0; i < 10; ++i) send_one(out);
  const std::uint64_t next = condemn(queue);
  Consumer stream = stream_of(queue);
  static_cast<void>(queue.consumer("purged"));
  send_one(out);
  EXPECT_EQ(take(stream, next), next - 1);
  queue.purge();
  Consumer purged = queue.consumer("purged");
  send_one(out);
  EXPECT_EQ(take(purged, next + 1), 0U);
  EXPECT_EQ(lost_by(queue, "purged"), 0U);
  EXPECT_TRUE(eventually([&] { return queue.info().rings == 1; }));
}

// A publish word leads nobody past what an honest producer can have come to: these are numbers that
// the next ring gives out.
TEST_P(CondemnedRingOfAnyTest, NobodyIsLedPastNumbersThatAreGivenOutAgain) {
  const Queue queue = bus().create("q", fixed(GetParam()));
  Producer out = queue.producer();
  Consumer stream = stream_of(queue);
  Consumer member = member_of(queue);
  for (int i = 0; i < 3; ++i) send_one(out);
  // While they have the first, neither floor moves on.
  Result<Message> seen = stream.receive(5s);
  Result<Message> held = member.receive(5s);
  ASSERT_TRUE(seen && held);
  for (const std::uint64_t s : {2U, 3U}) {
    take(stream, s);
    take(member, s);
  }
  {
    const RingForger forger(socket(), "q");
    const ring::RingView& ring = forger.view();
    for (std::uint64_t s = 4; s < 4 + 3 * slots; ++s) {
      const std::uint64_t word = layout::publish_word(ring.lap(s), layout::Published::aborted);
      ring.descriptor(s).published.store(word);
      EXPECT_FALSE(stream.try_receive()) << s;
      EXPECT_FALSE(member.try_receive()) << s;
    }
  }
  const std::uint64_t next = condemn(queue);
  for (std::uint64_t s = next; s < next + 5; ++s) EXPECT_EQ(send_one(out), s);
  EXPECT_TRUE(seen->ack());
  EXPECT_TRUE(held->ack());
  const auto receive_to = [](Consumer& in, std::uint64_t last) {
    std::set<std::uint64_t> given;
    while (!given.contains(last)) {
      Result<Message> message = in.receive(2s);
      if (message.error() == Code::corrupt) continue;
      if (!message) break;
      given.insert(message->seq());
      EXPECT_TRUE(message->ack());
    }
    return given;
  };
  for (Consumer* in : {&stream, &member}) {
    const std::set<std::uint64_t> given = receive_to(*in, next + 4);
    for (std::uint64_t s = next; s < next + 5; ++s) EXPECT_TRUE(given.contains(s)) << s;
  }
}

INSTANTIATE_TEST_SUITE_P(Policies, CondemnedRingOfAnyTest,
                         ::testing::Values(Full::block, Full::spill, Full::reject));

TEST_F(CondemnedRingTest, AProducerThatWaitsForRoomGoesOn) {
  const Queue queue = bus().create("q", fixed(Full::block));
  Consumer stream = stream_of(queue);
  Producer out = queue.producer();
  while (out.send(std::vector<std::byte>(100), no_wait)) {
  }
  auto sent = std::async([&] { return out.send(std::vector<std::byte>(100), 10s); });
  std::this_thread::sleep_for(100ms);
  const std::uint64_t next = condemn(queue);
  EXPECT_EQ(sent.get().value(), next);
  EXPECT_EQ(take(stream, next), next - 1);
}

// More than what was free was claimed there, so it counts.
TEST_F(CondemnedRingTest, ClaimsAreBelievedAsFarAsTheyCanBeTrue) {
  const Queue queue = bus().create("q", fixed(Full::block));
  Producer out = queue.producer();
  Consumer stream = stream_of(queue);
  const auto claim = [&](std::uint32_t laps) {
    const RingForger forger(socket(), "q");
    const std::uint64_t s = forger.view().first() + 1;
    forger.view().claim(s).word.store(layout::claim_word(forger.view().lap(s) + laps, {1, 1}));
    forger.report();
    return successor_of(forger);
  };
  const std::uint64_t second = claim(5);
  EXPECT_EQ(second, 2 + 5 * slots + 1);
  EXPECT_EQ(send_one(out), second);
  EXPECT_EQ(take(stream, second), second - 1);
  const std::uint64_t third = claim(1U << 30);
  EXPECT_EQ(third, second + slots + 1) << "nobody can have come there";
}

/// A queue that has grown, of which nothing was read.
class CondemnedChainTest : public CondemnedRingTest {
 protected:
  static constexpr std::uint64_t sent = 1200;
  CondemnedChainTest() {
    Producer out = queue_.producer();
    for (std::uint64_t i = 0; i < sent; ++i) {
      EXPECT_TRUE(out.send(std::vector<std::byte>(1000), 5s)) << i;
    }
  }
  /// All but what is in [from, end), which is told.
  void expect_all_but(Consumer& in, std::uint64_t from, std::uint64_t end, std::uint64_t last) {
    std::uint64_t told = 0;
    std::uint64_t received = 0;
    for (std::uint64_t before = 0; before != last; ++received) {
      Result<Message> message = in.receive(5s);
      ASSERT_TRUE(message) << name(message.error()) << " behind " << before;
      EXPECT_GT(message->seq(), before);
      EXPECT_TRUE(message->seq() < from || message->seq() >= end) << message->seq();
      EXPECT_EQ(message->gap(), before < from && message->seq() >= end ? end - from : 0);
      told += message->gap();
      before = message->seq();
      EXPECT_TRUE(message->ack());
    }
    EXPECT_EQ(told, end - from);
    EXPECT_EQ(in.try_receive().error(), Code::empty);
  }

  Queue queue_ = bus().create("q", {.capacity = 4 * MiB, .full = Full::block});
};

TEST_F(CondemnedChainTest, OlderRingsAreReadOn) {
  const RingForger forger(socket(), "q");
  const std::vector<std::uint64_t> names = forger.names();
  ASSERT_GT(names.size(), 1U);
  Consumer stream = stream_of(queue_);
  Consumer member = member_of(queue_);
  const std::uint64_t next = condemn(queue_);
  EXPECT_EQ(next, names.back() + forger.view().slots());
  Producer out = queue_.producer();
  EXPECT_EQ(send_one(out), next);
  expect_all_but(stream, names.back(), next, next);
  expect_all_but(member, names.back(), next, next);
  EXPECT_TRUE(eventually([&] { return queue_.info().rings == 1; }));
}

TEST_F(CondemnedChainTest, AnOlderRingTakesNothingElseAlong) {
  const std::vector<std::uint64_t> names = RingForger(socket(), "q").names();
  ASSERT_GT(names.size(), 2U);
  Consumer stream = stream_of(queue_);
  Consumer member = member_of(queue_);
  ::testing::internal::CaptureStderr();
  const RingForger forger(socket(), "q", names[1]);
  const ring::RingView& ring = forger.view();
  const std::uint64_t s = ring.first() + 1;
  ring.descriptor(s).size = std::numeric_limits<std::uint32_t>::max();
  forger.report();
  Producer out = queue_.producer();
  const std::uint64_t last = send_one(out);
  EXPECT_TRUE(eventually([&] { return forger.manifest().lost_until.load() == names[2]; }));
  expect_all_but(stream, names[1], names[2], last);
  expect_all_but(member, names[1], names[2], last);
  const std::string log = ::testing::internal::GetCapturedStderr();
  EXPECT_NE(log.find(lost_with(names[1], names[1], names[2])), std::string::npos) << log;
}

TEST_F(CondemnedRingTest, WhatTheJournalHasIsReadOn) {
  const Queue queue = bus().create("q", small());
  Producer out = queue.producer();
  Consumer stream = stream_of(queue);
  Consumer member = member_of(queue);
  send(out, 0, many);
  std::uint64_t journaled = 0;
  ASSERT_TRUE(eventually([&] {  // it rests
    std::this_thread::sleep_for(50ms);
    return std::exchange(journaled, queue.info().journaled) == queue.info().journaled;
  }));
  ASSERT_GT(journaled, many / 2);
  const RingForger forger(socket(), "q");
  const std::uint64_t from = std::max(forger.manifest().journaled.load(), forger.view().first());
  const std::uint64_t next = condemn(queue);
  send(out, many, many + 10);
  for (Consumer* in : {&stream, &member}) {
    const Read read = read_all(*in);
    EXPECT_EQ(read.last, many + 9);
    EXPECT_EQ(read.gaps, next - from);
    EXPECT_GT(read.received, journaled - 64) << "seals of rings count";
  }
  EXPECT_EQ(lost_by(queue, "stream"), next - from);
  EXPECT_EQ(lost_by(queue, "group"), next - from);
  send(out, many, 2 * many);  // the journal goes on
  EXPECT_EQ(read_all(stream).received, many);
  EXPECT_EQ(read_all(member).gaps, 0U);
}

TEST_F(CondemnedRingTest, NobodyIsToldThatTheDiskHasWhatIsLost) {
  QueueOptions options = fixed(Full::spill);
  options.durability = Durability::disk;
  options.stall_timeout = 60s;
  const Queue queue = bus().create("q", options);
  Producer out = queue.producer();
  Producer slow = queue.producer();
  for (int i = 0; i < 10; ++i) send_one(out);
  ASSERT_TRUE(out.flush(10s));
  Loan in_the_way = slow.loan(100, 1s).value();
  ASSERT_EQ(send_one(out), 12U);
  auto confirmed = std::async([&] { return out.confirm(12, 10s); });
  std::this_thread::sleep_for(50ms);
  const std::uint64_t next = condemn(queue);
  EXPECT_EQ(confirmed.get().error(), Code::in_doubt);
  EXPECT_EQ(out.confirm(12, no_wait).error(), Code::in_doubt);
  EXPECT_EQ(in_the_way.publish().error(), Code::stale);
  EXPECT_EQ(send_one(out), next);
  EXPECT_TRUE(out.flush(10s)) << "the journal goes on behind it";
  Consumer stream = stream_of(queue);
  Consumer member = member_of(queue);
  for (Consumer* in : {&stream, &member}) {
    for (std::uint64_t s = 1; s <= 10; ++s) EXPECT_EQ(take(*in, s), 0U);
    EXPECT_EQ(take(*in, next), next - 11);
  }
}

TEST_F(CondemnedRingTest, WhoDropsTheOldestIsPoisoned) {
  const Queue queue = bus().create("q", fixed(Full::drop_oldest));
  Producer out = queue.producer();
  send_one(out);
  const RingForger forger(socket(), "q");
  damage(forger.view());
  forger.report();
  EXPECT_TRUE(eventually([&] { return queue.info().state == QueueState::poisoned; }));
  EXPECT_EQ(out.send({}, 1s).error(), Code::poisoned);
}

TEST_F(CondemnedRingTest, TheNinthInAMinuteEndsTheQueue) {
  const Queue queue = bus().create("q", fixed(Full::block));
  Producer out = queue.producer();
  Consumer stream = stream_of(queue);
  for (int i = 0; i < 8; ++i) {
    const std::uint64_t next = condemn(queue);
    ASSERT_EQ(send_one(out), next) << i;
    EXPECT_GT(take(stream, next), 0U);
  }
  const RingForger forger(socket(), "q");
  damage(forger.view());
  forger.report();
  EXPECT_TRUE(eventually([&] { return queue.info().state == QueueState::poisoned; }));
  EXPECT_EQ(out.send({}, 1s).error(), Code::poisoned);
}

/// Receives until it has come to a number; and what it was given and told meanwhile.
class Reader {
 public:
  Reader(Consumer in, const std::atomic<std::uint64_t>& last) : in_(std::move(in)), last_(last) {}

  void run() {
    while (at_ < last_) {
      Result<Message> message = in_.receive(20ms);
      if (!message) {
        const Code code = message.error();
        if (code != Code::timeout && code != Code::corrupt) ADD_FAILURE() << name(code);
        if (code == Code::corrupt) std::this_thread::sleep_for(1ms);
        continue;
      }
      at_ = message->seq();
      told_ += message->gap();
      EXPECT_TRUE(given_.insert(at_).second) << at_ << " came twice";
      EXPECT_TRUE(message->ack());
    }
  }
  [[nodiscard]] const std::set<std::uint64_t>& given() const { return given_; }
  [[nodiscard]] std::uint64_t told() const { return told_; }

 private:
  Consumer in_;
  const std::atomic<std::uint64_t>& last_;
  std::uint64_t at_ = 0;
  std::uint64_t told_ = 0;
  std::set<std::uint64_t> given_;
};

std::set<std::uint64_t> send_until(const Queue& queue, const std::atomic<bool>& over) {
  Producer out = queue.producer();
  std::set<std::uint64_t> sent;
  while (!over) {
    const Result<std::uint64_t> s = out.send(std::vector<std::byte>(100), 20ms);
    const bool is_new = !s || sent.insert(*s).second;
    EXPECT_TRUE(is_new) << "a number was given out twice";
    const Code code = s.error();
    const bool is_expected = code == Code::ok || code == Code::full || code == Code::stale ||
                             code == Code::timeout || code == Code::corrupt;
    EXPECT_TRUE(is_expected) << name(code);
  }
  return sent;
}

/// The ranges in a log.
std::set<std::uint64_t> said(const std::string& log) {
  std::set<std::uint64_t> numbers;
  const std::string begins = "the numbers ";
  for (auto at = log.find(begins); at != std::string::npos; at = log.find(begins, at + 1)) {
    std::istringstream range(log.substr(at + begins.size()));
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    std::string to;
    range >> first >> to >> last;
    EXPECT_EQ(to, "to");
    while (first <= last) numbers.insert(first++);
  }
  return numbers;
}

TEST_P(CondemnedRingOfAnyTest, UnderLoadEachMessageComesOrIsLostAndNoneIsBoth) {
  constexpr int times = 4;
  const Queue queue = bus().create("q", fixed(GetParam()));
  std::atomic<std::uint64_t> last{UINT64_MAX};
  std::atomic<bool> over{false};
  Reader stream(stream_of(queue), last);
  Reader member(queue.consumer("group", {.prefetch = 4}), last);
  ::testing::internal::CaptureStderr();
  auto first_sent = std::async(std::launch::async, [&] { return send_until(queue, over); });
  auto second_sent = std::async(std::launch::async, [&] { return send_until(queue, over); });
  auto reading = std::async(std::launch::async, [&] { stream.run(); });
  auto taking = std::async(std::launch::async, [&] { member.run(); });
  for (int i = 0; i < times; ++i) {
    std::this_thread::sleep_for(20ms);
    condemn(queue);
  }
  std::this_thread::sleep_for(20ms);
  over = true;
  std::set<std::uint64_t> sent = first_sent.get();
  for (const std::uint64_t s : second_sent.get()) {
    EXPECT_TRUE(sent.insert(s).second) << s << " was given out twice";
  }
  Producer out = queue.producer();
  const Result<std::uint64_t> end = out.send(std::vector<std::byte>(100), 5s);
  EXPECT_TRUE(end) << name(end.error());
  last = end ? *end : 0;
  reading.get();
  taking.get();
  const std::set<std::uint64_t> lost = said(::testing::internal::GetCapturedStderr());
  EXPECT_FALSE(lost.empty());
  EXPECT_GT(sent.size(), 100U);
  const std::pair<const Reader*, const char*> readers[] = {{&stream, "stream"}, {&member, "group"}};
  for (const auto& [reader, name] : readers) {
    std::uint64_t missed = 0;
    for (const std::uint64_t s : lost) missed += reader->given().contains(s) ? 0 : 1;
    EXPECT_EQ(reader->told(), lost_by(queue, name));
    std::uint64_t messages = 0;
    for (const std::uint64_t s : sent) {
      if (reader->given().contains(s)) continue;
      EXPECT_TRUE(lost.contains(s)) << s << " did not come to " << name;
      ++messages;
    }
    EXPECT_GE(reader->told(), messages) << name;
    // Less, where a number that was no message was passed as such before it was in a range.
    EXPECT_LE(reader->told(), missed) << name;
  }
}

// Numbers go on, and each group is told of what it had not read.
TEST_F(CondemnedRingTest, ACleanStopKeepsWhatIsLeft) {
  for (const Durability durability : {Durability::memory, Durability::disk}) {
    for (const Full full : {Full::block, Full::spill}) {
      QueueOptions options = fixed(full);
      options.durability = durability;
      const std::string name = "q" + std::to_string(static_cast<int>(full)) +
                               std::to_string(static_cast<int>(durability));
      std::uint64_t next = 0;
      {
        const Queue queue = bus().create(name, options);
        Producer out = queue.producer();
        Consumer stream = stream_of(queue);
        for (int i = 0; i < 10; ++i) send_one(out);
        take(stream, 1);
        const bool flushed = durability == Durability::memory || out.flush(10s);
        ASSERT_TRUE(flushed);
        next = condemn(queue);
        send_one(out);
      }
      restart();
      const Queue queue = bus().open(name);
      Consumer stream = stream_of(queue);
      std::uint64_t before = 1;
      std::uint64_t lost = 0;
      while (before != next) {
        Result<Message> message = stream.receive(5s);
        ASSERT_TRUE(message) << name << ": " << spillring::name(message.error());
        EXPECT_TRUE(message->gap() == 0 || message->gap() == message->seq() - before - 1);
        lost += message->gap();
        before = message->seq();
        EXPECT_TRUE(message->ack());
      }
      const bool on_disk = durability == Durability::disk;
      EXPECT_EQ(lost, on_disk ? next - 11 : next - 2) << name;
      Producer out = queue.producer();
      EXPECT_GT(send_one(out), next);
    }
  }
}

}  // namespace
}  // namespace spillring
