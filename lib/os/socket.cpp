#include "os/socket.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "os/directory.hpp"
#include "os/failure.hpp"

namespace spillring::os {

namespace {

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    throw Error(Code::invalid, "the socket's path is too long: " + path,
                "a UNIX socket's path has at most 107 bytes", "choose a shorter directory");
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

Fd seqpacket(int flags) {
  Fd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | flags, 0));
  if (!socket) fail("cannot make a socket");
  return socket;
}

bool answers(const std::string& path) {
  const Fd probe = seqpacket(0);
  const sockaddr_un address = address_of(path);
  return ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

void take_descriptors(msghdr& message, std::vector<Fd>& into) {
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr;
       part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(part) + i * sizeof fd, sizeof fd);
      into.emplace_back(fd);
    }
  }
}

Transfer failed_transfer() {
  // Want of kernel memory passes, as want of room does.
  if (errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM || errno == ETOOMANYREFS) {
    return Transfer::would_block;
  }
  return errno == EPIPE || errno == ECONNRESET ? Transfer::closed : Transfer::broken;
}

constexpr std::size_t control_space = CMSG_SPACE(max_descriptors * sizeof(int));

}  // namespace

Fd listen_at(const std::string& path, unsigned mode) {
  const sockaddr_un address = address_of(path);
  Fd listener = seqpacket(SOCK_NONBLOCK);
  const auto* where = reinterpret_cast<const sockaddr*>(&address);
  // Nobody may connect before the mode is set, so the socket is born with it.
  const mode_t before = ::umask(0777U & ~mode);
  int bound = ::bind(listener.get(), where, sizeof address);
  // Nothing but a socket is ever removed: whatever else is there was not left by a supervisor.
  if (bound != 0 && errno == EADDRINUSE && is_socket(path) && !answers(path)) {
    ::unlink(path.c_str());
    bound = ::bind(listener.get(), where, sizeof address);
  }
  const int error = errno;
  ::umask(before);
  if (bound != 0) {
    fail("cannot listen at " + path, error,
         error != EADDRINUSE ? "check that the directory exists and is writable"
         : is_socket(path) ? "another supervisor answers there; use it, or choose another --socket"
                           : "something that is no socket is there; choose another --socket");
  }
  if (::listen(listener.get(), SOMAXCONN) != 0) fail("cannot listen at " + path);
  return listener;
}

Fd connect_to(const std::string& path) {
  const sockaddr_un address = address_of(path);
  Fd socket = seqpacket(0);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    fail("cannot reach the supervisor at " + path, errno,
         "start one with: spillringd --socket " + path);
  }
  return socket;
}

Fd accept_from(const Fd& listener) {
  return Fd(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
}

Fd reserve_descriptor() noexcept { return Fd(::open("/dev/null", O_RDONLY | O_CLOEXEC)); }

Transfer send_packet(const Fd& socket, std::span<const std::byte> bytes,
                     std::span<const int> descriptors, bool wait) {
  iovec part{const_cast<std::byte*>(bytes.data()), bytes.size()};
  alignas(cmsghdr) std::array<char, control_space> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (!descriptors.empty()) {
    message.msg_control = control.data();
    message.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(descriptors.size_bytes());
    std::memcpy(CMSG_DATA(header), descriptors.data(), descriptors.size_bytes());
  }
  ssize_t sent = 0;
  do {
    sent = ::sendmsg(socket.get(), &message, MSG_NOSIGNAL | (wait ? 0 : MSG_DONTWAIT));
  } while (sent < 0 && errno == EINTR);
  return sent >= 0 ? Transfer::done : failed_transfer();
}

Transfer receive_packet(const Fd& socket, std::span<std::byte> buffer, Packet& packet, bool wait) {
  iovec part{buffer.data(), buffer.size()};
  alignas(cmsghdr) std::array<char, control_space> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  ssize_t got = 0;
  do {
    got = ::recvmsg(socket.get(), &message, MSG_CMSG_CLOEXEC | (wait ? 0 : MSG_DONTWAIT));
    // ECONNRESET is said once: the other side has closed without reading everything. What it had
    // sent before is still there, and then the end.
  } while (got < 0 && (errno == EINTR || errno == ECONNRESET));
  if (got < 0) return failed_transfer();
  packet.descriptors.clear();
  take_descriptors(message, packet.descriptors);
  if (got == 0) return Transfer::closed;
  packet.size = static_cast<std::size_t>(got);
  const bool cut = (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0;
  return cut ? Transfer::broken : Transfer::done;
}

Transfer peek_packet(const Fd& socket, std::span<std::byte> buffer, std::size_t& size) {
  ssize_t got = 0;
  do {
    got = ::recv(socket.get(), buffer.data(), buffer.size(), MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT);
  } while (got < 0 && errno == EINTR);
  if (got < 0) return failed_transfer();
  if (got == 0) return Transfer::closed;
  size = static_cast<std::size_t>(got);
  return size > buffer.size() ? Transfer::broken : Transfer::done;
}

void discard_packet(const Fd& socket) noexcept {
  char nothing = 0;
  while (::recv(socket.get(), &nothing, sizeof nothing, MSG_DONTWAIT) < 0 && errno == EINTR) {
  }
}

std::pair<Fd, Fd> socket_pair() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    fail("cannot make a pair of sockets");
  }
  return {Fd(ends[0]), Fd(ends[1])};
}

namespace {

bool wait_for(const Fd& socket, short events, Instant until) {
  for (;;) {
    pollfd entry{socket.get(), events, 0};
    const Instant left = until == never ? never : until - now();
    if (left <= 0) return false;
    timespec at{left / 1'000'000'000, left % 1'000'000'000};
    const int ready = ::ppoll(&entry, 1, until == never ? nullptr : &at, nullptr);
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) fail("cannot wait for the supervisor");
  }
}

}  // namespace

bool wait_readable(const Fd& socket, Instant until) { return wait_for(socket, POLLIN, until); }

bool wait_writable(const Fd& socket, Instant until) { return wait_for(socket, POLLOUT, until); }

bool hung_up(const Fd& socket) noexcept {
  pollfd entry{socket.get(), POLLRDHUP, 0};
  return ::poll(&entry, 1, 0) != 0;
}

Fd make_event() {
  Fd event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!event) fail("cannot make an eventfd");
  return event;
}

void signal_event(const Fd& event) noexcept {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(event.get(), &one, sizeof one);
}

void clear_event(const Fd& event) noexcept {
  std::uint64_t count = 0;
  iovec part{&count, sizeof count};
  // RWF_NOWAIT, because whoever shares the description may have made it a blocking one.
  if (::preadv2(event.get(), &part, 1, -1, RWF_NOWAIT) >= 0) return;
  if (errno != EOPNOTSUPP && errno != ENOSYS && errno != EPERM) return;
  // Before Linux 5.8 it knows no such flag for an eventfd: one that stayed rung would be looked at
  // for ever.
  pollfd entry{event.get(), POLLIN, 0};
  if (::poll(&entry, 1, 0) != 1) return;
  [[maybe_unused]] const ssize_t read = ::read(event.get(), &count, sizeof count);
}

}  // namespace spillring::os
