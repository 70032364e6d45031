// Waiting for many descriptors.
#pragma once

#include <cstdint>
#include <vector>

#include "os/clock.hpp"
#include "os/fd.hpp"

namespace spillring::os {

class Epoll {
 public:
  /// Throws `Error`.
  Epoll();

  /// From now on `fd` is watched for something to read; `token` is what it is called. Throws
  /// `Error` (invalid: it cannot be polled; exists).
  void add(int fd, std::uint64_t token);
  /// Where it was closed, it has gone by itself.
  void remove(int fd) noexcept;

  /// The tokens of those that can be read, at most `most`, in turn; empty: none until `until`, or a
  /// signal arrived, which `interrupted` then says.
  std::vector<std::uint64_t> wait(std::size_t most, Instant until, bool& interrupted);

  [[nodiscard]] int fd() const noexcept { return epoll_.get(); }

 private:
  Fd epoll_;
};

}  // namespace spillring::os
