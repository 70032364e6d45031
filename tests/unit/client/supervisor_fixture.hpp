// What tests of the client share.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <span>
#include <string>
#include <string_view>

#include "spillring/embedded.hpp"
#include "spillring/spillring.hpp"

namespace spillring {

using namespace std::chrono_literals;

inline std::span<const std::byte> bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

/// A supervisor in this process, and a client of it.
class WithSupervisor : public ::testing::Test {
 protected:
  std::uint64_t send(Producer& producer, std::string_view text) {
    return producer.send(bytes(text), 1s).value();
  }
  std::string take(Consumer& consumer) {
    Result<Message> message = consumer.receive(2s);
    if (!message) return fmt::format("({})", name(message.error()));
    std::string text(message->text());
    EXPECT_TRUE(message->ack());
    return text;
  }

  Embedded supervisor_;
  Client bus_ = supervisor_.connect();
};

}  // namespace spillring
