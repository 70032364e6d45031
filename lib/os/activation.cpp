#include "os/activation.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "os/failure.hpp"

namespace spillring::os {

namespace {

constexpr int first_passed = 3;

int number_in(const char* variable) {
  const char* text = std::getenv(variable);
  int number = 0;
  if (text == nullptr) return 0;
  const std::string_view view(text);
  const auto [rest, error] = std::from_chars(view.data(), view.data() + view.size(), number);
  return error == std::errc{} && rest == view.data() + view.size() ? number : 0;
}

int option_of(int socket, int option) {
  int value = -1;
  socklen_t length = sizeof value;
  return ::getsockopt(socket, SOL_SOCKET, option, &value, &length) == 0 ? value : -1;
}

/// Where it listens; empty where that is no file.
std::string path_of(int socket) {
  sockaddr_un address{};
  socklen_t length = sizeof address;
  if (::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &length) != 0) return {};
  return address.sun_path[0] == '/'
             ? std::string(address.sun_path, ::strnlen(address.sun_path, sizeof address.sun_path))
             : std::string{};
}

[[noreturn]] void refuse(const std::string& why) {
  throw Error(Code::invalid, "the service manager passed what cannot be used", why,
              "let the socket unit have one ListenSequentialPacket= with an absolute path");
}

}  // namespace

std::optional<PassedListener> take_passed_listener() {
  const int count = number_in("LISTEN_FDS");
  const bool meant = number_in("LISTEN_PID") == ::getpid();
  for (const char* name : {"LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"}) ::unsetenv(name);
  if (!meant || count == 0) return std::nullopt;
  if (count != 1) refuse(fmt::format("there are {} descriptors", count));
  if (option_of(first_passed, SO_DOMAIN) != AF_UNIX ||
      option_of(first_passed, SO_TYPE) != SOCK_SEQPACKET ||
      option_of(first_passed, SO_ACCEPTCONN) != 1) {
    refuse("it is not a listening UNIX socket for packets (SOCK_SEQPACKET)");
  }
  PassedListener passed{{}, path_of(first_passed)};
  if (passed.path.empty()) refuse("it has no path in the file system");
  // Its number is that of the line between keeper and supervisor.
  passed.socket = Fd(::fcntl(first_passed, F_DUPFD_CLOEXEC, first_passed + 1));
  if (!passed.socket) fail("cannot take the socket from the service manager");
  ::close(first_passed);
  const int flags = ::fcntl(passed.socket.get(), F_GETFL);
  ::fcntl(passed.socket.get(), F_SETFL, flags | O_NONBLOCK);
  return passed;
}

}  // namespace spillring::os
