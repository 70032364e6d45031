// Who goes on without a ring says so to the supervisor, which counts those that stand against
// another one; and waits for nobody to say it.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "client/raw_client.hpp"
#include "client/ring_chain.hpp"
#include "client/stoppable.hpp"
#include "client/supervisor_fixture.hpp"
#include "layout/manifest.hpp"
#include "temporary_directory.hpp"

namespace spillring {
namespace {

const QueueOptions tiny{.capacity = 64 * KiB, .slots = 64, .full = Full::block, .lease = 50ms};
constexpr int in_ring = 62;  // messages

/// What the supervisor has noted of the handles of a queue.
class Handles {
 public:
  Handles(const std::string& socket, std::string_view queue) : client_(socket) {
    const control::Answered answer =
        client_.ask(control::request(layout::Ask::observe, client_.open(queue)));
    map_ = os::Mapping(answer.descriptors.at(0), os::whole_pages(sizeof(layout::Manifest)),
                       os::Rights::read);
  }
  /// The first handle of that role may have a ring mapped that was replaced.
  [[nodiscard]] bool is_pinning(layout::Role role) const {
    for (const auto& handle : map_.as<const layout::Manifest>()->handles) {
      const std::uint64_t word = handle.word.load();
      if (layout::entry_presence(word) != layout::Presence::live) continue;
      if (static_cast<layout::Role>(layout::entry_kind(word)) != role) continue;
      for (std::size_t place = 0; place < layout::max_pinned; ++place) {
        if ((layout::entry_rings(word) & layout::pinned_bit(place)) != 0) return true;
      }
      return false;
    }
    ADD_FAILURE() << "there is no such handle";
    return false;
  }

 private:
  RawClient client_;
  os::Mapping map_;
};

template <typename Condition>
bool eventually(Condition condition) {
  for (int i = 0; i < 1000 && !condition(); ++i) std::this_thread::sleep_for(10ms);
  return condition();
}

void take_all(Consumer& in, int count) {
  for (int i = 0; i < count; ++i) {
    Result<Message> message = in.receive(10s);
    ASSERT_TRUE(message) << name(message.error()) << " instead of message " << i;
    ASSERT_TRUE(message->ack());
  }
}

/// A queue whose first ring is replaced, because of a view whose message went to somebody else.
class Pinned {
 public:
  explicit Pinned(const Client& bus)
      : queue_(bus.create("q", tiny)),
        out_(queue_.producer()),
        slow_(queue_.consumer("g", {.prefetch = 1})),
        quick_(queue_.consumer("g", {.prefetch = 1})) {
    EXPECT_TRUE(out_.send(bytes("held"), 10s));
    view_ = slow_.receive(10s).value();
    take_all(quick_, 1);  // when the lease is over
  }
  /// Up to the second message of the second ring.
  void send_into_the_second() {
    for (int i = 1; i < in_ring + 2; ++i) ASSERT_TRUE(out_.send(bytes("message"), 10s)) << i;
  }
  Queue& queue() { return queue_; }
  Producer& out() { return out_; }
  Consumer& quick() { return quick_; }

 private:
  Queue queue_;
  Producer out_;
  Consumer slow_;
  Consumer quick_;
  std::optional<Message> view_;
};

class PinnedRingTest : public WithSupervisor {};

TEST_F(PinnedRingTest, AProducerThatWaitsKeepsNoRingThatItDoesNotNeed) {
  Pinned pinned(bus_);
  pinned.send_into_the_second();
  for (int i = 2; i < in_ring; ++i) ASSERT_TRUE(pinned.out().send(bytes("fills"), 10s)) << i;
  const Handles handles(supervisor_.socket(), "q");
  std::atomic<bool> sent{false};
  std::thread waits([&] {
    EXPECT_TRUE(pinned.out().send(bytes("waits"), forever));
    sent = true;
  });
  EXPECT_TRUE(eventually([&] { return handles.is_pinning(layout::Role::producer); }));
  take_all(pinned.quick(), in_ring - 1);  // all of the first ring
  std::optional<Message> held = pinned.quick().receive(10s).value();
  EXPECT_TRUE(eventually([&] { return !handles.is_pinning(layout::Role::producer); }));
  EXPECT_FALSE(sent) << "it waits for room in the second ring";
  held.reset();
  take_all(pinned.quick(), in_ring);
  waits.join();
}

class StoppedSupervisorTest : public ::testing::Test {
 protected:
  TemporaryDirectory directory_;
  std::string socket_ = directory_.path() / "socket";
  Stoppable supervisor_{{.socket = socket_, .state_dir = (directory_.path() / "state").string()}};
};

/// Another thread of the same client asks, and is not answered.
class Asking {
 public:
  explicit Asking(const Client& bus)
      : thread_([this, &bus] {
          EXPECT_NO_THROW(static_cast<void>(bus.list()));
          answered_ = true;
        }) {
    std::this_thread::sleep_for(100ms);
  }
  [[nodiscard]] bool is_answered() const { return answered_; }
  void join() { thread_.join(); }

