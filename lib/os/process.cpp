#include "os/process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>

#include "os/failure.hpp"
#include "os/kernel.hpp"
#include "os/socket.hpp"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77  // Linux 6.5
#endif

namespace spillring::os {

namespace {

std::vector<gid_t> groups_of(const Fd& socket) {
  std::vector<gid_t> groups(32);
  for (;;) {
    auto length = static_cast<socklen_t>(groups.size() * sizeof(gid_t));
    if (::getsockopt(socket.get(), SOL_SOCKET, SO_PEERGROUPS, groups.data(), &length) == 0) {
      groups.resize(length / sizeof(gid_t));
      return groups;
    }
    if (errno != ERANGE) return {};
    groups.resize(length / sizeof(gid_t));
  }
}

}  // namespace

Peer credentials_of(const Fd& socket) {
  ucred credentials{};
  socklen_t length = sizeof credentials;
  if (::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0) {
    fail("cannot learn who connected");
  }
  return {credentials.pid, credentials.uid, credentials.gid, groups_of(socket), {}};
}

Fd kernel_pidfd_of_peer(const Fd& socket) noexcept {
  int pidfd = -1;
  socklen_t length = sizeof pidfd;
  return ::getsockopt(socket.get(), SOL_SOCKET, SO_PEERPIDFD, &pidfd, &length) == 0 ? Fd(pidfd)
                                                                                    : Fd();
}

// The number names another process only if the peer is dead. A dead process has closed its end of
// the connection, unless it shared it: this library never does (os/fork.hpp, O_CLOEXEC). So if the
// connection is whole after the pidfd was opened, the peer was alive all the time before, nobody
// else can have got its number, and the pidfd is its own. Who shares its connection on purpose and
// dies escapes notice for as long as a process that merely stopped, and costs others no more.
Fd numbered_pidfd_of_peer(const Fd& socket, pid_t pid) {
  if (pid <= 0) {
    throw Error(Code::denied, "a process that cannot be watched is not served",
                fmt::format("it is in a PID namespace that the supervisor does not see, and Linux "
                            "{} gives no pidfd of it",
                            kernel_release()),
                "use Linux 6.5 or newer, or run both in one PID namespace");
  }
  Fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (pidfd && hung_up(socket)) {
    errno = ESRCH;
    return {};
  }
  return pidfd;
}

Peer peer_of(const Fd& socket) {
  Peer peer = credentials_of(socket);
  peer.pidfd = kernel_pidfd_of_peer(socket);
  // Any other refusal (EINVAL, ESRCH) comes from a kernel that knows the request: the peer is dead.
  if (!peer.pidfd && errno == ENOPROTOOPT) {
    peer.pidfd = numbered_pidfd_of_peer(socket, peer.pid);
  }
  if (peer.pidfd) return peer;
  if (errno == EMFILE || errno == ENFILE) fail("cannot watch a client");
  const int error = errno;
  throw Error(Code::denied, "a process that cannot be watched is not served",
              fmt::format("the kernel gives no pidfd of it: {}", ::strerrordesc_np(error)),
              "connect from a process that lives, where the supervisor can see it");
}

bool is_dead(const Fd& pidfd) {
  pollfd entry{pidfd.get(), POLLIN, 0};
  return ::poll(&entry, 1, 0) == 1;
}

Fd pidfd_of(pid_t pid) {
  Fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!pidfd) fail(fmt::format("cannot watch process {}", pid));
  return pidfd;
}

void send_signal(const Fd& pidfd, int number) noexcept {
  ::syscall(SYS_pidfd_send_signal, pidfd.get(), number, nullptr, 0);
}

namespace {

std::vector<char*> pointers_to(const std::vector<std::string>& arguments) {
  std::vector<char*> pointers;
  pointers.reserve(arguments.size() + 1);
  for (const std::string& argument : arguments) {
    pointers.push_back(const_cast<char*>(argument.c_str()));
  }
  pointers.push_back(nullptr);
  return pointers;
}

int status_of(int status) noexcept {
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/// In the child: only async-signal-safe calls.
[[noreturn]] void become(const char* path, char* const* arguments, int line) {
  // What would end the program waits until it takes signals itself: none is lost on the way.
  sigset_t later;
  ::sigemptyset(&later);
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) ::sigaddset(&later, number);
  ::sigprocmask(SIG_SETMASK, &later, nullptr);
  if (line == spawned_line) {
    ::fcntl(line, F_SETFD, 0);
  } else {
    ::dup2(line, spawned_line);
  }
  ::execv(path, arguments);
  ::_exit(127);
}

}  // namespace

