#include "os/detach.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>

#include "os/failure.hpp"

namespace spillring::os {

namespace {

constexpr off_t longest_log = 1 << 20;

Fd open_log(const std::string& path) {
  Fd log(::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!log) fail("cannot write the log " + path);
  struct stat status {};
  if (::fstat(log.get(), &status) == 0 && status.st_size > longest_log) {
    ::rename(path.c_str(), (path + ".old").c_str());
    return open_log(path);
  }
  return log;
}

std::array<Fd, 2> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) fail("cannot make a pipe");
  return {Fd(ends[0]), Fd(ends[1])};
}

/// From `first` to `last`, as far as they are open. close_range came with Linux 5.9.
void close_all(unsigned first, unsigned last) {
  if (::close_range(first, last, 0) == 0) return;
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const auto end = static_cast<unsigned>(std::min<rlim_t>(limit.rlim_cur, last));
  for (unsigned descriptor = first; descriptor <= end; ++descriptor) {
    ::close(static_cast<int>(descriptor));
  }
}

/// Standard streams to where they belong; all else that the caller had open is closed.
Fd leave(const Fd& log, Fd ready) {
  ::setsid();
  constexpr int kept = STDERR_FILENO + 1;
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  ::dup2(null, STDIN_FILENO);
  ::dup2(null, STDOUT_FILENO);
  ::dup2(log.get(), STDERR_FILENO);
  if (ready.get() != kept) ready = Fd(::fcntl(ready.get(), F_DUPFD_CLOEXEC, kept));
  const int number = ready.get();
  if (number > kept) close_all(kept, static_cast<unsigned>(number) - 1);
  close_all(static_cast<unsigned>(number) + 1, ~0U);
  ::umask(077);
  [[maybe_unused]] const int moved = ::chdir("/");
  return ready;
}

int wait_for(pid_t child, const Fd& ready) {
  char byte = 0;
  ssize_t got = 0;
  do {
    got = ::read(ready.get(), &byte, 1);
  } while (got < 0 && errno == EINTR);
  if (got == 1) return 0;
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

std::optional<Fd> detach(const std::string& log, int& status) {
  Fd lines = open_log(log);
  std::array<Fd, 2> ready = make_pipe();
  const pid_t child = ::fork();
  if (child < 0) fail("cannot start a process in the background");
  if (child == 0) {
    // Their numbers are closed with all others; their owners must not close what takes their place.
    Fd left = leave(lines, std::move(ready[1]));
    (void)lines.release();
    (void)ready[0].release();
    return left;
  }
  ready[1].reset();
  status = wait_for(child, ready[0]);
  return std::nullopt;
}

void tell_ready(Fd ready) noexcept {
  const char byte = 1;
  [[maybe_unused]] const ssize_t written = ::write(ready.get(), &byte, 1);
  ready.reset();
}

}  // namespace spillring::os
