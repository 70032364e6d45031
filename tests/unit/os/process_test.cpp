#include "os/process.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>

#include "os/socket.hpp"
#include "spillring/error.hpp"

namespace spillring::os {
namespace {

TEST(ProcessTest, APeerIsFoundByItsNumberWhileItIsConnected) {
  const auto [near, far] = socket_pair();
  const Fd pidfd = numbered_pidfd_of_peer(near, ::getpid());
  ASSERT_TRUE(pidfd);
  EXPECT_FALSE(is_dead(pidfd));
}

TEST(ProcessTest, ANumberIsNotBelievedOnceThePeerMayBeDead) {
  auto [near, far] = socket_pair();
  ASSERT_EQ(send_packet(far, std::as_bytes(std::span("hello")), {}, true), Transfer::done);
  far.reset();
  // This process lives, as one that got the number of a dead peer would.
  EXPECT_FALSE(numbered_pidfd_of_peer(near, ::getpid()));
  EXPECT_EQ(errno, ESRCH);
}

TEST(ProcessTest, APeerWithoutANumberIsRefusedAndNotTakenForDead) {
  const auto [near, far] = socket_pair();
  try {
    static_cast<void>(numbered_pidfd_of_peer(near, 0));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::denied);
    EXPECT_NE(error.hint().find("Linux 6.5"), std::string::npos);
  }
}

TEST(ProcessTest, TheOutputOfAProgram) {
  EXPECT_EQ(output_of("/bin/echo", {"echo", "a", "b"}), "a b\n");
  EXPECT_EQ(output_of("/bin/sh", {"sh", "-c", "cat; echo error >&2"}), "");
  EXPECT_THROW(static_cast<void>(output_of("/nonexistent", {"x"})), Error);
}

}  // namespace
}  // namespace spillring::os
