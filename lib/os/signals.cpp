#include "os/signals.hpp"

#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>

#include "os/failure.hpp"

namespace spillring::os {

Fd signal_descriptor(std::initializer_list<int> numbers) {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int number : numbers) ::sigaddset(&set, number);
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
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