 private:
  std::atomic<bool> answered_{false};
  std::thread thread_;
};

TEST_F(StoppedSupervisorTest, WhoUnmapsARingWaitsForNobodyAndSaysSoLater) {
  const Client others({.socket = socket_});
  Pinned pinned(others);
  const Client mine({.socket = socket_, .timeout = 60s});
  Consumer in = mine.open("q").subscriber("mine", {.start = Start::earliest()});
  pinned.send_into_the_second();
  for (int i = 0; i < in_ring + 1; ++i) {        // but for the first, which was finished with
    Result<Message> message = in.try_receive();  // which unmaps nothing
    ASSERT_TRUE(message) << name(message.error()) << " instead of message " << i;
    ASSERT_TRUE(message->ack());
  }
  take_all(pinned.quick(), in_ring + 1);
  ASSERT_TRUE(eventually([&] { return pinned.queue().info().rings == 1; }));
  const Handles handles(socket_, "q");
  ASSERT_TRUE(handles.is_pinning(layout::Role::stream_consumer));
  supervisor_.stop();
  Asking asking(mine);
  EXPECT_EQ(in.receive(10ms).error(), Code::timeout);
  EXPECT_FALSE(asking.is_answered());
  supervisor_.go_on();
  asking.join();
  EXPECT_EQ(in.receive(10ms).error(), Code::timeout);
  EXPECT_TRUE(eventually([&] { return !handles.is_pinning(layout::Role::stream_consumer); }));
}

TEST_F(StoppedSupervisorTest, WhoWaitsForTheDiskWaitsForNobodyElse) {
  const Client bus({.socket = socket_, .timeout = 60s});
  const Queue queue = bus.create("q", {.durability = Durability::disk});
  Producer out = queue.producer();
  supervisor_.stop();
  Asking asking(bus);
  EXPECT_EQ(out.confirm(1, 10ms).error(), Code::timeout);
  EXPECT_FALSE(asking.is_answered());
  supervisor_.go_on();
  asking.join();
}

TEST_F(StoppedSupervisorTest, ARingThatCameTooLateIsGivenBack) {
  static_cast<void>(Client({.socket = socket_}).create("q"));
  const auto connection =
      std::make_shared<client::Connection>(client::SocketChoice{socket_, {}, false}, false, 200ms);
  client::QueueRef queue(connection, "q", {});
  client::Answered answer = queue.ask(control::request(layout::Ask::produce));
  client::Attachment attachment(queue, answer, client::Attachment::Kind::producer);
  client::RingChain rings(attachment);
  const auto has_ring = [&] {
    const auto& handle = attachment.manifest().handles[attachment.owner().slot];
    return layout::entry_rings(handle.word.load()) != 0;
  };
  supervisor_.stop();
  EXPECT_THROW(static_cast<void>(rings.at(1)), Error);
  supervisor_.go_on();
  EXPECT_TRUE(eventually(has_ring)) << "it was too late, and counts all the same";
  EXPECT_TRUE(rings.may_drop());
  rings.drop_unused();
  EXPECT_TRUE(eventually([&] { return !has_ring(); }));
}

}  // namespace
}  // namespace spillring
