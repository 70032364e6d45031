// Processes of their own, for tests that kill and stop them.
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <functional>
#include <string>

#include "spillring/spillring.hpp"

namespace spillring {

/// A child process with its own connection; it says "ready" when `role` calls the function it is
/// given.
class Child {
 public:
  Child(const std::string& socket,
        const std::function<void(Client&, const std::function<void()>&)>& role) {
    EXPECT_EQ(::pipe(pipe_), 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      try {
        Client bus({.socket = socket});
        role(bus, [&] { static_cast<void>(!::write(pipe_[1], "r", 1)); });
      } catch (const std::exception& error) {
        std::fprintf(stderr, "child: %s\n", error.what());
        ::_exit(99);
      }
      ::_exit(0);
    }
    ::close(pipe_[1]);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    ::close(pipe_[0]);
  }
  void await_ready() {
    char c = 0;
    ASSERT_EQ(::read(pipe_[0], &c, 1), 1);
  }
  void signal(int number) const { ::kill(pid_, number); }
  int wait() {
    int status = -1;
    ::waitpid(pid_, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
  }

 private:
  int pipe_[2] = {-1, -1};
  pid_t pid_ = -1;
};

}  // namespace spillring
