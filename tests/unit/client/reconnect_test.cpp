// A client whose supervisor has gone for good, and another one at the same socket.
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <thread>

#include "control/channel.hpp"
#include "spillring/embedded.hpp"
#include "spillring/spillring.hpp"
#include "temporary_directory.hpp"

namespace spillring {
namespace {

using namespace std::chrono_literals;

std::span<const std::byte> bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

class ReconnectTest : public ::testing::Test {
 protected:
  ReconnectTest() { replace(); }

  /// Ends the supervisor with its queues, and starts another.
  void replace() {
    supervisor_.reset();
    supervisor_ = std::make_unique<Embedded>(Embedded::Options{.socket = socket()});
  }
  [[nodiscard]] std::string socket() const { return directory_.path() / "s"; }
  [[nodiscard]] Client another() const { return Client({.socket = socket()}); }

  static std::string take(Consumer& consumer) {
    Result<Message> message = consumer.receive(2s);
    if (!message) return "(" + std::string(name(message.error())) + ")";
    std::string text(message->text());
    EXPECT_TRUE(message->ack());
    return text;
  }
  template <typename Call>
  static Code code_of(Call call) {
    try {
      call();
    } catch (const Error& error) {
      return error.code();
    }
    return Code::ok;
  }

  TemporaryDirectory directory_;
  std::unique_ptr<Embedded> supervisor_;
};

TEST_F(ReconnectTest, AConsumerThatHasReadNothingGoesOnWithoutItsSupervisor) {
  const Queue queue = another().create("q");
  Producer out = queue.producer();
  Consumer in = queue.consumer("g");
  Consumer stream = queue.subscriber();
  supervisor_.reset();
  out.send(bytes("x"), 1s).value();
  EXPECT_EQ(take(in), "x");
  EXPECT_EQ(take(stream), "x");
}

TEST_F(ReconnectTest, WithoutItsSupervisorDataGoesOn) {
  const Client bus = another();
  const Queue queue = bus.create("q");
  Producer out = queue.producer();
  Consumer in = queue.consumer("g");
  out.send(bytes("before"), 1s).value();
  EXPECT_EQ(take(in), "before");
  supervisor_.reset();
  out.send(bytes("after"), 1s).value();
  EXPECT_EQ(take(in), "after");
  try {
    static_cast<void>(bus.list());
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::unavailable);
  }
}

TEST_F(ReconnectTest, TheNextCallFindsTheNextSupervisor) {
  const Client bus = another();
  static_cast<void>(bus.create("old"));
  replace();
  EXPECT_TRUE(bus.list().empty());
  static_cast<void>(bus.create("new"));
  EXPECT_EQ(another().list().size(), 1U);
}

TEST_F(ReconnectTest, WhileNobodyIsThereItIsUnavailable) {
  const Client bus = another();
  const Queue queue = bus.create("q");
  supervisor_.reset();
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(code_of([&] { static_cast<void>(bus.list()); }), Code::unavailable);
    EXPECT_EQ(code_of([&] { static_cast<void>(queue.info()); }), Code::unavailable);
  }
  replace();
  EXPECT_EQ(code_of([&] { static_cast<void>(queue.info()); }), Code::not_found);
  static_cast<void>(another().create("q"));
  EXPECT_EQ(queue.info().name, "q");
}

TEST_F(ReconnectTest, AQueueIsTheOneOfItsNameNotOfItsNumber) {
  const Client bus = another();
  const Queue first = bus.create("first");  // both supervisors count from the same number
  const Queue second = bus.create("second");
  replace();
  static_cast<void>(another().create("second"));
  static_cast<void>(another().create("first"));
  EXPECT_EQ(first.info().name, "first");
  EXPECT_EQ(second.info().name, "second");
  second.producer().send(bytes("x")).value();
  EXPECT_EQ(second.info().next, 2U);
  EXPECT_EQ(first.info().next, 1U);
  EXPECT_EQ(first.purge(), 0U);
  EXPECT_EQ(second.peek(2).size(), 1U);
}

TEST_F(ReconnectTest, ItsCopiesGoTheSameWay) {
  const Client bus = another();
  const Queue queue = bus.create("q");
  const Queue copy = queue;  // NOLINT(performance-unnecessary-copy-initialization)
  const std::uint64_t before = copy.incarnation();
  replace();
  static_cast<void>(bus.create("other"));
  static_cast<void>(bus.create("q"));
  EXPECT_NE(copy.incarnation(), before);
  EXPECT_EQ(queue.info().name, "q");
  EXPECT_EQ(copy.info().name, "q");
}

