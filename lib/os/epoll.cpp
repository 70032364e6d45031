#include "os/epoll.hpp"

#include <sys/epoll.h>

#include <algorithm>
#include <cerrno>
#include <climits>

#include "os/failure.hpp"

namespace spillring::os {

namespace {

constexpr Instant millisecond = 1'000'000;

/// Rounded up: nobody is woken before its time only to sleep again.
int milliseconds_to(Instant until) noexcept {
  if (until == never) return -1;
  const Instant left = std::max<Instant>(until - now(), 0);
  return static_cast<int>(std::min<Instant>((left + millisecond - 1) / millisecond, INT_MAX));
}

}  // namespace

Epoll::Epoll() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
  if (!epoll_) fail("cannot make an epoll instance");
}

void Epoll::add(int fd, std::uint64_t token) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = token;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0)
    fail("cannot wait for a descriptor");
}

void Epoll::remove(int fd) noexcept { ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr); }

std::vector<std::uint64_t> Epoll::wait(std::size_t most, Instant until, bool& interrupted) {
  std::vector<epoll_event> events(most);
  interrupted = false;
  for (;;) {
    const int ready =
        ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(most), milliseconds_to(until));
    if (ready > 0) {
      std::vector<std::uint64_t> tokens(static_cast<std::size_t>(ready));
      std::transform(events.begin(), events.begin() + ready, tokens.begin(),
                     [](const epoll_event& event) { return event.data.u64; });
      return tokens;
    }
    interrupted = ready < 0;
    if (interrupted || now() >= until) return {};
  }
}

}  // namespace spillring::os
