#include "fork.hpp"

#include <pthread.h>

#include <atomic>

#include "spillring/error.hpp"

namespace spillring::python {
namespace {

std::atomic<unsigned> forks = 0;  // of this process and its ancestors

}  // namespace

ForkGuard::ForkGuard() noexcept : generation_(forks.load(std::memory_order_relaxed)) {}

bool ForkGuard::foreign() const noexcept {
  return generation_ != forks.load(std::memory_order_relaxed);
}

void ForkGuard::check() const {
  if (foreign()) {
    throw Error(Code::forked, "made before fork()", "it belongs to the parent process",
                "connect() again in the child");
  }
}

void watch_forks() {
  pthread_atfork(nullptr, nullptr, [] { forks.fetch_add(1, std::memory_order_relaxed); });
}

}  // namespace spillring::python
