#include "command.hpp"

#include <fmt/format.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <vector>

#include "failure.hpp"
#include "gather.hpp"

namespace spillring::tools {
namespace {

/// A file in memory: a command that does not read all of it is in nobody's way. Of an atomic batch
/// it has each part on a line.
class Stdin {
 public:
  explicit Stdin(const Envelope& message) : fd_(memfd_create("spillring-message", MFD_CLOEXEC)) {
    if (fd_ < 0) throw file_failure(errno, "cannot make a file in memory");
    Gather out;
    static constexpr std::string_view newline = "\n";
    for (const auto part : message.parts()) {
      out.refer(part);
      if (message.is_batch) out.refer(std::as_bytes(std::span(newline)));
    }
    out.write_all(fd_, "a file in memory");
    lseek(fd_, 0, SEEK_SET);
  }
  Stdin(const Stdin&) = delete;
  Stdin& operator=(const Stdin&) = delete;
  ~Stdin() { close(fd_); }

  [[nodiscard]] int fd() const noexcept { return fd_; }

 private:
  int fd_;
};

std::vector<std::string> variables(const Envelope& message) {
  std::vector<std::string> all{
      fmt::format("SPILLRING_QUEUE={}", message.queue),
      fmt::format("SPILLRING_SEQ={}", message.seq),
      fmt::format("SPILLRING_DELIVERIES={}", message.deliveries.value_or(1))};
  if (message.key) {
    const auto* const text = reinterpret_cast<const char*>(message.key->data());
    all.push_back("SPILLRING_KEY=" + std::string(text, message.key->size()));
  }
  if (message.is_batch) all.push_back(fmt::format("SPILLRING_PARTS={}", message.parts().size()));
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string_view inherited(*variable);
    if (inherited.starts_with("SPILLRING_KEY=") || inherited.starts_with("SPILLRING_PARTS=")) {
      continue;
    }
    all.emplace_back(inherited);
  }
  return all;
}

pid_t start(const std::string& command, const Stdin& in, const Envelope& message) {
  posix_spawn_file_actions_t streams;
  posix_spawn_file_actions_init(&streams);
  posix_spawn_file_actions_adddup2(&streams, in.fd(), STDIN_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t ours;
  sigemptyset(&ours);
  sigaddset(&ours, SIGPIPE);  // which we ignore
  posix_spawnattr_setsigdefault(&attributes, &ours);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
  std::vector<std::string> environment = variables(message);
  std::vector<char*> pointers;
  pointers.reserve(environment.size() + 1);
  for (std::string& variable : environment) pointers.push_back(variable.data());
  pointers.push_back(nullptr);
  std::string shell = "sh";
  std::string flag = "-c";
  std::string text = command;
  char* arguments[] = {shell.data(), flag.data(), text.data(), nullptr};
  pid_t child = 0;
  const int error =
      posix_spawn(&child, "/bin/sh", &streams, &attributes, arguments, pointers.data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&streams);
  if (error != 0) throw file_failure(error, "cannot start a shell");
  return child;
}

}  // namespace

int run_command(const std::string& command, const Envelope& message) {
  const Stdin in(message);
  const pid_t child = start(command, in, message);
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) throw file_failure(errno, "cannot wait for the command");
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace spillring::tools
