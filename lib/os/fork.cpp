#include "os/fork.hpp"

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include <mutex>
#include <set>

namespace spillring::os {

std::atomic<std::uint32_t> detail::forks{0};

namespace {

std::mutex guard;  // of not_inherited; held across fork, so that the child finds it whole
std::set<int>& not_inherited() {
  static auto* fds = new std::set<int>();  // never destroyed: a fork may come at any time
  return *fds;
}

void in_child() {
  detail::forks.fetch_add(1, std::memory_order_relaxed);
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  // Not closed: the child's copies of their owners will close these numbers.
  for (const int fd : not_inherited()) ::dup3(null, fd, O_CLOEXEC);
  ::close(null);
  guard.unlock();
}

// Registered when the library is loaded, so that no handle can be older than it.
[[maybe_unused]] const int registered =
    ::pthread_atfork([] { guard.lock(); }, [] { guard.unlock(); }, in_child);

}  // namespace

NotInherited::NotInherited(const Fd& fd) : fd_(fd.get()) {
  const std::scoped_lock lock(guard);
  not_inherited().insert(fd_);
}

NotInherited::~NotInherited() {
  const std::scoped_lock lock(guard);
  not_inherited().erase(fd_);
}

}  // namespace spillring::os
