// A supervisor that can be stopped while its clients go on.
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <string>

#include "spillring/embedded.hpp"

namespace spillring {

/// A supervisor in a process of its own, to be stopped.
class Stoppable {
 public:
  explicit Stoppable(const Embedded::Options& options) {
    int ready[2] = {-1, -1};
    EXPECT_EQ(::pipe(ready), 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      const Embedded supervisor(options);
      if (::write(ready[1], "r", 1) == 1) ::pause();
      ::_exit(99);
    }
    char c = 0;
    EXPECT_EQ(::read(ready[0], &c, 1), 1);
    for (const int end : ready) ::close(end);
  }
  Stoppable(const Stoppable&) = delete;
  Stoppable& operator=(const Stoppable&) = delete;
  ~Stoppable() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  void stop() const {
    ::kill(pid_, SIGSTOP);
    int status = 0;
    EXPECT_EQ(::waitpid(pid_, &status, WUNTRACED), pid_);
  }
  void go_on() const { ::kill(pid_, SIGCONT); }

 private:
  pid_t pid_ = -1;
};

}  // namespace spillring
