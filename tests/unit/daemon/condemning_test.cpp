// What the supervisor does with damaged rings: that what is whole stays, whenever it finds out.
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <thread>
#include <vector>

#include "client/raw_client.hpp"
#include "client/spill_fixture.hpp"

namespace spillring {
namespace {

class CondemningTest : public SpillTest {
 protected:
  /// Proven at the first look.
  static void damage(const RingForger& forger) {
    forger.view().header().gone.store(0);
    forger.report();
  }
  static bool is_condemned(const RingForger& forger) {
    const auto& names = forger.manifest().condemned;
    return std::any_of(std::begin(names), std::end(names),
                       [&](const auto& name) { return name.load() == forger.view().first(); });
  }
  static bool has_successor(const RingForger& forger) {
    return forger.names().back() > forger.view().first();
  }
  std::uint64_t send_one(Producer& out) {
    const std::uint64_t number = sent_.size();
    Result<std::uint64_t> sent = out.send(message(number), 5s);
    if (!sent) {
      ADD_FAILURE() << name(sent.error());
      return 0;
    }
    sent_.emplace(*sent, number);
    return *sent;
  }
  /// What was sent below `end` and not in [from, until) comes as it was sent, and each is told what
  /// it has missed.
  void expect_all_but(Consumer& in, std::uint64_t from, std::uint64_t until, std::uint64_t end) {
    std::uint64_t told = 0;
    for (const auto& [s, number] : sent_) {
      if (s >= end || (s >= from && s < until)) continue;
      Result<Message> got = in.receive(5s);
      ASSERT_TRUE(got) << name(got.error()) << " instead of " << s;
      ASSERT_EQ(got->seq(), s);
      ASSERT_TRUE(std::ranges::equal(got->bytes(), message(number))) << s;
      told += got->gap();
      EXPECT_TRUE(got->ack());
    }
    EXPECT_EQ(told, until - from);
  }

  std::map<std::uint64_t, std::uint64_t> sent_;  // by number: which message
};

/// Three rings, of which the first is not copied beyond a loan.
class CondemningChainTest : public CondemningTest {
 protected:
  static constexpr std::uint64_t loaned = 6;

  void make(const QueueOptions& options) {
    queue_.emplace(bus().create("q", options));
    stream_.emplace(queue_->subscriber("stream", {.start = Start::earliest()}));
    Producer out = queue_->producer();
    for (std::uint64_t s = 1; s < loaned; ++s) ASSERT_EQ(send_one(out), s);
    slow_.emplace(queue_->producer());
    loan_.emplace(slow_->loan(100, 1s).value());
    const RingForger forger(socket(), "q");
    const auto is_ready = [&] {
      return forger.names().size() > 2 && forger.manifest().journaled.load() == loaned;
    };
    for (int i = 0; i < 3300; ++i) send_one(out);  // the third is nearly full
    ASSERT_TRUE(eventually(is_ready));
    names_ = forger.names();
  }
  static QueueOptions spilling() {
    return {.capacity = 4 * MiB, .full = Full::spill, .stall_timeout = 60s};
  }
  static QueueOptions durable() {
    QueueOptions options = spilling();
    options.durability = Durability::disk;
    return options;
  }
  [[nodiscard]] std::uint64_t last() const { return sent_.rbegin()->first; }

