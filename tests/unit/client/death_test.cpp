// Processes that are killed, stopped, forked or replaced by exec, against a supervisor in this
// process.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <functional>
#include <string>
#include <thread>

#include "client/child.hpp"
#include "spillring/embedded.hpp"
#include "spillring/spillring.hpp"

namespace spillring {
namespace {

using namespace std::chrono_literals;

std::span<const std::byte> bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

class DeathTest : public ::testing::Test {
 protected:
  Embedded supervisor_;
  Client bus_ = supervisor_.connect();
};

TEST_F(DeathTest, WhatAKilledConsumerHeldComesAgain) {
  const Queue queue = bus_.create("q");
  Producer out = queue.producer();
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(out.send(bytes(std::to_string(i))));
  Child victim(supervisor_.socket(), [](Client& bus, const auto& ready) {
    Consumer in = bus.open("q").consumer("g", {.prefetch = 5});
    const auto first = in.receive(1s);
    const auto second = in.receive(1s);
    ready();
    ::pause();
  });
  victim.await_ready();
  Consumer in = queue.consumer("g");
  EXPECT_EQ(in.receive(1s).value().text(), "5");  // dropped: comes again too
  victim.signal(SIGKILL);
  std::vector<int> deliveries(10, 0);
  for (int i = 0; i < 10; ++i) {
    Result<Message> message = in.receive(2s);
    ASSERT_TRUE(message) << i << " " << name(message.error());
    deliveries[static_cast<std::size_t>(std::stoi(std::string(message->text())))] =
        static_cast<int>(message->deliveries());
    ASSERT_TRUE(message->ack());
  }
  EXPECT_EQ(deliveries, (std::vector<int>{2, 2, 1, 1, 1, 2, 1, 1, 1, 1}))
      << "what was claimed ahead, nobody has seen";
  EXPECT_EQ(queue.info().consumers, 1U);
}

TEST_F(DeathTest, AKilledProducersLoanIsSkipped) {
  const Queue queue = bus_.create("q");
  Child victim(supervisor_.socket(), [](Client& bus, const auto& ready) {
    Producer out = bus.open("q").producer();
    const auto loan = out.loan(1000);
    ready();
    ::pause();
  });
  victim.await_ready();
  Producer out = queue.producer();
  Consumer in = queue.consumer("g");
  ASSERT_TRUE(out.send(bytes("behind")));
  EXPECT_EQ(in.receive(50ms).error(), Code::timeout) << "it is in the way";
  victim.signal(SIGKILL);
  EXPECT_EQ(in.receive(900ms).value().text(), "behind") << "before the stall timeout";
}

TEST_F(DeathTest, AStoppedProducersLoanIsRevoked) {
  const Queue queue = bus_.create("q", {.stall_timeout = 100ms});
  Child stopped(supervisor_.socket(), [](Client& bus, const auto& ready) {
    Producer out = bus.open("q").producer();
    Result<Loan> loan = out.loan(1000);
    ready();
    ::raise(SIGSTOP);
    std::memset(loan->bytes().data(), 'X', 1000);  // late, into bytes that are still its own
    ::_exit(loan->publish().error() == Code::stale ? 0 : 1);
  });
  stopped.await_ready();
  Producer out = queue.producer();
  Consumer in = queue.consumer("g");
  const std::string text(1000, 'o');
  ASSERT_TRUE(out.send(bytes(text)));
  Result<Message> view = in.receive(5s);
  ASSERT_TRUE(view);
  stopped.signal(SIGCONT);
  EXPECT_EQ(stopped.wait(), 0);
  EXPECT_EQ(view->text(), text);
}

TEST_F(DeathTest, ARingPinnedByAStoppedProducerIsReplaced) {
  const Queue queue = bus_.create("q", {.capacity = 64 * KiB, .slots = 64, .stall_timeout = 50ms});
  Child stopped(supervisor_.socket(), [](Client& bus, const auto& ready) {
    Producer out = bus.open("q").producer();
    Result<Loan> loan = out.loan(1000);
    ready();
    ::raise(SIGSTOP);
    ::_exit(loan->publish().error() == Code::stale ? 0 : 1);
  });
  stopped.await_ready();
  Producer out = queue.producer();
  Consumer in = queue.consumer("g");
  for (int i = 0; i < 1000; ++i) {
    ASSERT_TRUE(out.send(bytes(std::to_string(i)), 5s)) << i;
    Result<Message> message = in.receive(5s);
    ASSERT_TRUE(message) << i;
    ASSERT_EQ(message->text(), std::to_string(i));
    ASSERT_TRUE(message->ack());
  }
  stopped.signal(SIGCONT);
  EXPECT_EQ(stopped.wait(), 0);
}

TEST_F(DeathTest, AViewOfAStoppedConsumerStaysAndItsAckIsStale) {
  const Queue queue = bus_.create("q", {.capacity = 64 * KiB, .slots = 64, .lease = 50ms});
  Producer out = queue.producer();
  Child stopped(supervisor_.socket(), [](Client& bus, const auto& ready) {
    Consumer in = bus.open("q").consumer("g", {.prefetch = 1});
    Result<Message> view = in.receive(5s);
    const std::string before(view->text());
    ready();
    ::raise(SIGSTOP);
    ::_exit(view->text() == before && view->ack().error() == Code::stale ? 0 : 1);
  });
  ASSERT_TRUE(out.send(bytes(std::string(1000, 'v'))));
  stopped.await_ready();
  constexpr int messages = 1000;
  int redelivered = 0;
  std::thread others([&] {
    Consumer in = queue.consumer("g");
    for (int i = 0; i < messages + 1; ++i) {
      Result<Message> message = in.receive(5s);
      ASSERT_TRUE(message) << i;
      if (message->deliveries() > 1) ++redelivered;
      ASSERT_TRUE(message->ack());
    }
  });
  for (int i = 0; i < messages; ++i) {
    EXPECT_TRUE(out.send(bytes(std::string(1000, 'w')), 5s)) << i;
  }
  others.join();
  EXPECT_EQ(redelivered, 1);
  stopped.signal(SIGCONT);
  EXPECT_EQ(stopped.wait(), 0);
}

/// Stops itself with a loan in its hands; ends with 0 if the loan is stale then.
void stop_with_a_loan(Client& bus, const std::function<void()>& ready) {
  Producer out = bus.open("q").producer();
  Result<Loan> loan = out.loan(1000);
  ready();
  ::raise(SIGSTOP);
  ::_exit(loan->publish().error() == Code::stale ? 0 : 1);
}

TEST_F(DeathTest, WhoPollsGetsPastAStoppedProducerToo) {
  const Queue queue = bus_.create("q", {.stall_timeout = 50ms});
  Child stopped(supervisor_.socket(), stop_with_a_loan);
  stopped.await_ready();
  Producer out = queue.producer();
  Consumer in = queue.consumer("g");
  ASSERT_TRUE(out.send(bytes("behind")));
  const auto until = std::chrono::steady_clock::now() + 10s;
  Result<Message> message = in.try_receive();
  while (!message && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(1ms);
    message = in.try_receive();
  }
  ASSERT_TRUE(message);
  EXPECT_EQ(message->text(), "behind");
}

TEST_F(DeathTest, AQueueThatRejectsGetsPastAStoppedProducerToo) {
  const Queue queue = bus_.create(
      "q", {.capacity = 64 * KiB, .slots = 64, .full = Full::reject, .stall_timeout = 50ms});
  Child stopped(supervisor_.socket(), stop_with_a_loan);
  stopped.await_ready();
  Producer out = queue.producer();
  Consumer in = queue.consumer("g");
  const auto until = std::chrono::steady_clock::now() + 10s;
  int sent = 0;
  while (sent < 500 && std::chrono::steady_clock::now() < until) {
    if (out.try_send(bytes("x"))) ++sent;
    Result<Message> message = in.try_receive();
    ASSERT_TRUE(!message || message->ack());
  }
  EXPECT_EQ(sent, 500);
}

TEST_F(DeathTest, WhatALeaseTookFromTheClaimedAheadIsNotDeliveredTwice) {
  const Queue queue = bus_.create("q", {.lease = 50ms});
  Producer out = queue.producer();
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(out.send(bytes(std::to_string(i))));
  Consumer slow = queue.consumer("g", {.prefetch = 3});
  ASSERT_TRUE(slow.receive(1s)->ack());
  Consumer quick = queue.consumer("g");
  for (int i = 1; i < 3; ++i) {
    Result<Message> message = quick.receive(5s);
    ASSERT_TRUE(message);
    EXPECT_EQ(message->deliveries(), 1U);
    EXPECT_TRUE(message->ack());
  }
  EXPECT_EQ(slow.try_receive().error(), Code::empty) << "others have finished with it";
}

TEST_F(DeathTest, AConnectionWhoseProcessExecsBesideAForkedChildIsGone) {
  const Queue queue = bus_.create("q");
  Producer out = queue.producer();
  ASSERT_TRUE(out.send(bytes("x")));
  Child replaced(supervisor_.socket(), [](Client& bus, const auto& ready) {
    Consumer in = bus.open("q").consumer("g");
    const auto held = in.receive(1s);
    if (::fork() == 0) {
      ::sleep(3);
      ::_exit(0);
    }
    ready();
    ::execlp("sleep", "sleep", "60", nullptr);
  });
  replaced.await_ready();
  Consumer in = queue.consumer("g");
  EXPECT_TRUE(in.receive(2s)) << "the child must not keep the connection open";
}

TEST_F(DeathTest, AForkedChildMustConnectAnew) {
  const Queue queue = bus_.create("q");
  Producer out = queue.producer();
  Consumer in = queue.consumer("g");
  ASSERT_TRUE(out.send(bytes("x"), 1s, {.ttl = 1h}));
  Message held = in.receive(1s).value();
  const pid_t child = ::fork();
  if (child == 0) {
    if (held.seq() != 1 || held.ttl() != no_wait) ::_exit(2);
    const bool refused = out.send(bytes("y"), 1s).error() == Code::forked &&
                         in.receive(1s).error() == Code::forked &&
                         held.ack().error() == Code::forked;
    bool control_refused = false;
    try {
      static_cast<void>(queue.info());
    } catch (const Error& error) {
      control_refused = error.code() == Code::forked;
    }
    ::_exit(refused && control_refused ? 0 : 1);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(held.ack()) << "the parent is as it was";
  EXPECT_TRUE(out.send(bytes("z")));
  EXPECT_EQ(in.receive(1s).value().text(), "z");
}

TEST_F(DeathTest, DestroyingHandlesInAForkedChildHurtsNobody) {
  const Queue queue = bus_.create("q");
  auto out = std::make_unique<Producer>(queue.producer());
  auto in = std::make_unique<Consumer>(queue.consumer("g"));
  ASSERT_TRUE(out->send(bytes("x")));
  auto held = std::make_unique<Message>(in->receive(1s).value());
  auto loan = std::make_unique<Loan>(out->loan(10).value());
  const pid_t child = ::fork();
  if (child == 0) {
    held.reset();
    loan.reset();
    in.reset();
    out.reset();
    ::_exit(0);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(loan->publish());
  EXPECT_TRUE(held->ack());
}

TEST_F(DeathTest, AClientThatCallsExecIsGone) {
  const Queue queue = bus_.create("q");
  Producer out = queue.producer();
  ASSERT_TRUE(out.send(bytes("x")));
  Child replaced(supervisor_.socket(), [](Client& bus, const auto& ready) {
    Consumer in = bus.open("q").consumer("g");
    const auto held = in.receive(1s);
    ready();
    ::execlp("sleep", "sleep", "60", nullptr);
  });
  replaced.await_ready();
  Consumer in = queue.consumer("g");
  Result<Message> message = in.receive(5s);
  ASSERT_TRUE(message) << "its process lives, but what it held is nobody's";
  EXPECT_EQ(message->deliveries(), 2U);
}

TEST_F(DeathTest, WithoutRecoveryTheDeadBlockTheLiving) {
  const Embedded careless({.socket = {}, .without_recovery = true});
  const Client bus = careless.connect();
  const Queue queue = bus.create("q");
  Producer out = queue.producer();
  ASSERT_TRUE(out.send(bytes("x")));
  Child victim(careless.socket(), [](Client& client, const auto& ready) {
    Consumer in = client.open("q").consumer("g");
    const auto held = in.receive(1s);
    ready();
    ::pause();
  });
  victim.await_ready();
  victim.signal(SIGKILL);
  Consumer in = queue.consumer("g");
  EXPECT_EQ(in.receive(300ms).error(), Code::timeout) << "the hook shows that recovery is tested";
}

}  // namespace
}  // namespace spillring