TEST_F(ReconnectTest, OldHandlesGoOnAmongThemselves) {
  const Client bus = another();
  const Queue queue = bus.create("q");
  Producer out = queue.producer();
  Consumer in = queue.consumer("g");
  replace();
  static_cast<void>(bus.create("q"));
  Producer next_out = queue.producer();
  Consumer next_in = queue.consumer("g");
  out.send(bytes("old")).value();
  next_out.send(bytes("new")).value();
  EXPECT_EQ(take(in), "old");
  EXPECT_EQ(take(next_in), "new");
  EXPECT_EQ(in.try_receive().error(), Code::empty);
  EXPECT_EQ(next_in.try_receive().error(), Code::empty);
}

TEST_F(ReconnectTest, TheEndOfAnOldHandleIsNotThatOfANewOneInItsPlace) {
  const Client bus = another();
  const Queue queue = bus.create("q");
  auto old_out = std::make_unique<Producer>(queue.producer());
  auto old_in = std::make_unique<Consumer>(queue.consumer("g"));
  replace();
  static_cast<void>(bus.create("q"));  // the same number, over this very connection
  Producer out = queue.producer();     // the same place
  Consumer in = queue.consumer("g");
  old_out.reset();
  old_in.reset();
  EXPECT_EQ(queue.info().producers, 1U);
  EXPECT_EQ(queue.info().consumers, 1U);
  out.send(bytes("x")).value();
  EXPECT_EQ(take(in), "x");
}

TEST_F(ReconnectTest, AnOldHandleGetsNoRingOfANewQueue) {
  const Client bus = another();
  const Queue queue = bus.create("q", {.slots = 65536});
  Producer out = queue.producer();
  Consumer in = queue.consumer("g", {.prefetch = 1});
  std::uint64_t sent = 0;
  while (queue.info().rings == 1) {  // its second ring is not mapped by the consumer yet
    out.send(bytes("x"), 1s).value();
    ++sent;
  }
  replace();
  const Queue next = bus.create("q", {.slots = 65536});
  Producer next_out = next.producer();
  while (next.info().rings == 1) next_out.send(bytes("y"), 1s).value();  // of the same name
  std::uint64_t received = 0;
  Code end = Code::ok;
  while (received < sent) {
    Result<Message> message = in.receive(100ms);
    if (!message) {
      end = message.error();
      break;
    }
    EXPECT_EQ(message->text(), "x");
    EXPECT_TRUE(message->ack());
    ++received;
  }
  EXPECT_EQ(end, Code::unavailable) << received << " of " << sent;
}

TEST_F(ReconnectTest, ManyThreadsMayNotice) {
  const Client bus = another();
  const Queue queue = bus.create("q");
  for (int round = 0; round < 20; ++round) {
    replace();
    static_cast<void>(another().create("other"));
    static_cast<void>(another().create("q"));
    std::vector<std::thread> threads;
    threads.reserve(4);
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        EXPECT_EQ(queue.info().name, "q");
        EXPECT_EQ(bus.list().size(), 2U);
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
  EXPECT_EQ(queue.clients().size(), 0U);
}

/// A supervisor that greets, and then ends without an answer to the first request.
class Mute {
 public:
  explicit Mute(const std::string& path) : listener_(os::listen_at(path, 0600)) {
    thread_ = std::thread([this] {
      while (requests_ == 0) serve();
    });
  }
  ~Mute() { thread_.join(); }
  void await_end() {
    thread_.join(), thread_ = std::thread([] {});
  }
  [[nodiscard]] int requests() const { return requests_.load(); }

 private:
  void serve() {
    os::wait_readable(listener_, os::deadline(10s));
    const os::Fd socket = os::accept_from(listener_);
    if (!socket) return;
    while (os::wait_readable(socket, os::deadline(10s))) {
      layout::Request request{};
      if (control::peek(socket, request) != os::Transfer::done) return;
      os::discard_packet(socket);
      if (static_cast<layout::Ask>(request.ask) != layout::Ask::hello) {
        ++requests_;
        return;
      }
      static_cast<void>(control::Answer(request).send(socket));
    }
  }
  os::Fd listener_;
  std::atomic<int> requests_{0};
  std::thread thread_;
};

TEST_F(ReconnectTest, ARequestThatWasSentIsNotSentAgain) {
  supervisor_.reset();
  auto mute = std::make_unique<Mute>(socket());
  const Client bus = another();
  EXPECT_EQ(code_of([&] { static_cast<void>(bus.create("q")); }), Code::unavailable);
  EXPECT_EQ(mute->requests(), 1);
  mute.reset();
  replace();
  EXPECT_TRUE(bus.list().empty()) << "it was not made by the next supervisor";
  static_cast<void>(bus.create("q"));
  EXPECT_EQ(bus.list().size(), 1U);
}

}  // namespace
}  // namespace spillring
