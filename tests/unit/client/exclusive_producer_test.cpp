// Queues for one producer at a time.
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "client/raw_client.hpp"
#include "client/state_fixture.hpp"
#include "client/stoppable.hpp"
#include "client/supervisor_fixture.hpp"

namespace spillring {
namespace {

constexpr const char* place = "q";

/// Why a producer was refused.
Error refusal(const Queue& queue) {
  try {
    static_cast<void>(queue.producer());
  } catch (const Error& error) {
    return error;
  }
  return Error(Code::ok, "it was not refused");
}

/// A process with a producer on the queue, which sends "mine" and stays until it is killed.
class Holder {
 public:
  explicit Holder(const std::string& socket) {
    EXPECT_EQ(::pipe(pipe_), 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      try {
        const Client bus({.socket = socket});
        Producer out = bus.open(place).producer();
        out.send(bytes("mine")).value();
        const Loan unfinished = out.loan(100).value();
        if (::write(pipe_[1], "r", 1) == 1) ::pause();
      } catch (const std::exception& error) {
        std::fprintf(stderr, "holder: %s\n", error.what());
      }
      ::_exit(99);
    }
    ::close(pipe_[1]);
    char ready = 0;
    EXPECT_EQ(::read(pipe_[0], &ready, 1), 1);
  }
  Holder(const Holder&) = delete;
  Holder& operator=(const Holder&) = delete;
  ~Holder() { kill(); }