  std::optional<Queue> queue_;
  std::optional<Consumer> stream_;
  std::optional<Producer> slow_;
  std::optional<Loan> loan_;
  std::vector<std::uint64_t> names_;
};

// What is behind it was lost before: the journal is not begun anew there.
TEST_F(CondemningChainTest, TheJournalKeepsWhatIsBeforeTwoDamagedRings) {
  ASSERT_NO_FATAL_FAILURE(make(spilling()));
  const RingForger second(socket(), "q", names_[1]);
  damage(second);
  ASSERT_TRUE(eventually([&] { return second.manifest().lost_until.load() == names_[2]; }));
  const RingForger first(socket(), "q", names_[0]);
  first.view().header().limit.store(std::uint64_t{1} << 40);  // found while it looks for stalls
  ASSERT_TRUE(eventually([&] { return is_condemned(first); }));
  expect_all_but(*stream_, loaned, names_[2], last() + 1);
}

TEST_F(CondemningChainTest, ACopyEndsWhereItsRingDoes) {
  ASSERT_NO_FATAL_FAILURE(make(spilling()));
  const RingForger forger(socket(), "q", names_[0]);
  const ring::RingView& ring = forger.view();
  for (std::uint64_t s = names_[1] - 1; s < names_[1] + 20; ++s) {
    layout::Descriptor& forged = ring.descriptor(s);
    forged.size = 8;
    forged.metadata_size = 0;
    forged.flags = layout::payload_inline;
    forged.published.store(layout::publish_word(ring.lap(s), layout::Published::committed));
  }
  loan_.reset();
  ASSERT_TRUE(eventually([&] { return forger.names().front() != names_[0]; }));
  stream_.reset();
  Consumer stream = queue_->subscriber("stream");  // that knows nothing of the first ring
  std::uint64_t seen = 0;
  while (seen < last()) {
    Result<Message> got = stream.receive(5s);
    ASSERT_TRUE(got) << name(got.error()) << " behind " << seen;
    seen = got->seq();
    const auto sent = sent_.find(seen);
    const bool is_right =
        sent == sent_.end() || std::ranges::equal(got->bytes(), message(sent->second));
    ASSERT_TRUE(is_right) << seen;
    EXPECT_TRUE(got->ack());
  }
}

// Its members pass the loan as what was revoked; the rest is copied when the stop comes.
TEST_F(CondemningChainTest, ACleanStopPassesWhatIsNotYetSaidToBeLost) {
  ASSERT_NO_FATAL_FAILURE(make(durable()));
  const RingForger second(socket(), "q", names_[1]);
  damage(second);
  ASSERT_TRUE(eventually([&] { return is_condemned(second); }));
  EXPECT_EQ(second.manifest().lost_until.load(), 0U) << "the journal is not there yet";
  stream_.reset();
  restart();
  Consumer stream = bus().open("q").subscriber("stream");
  expect_all_but(stream, names_[1], names_[2], last() + 1);
}

/// Has threads wait: those of the supervisor that copy do not block signals.
class Parked {
 public:
  explicit Parked(const std::set<pid_t>& threads) {
    let_go = false;
    waiting = 0;
    struct sigaction action {};
    action.sa_handler = [](int) {
      ++waiting;
      while (!let_go) ::usleep(1000);
      --waiting;
    };
    action.sa_flags = SA_RESTART;
    ::sigaction(SIGUSR1, &action, nullptr);
    for (const pid_t thread : threads) ::tgkill(::getpid(), thread, SIGUSR1);
  }
  Parked(const Parked&) = delete;
  Parked& operator=(const Parked&) = delete;
  ~Parked() { release(); }
  static void release() {
    let_go = true;
    while (waiting != 0) ::usleep(1000);
  }
  [[nodiscard]] static int count() { return waiting; }
  [[nodiscard]] static std::set<pid_t> threads() {
    std::set<pid_t> found;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task")) {
      found.insert(static_cast<pid_t>(std::stol(entry.path().filename())));
    }
    return found;
  }