pid_t spawn(const std::string& path, const std::vector<std::string>& arguments, const Fd& line) {
  const std::vector<char*> pointers = pointers_to(arguments);
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  const pid_t child = ::fork();
  if (child == 0) become(path.c_str(), pointers.data(), line.get());
  const int error = errno;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (child < 0) fail("cannot start " + path, error, {});
  return child;
}

std::optional<int> reap(pid_t child) noexcept {
  int status = 0;
  if (::waitpid(child, &status, WNOHANG) != child) return std::nullopt;
  return status_of(status);
}

namespace {

/// `out`: its stdout; empty: /dev/null, as its other standard streams.
pid_t spawn_quiet(const std::string& path, const std::vector<std::string>& arguments,
                  const Fd& out) {
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    ::posix_spawn_file_actions_addopen(&actions, stream, "/dev/null", O_RDWR, 0);
  }
  if (out) ::posix_spawn_file_actions_adddup2(&actions, out.get(), STDOUT_FILENO);
  pid_t child = 0;
  // Not fork: the caller may have threads, and handlers that are not prepared for this.
  const int error = ::posix_spawn(&child, path.c_str(), &actions, nullptr,
                                  pointers_to(arguments).data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) fail("cannot start " + path, error, {});
  return child;
}

int wait_for(pid_t child) noexcept {
  int status = 0;
  pid_t ended = 0;
  do {
    ended = ::waitpid(child, &status, 0);
  } while (ended < 0 && errno == EINTR);
  return ended == child ? status_of(status) : 0;
}

}  // namespace

int run(const std::string& path, const std::vector<std::string>& arguments) {
  return wait_for(spawn_quiet(path, arguments, {}));
}

std::string output_of(const std::string& path, const std::vector<std::string>& arguments) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) fail("cannot make a pipe");
  const Fd reads(ends[0]);
  Fd writes(ends[1]);
  const pid_t child = spawn_quiet(path, arguments, writes);
  writes.reset();
  std::string output;
  std::array<char, 4096> buffer{};
  for (;;) {
    const ssize_t got = ::read(reads.get(), buffer.data(), buffer.size());
    if (got > 0) output.append(buffer.data(), static_cast<std::size_t>(got));
    if (got == 0 || (got < 0 && errno != EINTR)) break;
  }
  wait_for(child);
  return output;
}

std::string own_program() {
  std::array<char, PATH_MAX> buffer{};
  const ssize_t size = ::readlink("/proc/self/exe", buffer.data(), buffer.size());
  if (size < 0) fail("cannot learn which program this is");
  return {buffer.data(), static_cast<std::size_t>(size)};
}

void secure_standard_streams() noexcept {
  while (true) {
    const int fd = ::open("/dev/null", O_RDWR);
    if (fd > STDERR_FILENO) ::close(fd);
    if (fd < 0 || fd > STDERR_FILENO) return;
  }
}

void raise_descriptor_limit() noexcept {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

Maps maps_any(pid_t pid, const std::set<std::uint64_t>& inodes) {
  std::ifstream file(fmt::format("/proc/{}/maps", pid));
  if (!file) return Maps::unknown;
  std::string line;
  bool read_any = false;
  while (std::getline(file, line)) {
    read_any = true;
    std::istringstream fields(line);
    std::string range;
    std::string rights;
    std::string offset;
    std::string device;
    std::uint64_t inode = 0;
    fields >> range >> rights >> offset >> device >> inode;
    if (line.find("/memfd:spillring") != std::string::npos && inodes.contains(inode)) {
      return Maps::some;
    }
  }
  return read_any ? Maps::none : Maps::unknown;
}

}  // namespace spillring::os
