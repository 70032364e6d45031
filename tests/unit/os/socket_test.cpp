#include "os/socket.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <span>

namespace spillring::os {
namespace {

TEST(SocketTest, WhatWasSaidBeforeAnEndIsHeardThoughSomethingWasLeftUnread) {
  auto [near, far] = socket_pair();
  const auto word = std::as_bytes(std::span("word"));
  ASSERT_EQ(send_packet(near, word, {}, true), Transfer::done);  // nobody reads it
  ASSERT_EQ(send_packet(far, word, {}, true), Transfer::done);
  far.reset();
  std::array<std::byte, 16> buffer{};
  Packet packet;
  EXPECT_EQ(receive_packet(near, buffer, packet, true), Transfer::done);
  EXPECT_EQ(receive_packet(near, buffer, packet, true), Transfer::closed);
}

}  // namespace
}  // namespace spillring::os
