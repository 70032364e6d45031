#include "os/signals.hpp"

#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>

#include "os/failure.hpp"

namespace spillring::os {

namespace {

sigset_t set_of(std::initializer_list<int> numbers) noexcept {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int number : numbers) ::sigaddset(&set, number);
  return set;
}

}  // namespace

void hold_signals(std::initializer_list<int> numbers) noexcept {
  const sigset_t set = set_of(numbers);
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

void admit_signals(std::initializer_list<int> numbers) noexcept {
  const sigset_t set = set_of(numbers);
  ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

Fd signal_descriptor(std::initializer_list<int> numbers) {
  const sigset_t set = set_of(numbers);
  hold_signals(numbers);
  Fd descriptor(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!descriptor) fail("cannot receive signals");
  return descriptor;
}

int take_signal(const Fd& descriptor) noexcept {
  signalfd_siginfo info{};
  const ssize_t got = ::read(descriptor.get(), &info, sizeof info);
  return got == static_cast<ssize_t>(sizeof info) ? static_cast<int>(info.ssi_signo) : 0;
}

}  // namespace spillring::os