 private:
  static inline std::atomic<bool> let_go{false};
  static inline std::atomic<int> waiting{0};
};

TEST_F(CondemningChainTest, ARingThatWasLetGoOfWhileItWasCopiedIsNobodysConcern) {
  std::set<pid_t> threads;
  stop();
  const std::set<pid_t> before = Parked::threads();
  start();
  for (const pid_t thread : Parked::threads()) {
    if (!before.contains(thread)) threads.insert(thread);
  }
  ASSERT_NO_FATAL_FAILURE(make(spilling()));
  const RingForger first(socket(), "q", names_[0]);
  for (std::uint64_t s = loaned + 1; s < names_[1] - 1; ++s) {
    first.view().descriptor(s).flags = 0;
    first.view().descriptor(s).size = std::numeric_limits<std::uint32_t>::max();
  }
  const Parked parked(threads);
  ASSERT_TRUE(eventually([] { return Parked::count() >= 2; }));
  loan_.reset();
  std::this_thread::sleep_for(200ms);  // for the copy to be asked for
  queue_->purge();
  ASSERT_TRUE(eventually([&] { return first.names().front() != names_[0]; }));
  Parked::release();
  std::this_thread::sleep_for(200ms);
  EXPECT_EQ(queue_->info().state, QueueState::ok);
  Producer out = queue_->producer();
  const std::uint64_t s = send_one(out);
  EXPECT_EQ(stream_->receive(5s).value().seq(), s);
}

/// Rings that nobody copies.
class CondemningMemoryTest : public CondemningTest {
 protected:
  static constexpr std::uint64_t slots = 64;
  static QueueOptions fixed() {
    return {.capacity = 64 * KiB, .slots = slots, .full = Full::block, .prealloc = true};
  }
  /// Damages the newest ring again and again, and keeps it mapped.
  void condemn_and_keep(int times) {
    for (int i = 0; i < times; ++i) {
      kept_.push_back(std::make_unique<RingForger>(socket(), "q"));
      damage(*kept_.back());
      ASSERT_TRUE(eventually([&] { return has_successor(*kept_.back()); })) << i;
    }
  }
  std::vector<std::unique_ptr<RingForger>> kept_;
};

// As if every claim but the first few had never been.
TEST_F(CondemningMemoryTest, ASealBelowWhatIsKnownIsNone) {
  {
    const Queue queue = bus().create("q", fixed());
    Producer out = queue.producer();
    static_cast<void>(queue.consumer("group"));
    for (int i = 0; i < 50; ++i) send_one(out);
    queue.purge();
    const RingForger forger(socket(), "q");
    const ring::RingView& ring = forger.view();
    ring.header().limit.store(1);
    ring.header().gone.store(1);
    ring.header().tail.store(6);
    for (std::uint64_t s = 6; s < 1 + slots; ++s) {
      ring.claim(s).word.store(layout::claim_word(ring.lap(s) - 1, {}));
      ring.descriptor(s).published.store(
          layout::publish_word(ring.lap(s) - 1, layout::Published::aborted));
    }
  }
  restart();
  const Queue queue = bus().open("q");
  Producer out = queue.producer();
  EXPECT_GT(send_one(out), 50U);
}

TEST_F(CondemningMemoryTest, AForgedLimitTakesNoOtherRing) {
  const Queue queue = bus().create("q", {.capacity = 4 * MiB, .full = Full::block});
  Producer out = queue.producer();
  Consumer stream = queue.subscriber("stream", {.start = Start::earliest()});
  for (int i = 0; i < 1200; ++i) send_one(out);
  const std::uint64_t last = sent_.rbegin()->first;
  const std::vector<std::uint64_t> names = RingForger(socket(), "q").names();
  ASSERT_GT(names.size(), 2U);
  const RingForger forger(socket(), "q", names[0]);
  const ring::RingView& ring = forger.view();
  const std::uint64_t high = ring.claim(names[1] - 1).end.load();
  const std::uint64_t limit = names[0] + ((last - names[0]) / ring.slots() + 2) * ring.slots();
  for (std::uint64_t s = limit - ring.slots(); s < limit; ++s) {
    ring.claim(s).end.store(high);
    ring.claim(s).word.store(layout::claim_word(ring.lap(s), {1, 1}));
    ring.descriptor(s).published.store(
        layout::publish_word(ring.lap(s), layout::Published::aborted));
  }
  ring.header().tail.store(limit);
  ring.header().gone.store(limit);
  ring.header().limit.store(limit);
  ASSERT_TRUE(eventually([&] { return is_condemned(forger); }));
  expect_all_but(stream, names[0], names[1], last + 1);
}

TEST_F(CondemningMemoryTest, WhoKeepsDamagedRingsMappedWaits) {
  const Queue queue = bus().create("q", fixed());
  Producer out = queue.producer();
  ASSERT_NO_FATAL_FAILURE(condemn_and_keep(layout::max_pinned));
  kept_.push_back(std::make_unique<RingForger>(socket(), "q"));
  const RingForger& fifth = *kept_.back();
  damage(fifth);
  ASSERT_TRUE(eventually([&] { return is_condemned(fifth); }));
  EXPECT_FALSE(out.send({}, 1500ms));  // longer than it waits before it tries again
  EXPECT_FALSE(has_successor(fifth));
  kept_.erase(kept_.begin() + 1);
  EXPECT_TRUE(eventually([&] { return has_successor(*kept_.back()); }));
  EXPECT_TRUE(out.send({}, 5s));
}

TEST_F(CondemningMemoryTest, AForgedFloorLeadsARingThatWaitsForTheNextNoFurtherEachTime) {
  const Queue queue = bus().create("q", fixed());
  const Forger forger(socket(), "q", "g");
  ASSERT_NO_FATAL_FAILURE(condemn_and_keep(layout::max_pinned));
  kept_.push_back(std::make_unique<RingForger>(socket(), "q"));
  damage(*kept_.back());
  const std::uint64_t name = kept_.back()->view().first();
  ASSERT_TRUE(eventually([&] { return is_condemned(*kept_.back()); }));
  for (int i = 0; i < 50; ++i) {
    forger.floor().store(UINT64_MAX);
    static_cast<void>(queue.info());
  }
  kept_.erase(kept_.begin() + 1);
  ASSERT_TRUE(eventually([&] { return has_successor(*kept_.back()); }));
  EXPECT_LE(kept_.back()->names().back() - name, (std::uint64_t{1} << 40) + 2 * layout::max_slots);
}

// There is no next ring to be sealed.
TEST_F(CondemningMemoryTest, ACleanStopBeforeTheNextRingIsMadeKeepsTheOthers) {
  std::uint64_t next = 0;
  std::uint64_t last = 0;
  {
    const Queue queue = bus().create("q", {.capacity = 4 * MiB, .full = Full::block});
    Producer out = queue.producer();
    static_cast<void>(queue.subscriber("stream", {.start = Start::earliest()}));
    for (int i = 0; i < 300; ++i) send_one(out);
    const std::vector<std::uint64_t> names = RingForger(socket(), "q").names();
    ASSERT_EQ(names.size(), 2U);
    ASSERT_NO_FATAL_FAILURE(condemn_and_keep(layout::max_pinned));
    last = send_one(out);
    kept_.push_back(std::make_unique<RingForger>(socket(), "q"));
    damage(*kept_.back());
    ASSERT_TRUE(eventually([&] { return is_condemned(*kept_.back()); }));
    ASSERT_FALSE(has_successor(*kept_.back()));
    next = names[1];
  }
  stop();
  kept_.clear();
  start();
  const Queue queue = bus().open("q");
  Producer out = queue.producer();
  Consumer stream = queue.subscriber("stream");
  const std::uint64_t behind = send_one(out);
  EXPECT_GT(behind, last);
  expect_all_but(stream, next, behind, behind + 1);
}

TEST_F(CondemningTest, AForgedLimitBeyondTheJournalIsDamage) {
  QueueOptions options{.capacity = 64 * KiB, .slots = 64, .full = Full::spill, .prealloc = true};
  options.durability = Durability::disk;
  options.stall_timeout = 60s;
  const Queue queue = bus().create("q", options);
  Producer out = queue.producer();
  Producer slow = queue.producer();
  std::optional<Loan> loan = slow.loan(100, 1s).value();
  for (int i = 0; i < 5; ++i) send_one(out);
  const RingForger forger(socket(), "q");
  forger.view().header().gone.store(4);
  forger.view().header().limit.store(4);
  loan.reset();
  ASSERT_TRUE(eventually([&] { return has_successor(forger); }));
  const std::uint64_t s = send_one(out);
  EXPECT_TRUE(out.flush(10s));
  Consumer stream = queue.subscriber("stream", {.start = Start::earliest()});
  EXPECT_EQ(stream.receive(5s).value().seq(), s);
}

// It had not arrived on the disk, and is lost with the ring: it is made again.
TEST_F(CondemningTest, ADeadLetterThatIsLostIsSentAgain) {
  QueueOptions options{.stall_timeout = 60s};
  options.durability = Durability::disk;
  const Queue dead = bus().create("dead", options);
  const Queue queue = bus().create("q", {.max_deliveries = 1, .dead_letter = "dead"});
  Producer slow = dead.producer();
  const Loan in_the_way = slow.loan(100, 1s).value();
  Producer out = queue.producer();
  send_one(out);
  Consumer in = queue.consumer("group");
  EXPECT_TRUE(in.receive(5s).value().nack());
  const RingForger forger(socket(), "dead");
  const auto& copied = forger.view().descriptor(2).published;
  ASSERT_TRUE(eventually([&] {
    return copied.load() ==
           layout::publish_word(forger.view().lap(2), layout::Published::committed);
  }));
  EXPECT_EQ(queue.info().dead_lettered, 0U);
  damage(forger);
  ASSERT_TRUE(eventually([&] { return queue.info().dead_lettered == 1; }));
  Consumer undertaker = dead.consumer();
  Result<Message> letter = undertaker.receive(5s);
  ASSERT_TRUE(letter) << name(letter.error());
  EXPECT_EQ(letter->seq(), forger.names().back());
  EXPECT_TRUE(std::ranges::equal(letter->bytes(), message(0)));
  EXPECT_TRUE(letter->ack());
  EXPECT_EQ(undertaker.try_receive().error(), Code::empty);
}

}  // namespace
}  // namespace spillring
