#include "daemon/confinement.hpp"

#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <functional>

namespace spillring::daemon {
namespace {

bool refused(long result) { return result == -1 && errno == EPERM; }

/// Whether it holds in a child, which is confined or not.
bool holds(bool confined, const std::function<bool()>& condition) {
  const pid_t child = ::fork();
  if (child == 0) {
    if (confined) confine();
    ::_exit(condition() ? 0 : 1);
  }
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool network_is_refused() { return refused(::socket(AF_INET, SOCK_STREAM, 0)); }

bool looking_into_others_is_refused() {
  char byte = 0;
  iovec here{&byte, 1};
  return refused(::process_vm_readv(::getpid(), &here, 1, &here, 1, 0));
}

TEST(Confinement, RefusesWhatTheDaemonNeverDoes) {
  EXPECT_TRUE(holds(true, network_is_refused));
  EXPECT_TRUE(holds(true, looking_into_others_is_refused));
  EXPECT_TRUE(holds(true, [] { return refused(::setgid(::getgid())); }));
  EXPECT_TRUE(holds(true, [] { return refused(::umount2("/nonexistent", 0)); }));
}

TEST(Confinement, IsWhatRefusesIt) {
  EXPECT_FALSE(holds(false, network_is_refused));
  EXPECT_FALSE(holds(false, looking_into_others_is_refused));
}

TEST(Confinement, LeavesWhatItNeeds) {
  EXPECT_TRUE(holds(true, [] { return ::socket(AF_UNIX, SOCK_SEQPACKET, 0) >= 0; }));
  EXPECT_TRUE(holds(true, [] {
    ::execl("/bin/true", "true", nullptr);
    return false;
  }));
}

}  // namespace
}  // namespace spillring::daemon
