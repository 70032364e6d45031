// A queue that spills, for tests of what is on the disk.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <thread>
#include <vector>

#include "client/state_fixture.hpp"

namespace spillring {

using namespace std::chrono_literals;

/// Queues that spill, and messages that say which ones they are.
class SpillTest : public StateTest {
 protected:
  static constexpr std::uint64_t many = 4000;  // messages; about 6 MiB
  static QueueOptions small() { return {.capacity = 256 * KiB, .slots = 1024}; }

  /// A message that says which one it is, of a size that depends on that.
  static std::vector<std::byte> message(std::uint64_t number) {
    std::vector<std::byte> bytes(8 + number * 37 % 3000,
                                 std::byte{static_cast<unsigned char>(number)});
    std::memcpy(bytes.data(), &number, sizeof number);
    return bytes;
  }
  static void send(Producer& out, std::uint64_t from, std::uint64_t to) {
    for (std::uint64_t i = from; i < to; ++i) ASSERT_TRUE(out.send(message(i), 5s)) << i;
  }
  static void expect(Consumer& in, std::uint64_t from, std::uint64_t to) {
    for (std::uint64_t i = from; i < to; ++i) {
      Result<Message> got = in.receive(5s);
      ASSERT_TRUE(got) << name(got.error()) << " instead of message " << i;
      const auto wanted = message(i);
      ASSERT_TRUE(std::ranges::equal(got->bytes(), wanted)) << i;
      EXPECT_TRUE(got->ack());
    }
  }
  struct Read {
    std::uint64_t received = 0;
    std::uint64_t gaps = 0;  // that were told with messages
    std::uint64_t last = 0;
  };
  /// All that comes, in order, each as it was sent.
  static Read read_all(Consumer& in) {
    Read read;
    Result<Message> got = in.receive(5s);
    for (; got; got = in.receive(200ms)) {
      std::uint64_t number = 0;
      std::memcpy(&number, got->bytes().data(), sizeof number);
      EXPECT_TRUE(read.received == 0 || number > read.last) << "in order";
      EXPECT_TRUE(std::ranges::equal(got->bytes(), message(number)));
      read.last = number;
      ++read.received;
      read.gaps += got->gap();
      EXPECT_TRUE(got->ack());
    }
    EXPECT_EQ(got.error(), Code::timeout);
    return read;
  }
  template <typename Condition>
  static bool eventually(Condition condition) {
    for (int i = 0; i < 500 && !condition(); ++i) std::this_thread::sleep_for(10ms);
    return condition();
  }
};

}  // namespace spillring