  void kill() {
    if (pid_ < 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(std::exchange(pid_, -1), nullptr, 0);
    ::close(pipe_[0]);
  }
  void signal(int number) const { ::kill(pid_, number); }
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  int pipe_[2] = {-1, -1};
  pid_t pid_ = -1;
};

class ExclusiveProducerTest : public WithSupervisor {
 protected:
  Queue queue_ = bus_.create(place, {.exclusive_producer = true});
};

TEST_F(ExclusiveProducerTest, ASecondOneIsRefusedByName) {
  EXPECT_TRUE(queue_.info().options.exclusive_producer);
  Producer out = queue_.producer();
  send(out, "a");
  const Error error = refusal(queue_);
  EXPECT_EQ(error.code(), Code::busy);
  EXPECT_EQ(error.summary(), "queue 'q' has its producer already");
  EXPECT_EQ(error.why(),
            "it was made for one at a time, and process " + std::to_string(::getpid()) + " is it");
  EXPECT_FALSE(error.hint().empty());
  Consumer in = queue_.consumer();  // any number of these
  Consumer also = queue_.consumer();
  EXPECT_EQ(take(in), "a");
}

TEST_F(ExclusiveProducerTest, TheNextOneComesWhenItIsClosed) {
  for (int i = 0; i < 10; ++i) {
    Producer out = queue_.producer();
    send(out, "a");
  }
  Producer out = queue_.producer();
  Loan loan = out.loan(5).value();
  out.close();
  EXPECT_EQ(refusal(queue_).code(), Code::busy) << "its loan may still be published";
  ASSERT_TRUE(loan.publish());
  static_cast<void>(queue_.producer());
  EXPECT_EQ(queue_.info().messages, 11U);
}

TEST_F(ExclusiveProducerTest, OtherQueuesTakeAnyNumber) {
  const Queue other = bus_.create("other");
  EXPECT_FALSE(other.info().options.exclusive_producer);
  const Producer one = other.producer();
  const Producer another = other.producer();
}

// At once: that its death is known only a moment later is nobody's business.
TEST_F(ExclusiveProducerTest, TheNextOneComesWhenItIsDead) {
  Consumer in = queue_.consumer();
  for (int round = 0; round < 50; ++round) {
    Holder holder(supervisor_.socket());
    const Error error = refusal(queue_);
    EXPECT_EQ(error.code(), Code::busy);
    EXPECT_NE(error.why().find(std::to_string(holder.pid())), std::string::npos) << error.why();
    holder.kill();
    Producer out = queue_.producer();
    send(out, "next");
    EXPECT_EQ(take(in), "mine");
    EXPECT_EQ(take(in), "next") << "what the dead one had begun is given up";
  }
}

TEST_F(ExclusiveProducerTest, AStoppedOneKeepsItsPlace) {
  const Holder holder(supervisor_.socket());
  holder.signal(SIGSTOP);
  EXPECT_EQ(refusal(queue_).code(), Code::busy);
}

TEST_F(ExclusiveProducerTest, ItTakesNoDeadLetters) {
  try {
    static_cast<void>(bus_.create("source", {.max_deliveries = 1, .dead_letter = place}));
    FAIL() << "the supervisor would be a second producer";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::invalid);
    EXPECT_EQ(error.summary(), "queue 'q' cannot take dead letters");
  }
}

TEST_F(ExclusiveProducerTest, ItMayHaveDeadLetters) {
  const Queue dead = bus_.create("dead");
  const Queue queue = bus_.create(
      "source", {.max_deliveries = 1, .dead_letter = "dead", .exclusive_producer = true});
  Producer out = queue.producer();
  send(out, "poison");
  Consumer in = queue.consumer();
  EXPECT_TRUE(in.receive(2s)->nack());
  Consumer undertaker = dead.consumer();
  EXPECT_EQ(undertaker.receive(30s)->text(), "poison");
}

// Several who want the place: never two have it.
TEST_F(ExclusiveProducerTest, ConcurrentlyOneHasIt) {
  std::atomic<int> have{0};
  std::atomic<int> had{0};
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      const Client bus = supervisor_.connect();
      const Queue queue = bus.open(place);
      for (int mine = 0; mine < 25;) {
        try {
          Producer out = queue.producer();
          EXPECT_EQ(++have, 1);
          EXPECT_TRUE(out.send(bytes("x"), 10s));
          ++mine;
          ++had;
          --have;
        } catch (const Error& error) {
          ASSERT_EQ(error.code(), Code::busy);
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(queue_.info().messages, static_cast<unsigned>(had));
}

/// True if somebody gets the place within a few seconds.
bool is_free_soon(const Queue& queue) {
  for (int tries = 0; tries < 500; ++tries) {
    if (refusal(queue).code() == Code::ok) return true;
    std::this_thread::sleep_for(10ms);
  }
  return false;
}

// Whoever it was made for is alive, maps the queue, and does not ask again.
TEST_F(ExclusiveProducerTest, APlaceThatNobodyWasToldOfIsFreeAgain) {
  layout::Request open = control::request(layout::Ask::open);
  open.name.set(place);
  // An answer that finds no room ends the connection.
  RawClient measured(supervisor_.socket());
  const std::uint64_t queue = measured.open(place);
  while (measured.say(open)) std::this_thread::sleep_for(1ms);
  std::size_t room = 0;
  while (measured.has_answer()) ++room;
  ASSERT_GT(room, 10U);
  RawClient line(supervisor_.socket());
  static_cast<void>(line.open(place));
  for (std::size_t unread = 0; unread < room; ++unread) {
    ASSERT_TRUE(line.say(open));
    std::this_thread::sleep_for(1ms);
  }
  ASSERT_TRUE(line.say(control::request(layout::Ask::produce, queue)));
  while (line.say(open)) std::this_thread::sleep_for(1ms);  // until that has been answered
  EXPECT_TRUE(is_free_soon(queue_));
}

class LateExclusiveProducerTest : public ::testing::Test {
 protected:
  TemporaryDirectory directory_;
  std::string socket_ = directory_.path() / "socket";
  Stoppable supervisor_{{.socket = socket_}};
};

TEST_F(LateExclusiveProducerTest, WhoHasGivenUpWaitingDoesNotKeepThePlace) {
  const Client other({.socket = socket_});
  const Queue queue = other.create(place, {.exclusive_producer = true});
  const Client impatient({.socket = socket_, .timeout = 200ms});
  const Queue wanted = impatient.open(place);
  for (int round = 0; round < 3; ++round) {
    supervisor_.stop();
    EXPECT_EQ(refusal(wanted).code(), Code::timeout);
    supervisor_.go_on();
    EXPECT_TRUE(is_free_soon(queue));
  }
  // What came too late is not taken for what is asked for now, and takes nothing away from it.
  Producer out = wanted.producer();
  EXPECT_EQ(wanted.info().producers, 1U);
  EXPECT_TRUE(out.send(bytes("m"), 1s));
  EXPECT_EQ(refusal(queue).code(), Code::busy);
}

class StoredExclusiveProducerTest : public StateTest {};

TEST_F(StoredExclusiveProducerTest, ItIsStillOneAfterARestart) {
  static_cast<void>(bus().create(place, {.exclusive_producer = true}));
  restart();
  const Queue queue = bus().open(place);
  EXPECT_TRUE(queue.info().options.exclusive_producer);
  const Producer out = queue.producer();
  EXPECT_EQ(refusal(queue).code(), Code::busy);
}

}  // namespace
}  // namespace spillring
