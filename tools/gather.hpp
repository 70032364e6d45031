// Bytes on their way out, written from where they lie.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace spillring::tools {

/// How far a write came.
struct Written {
  std::size_t bytes = 0;
  int error = 0;  ///< errno of the write that failed; 0: all was written
};

/// Collects pieces of memory and writes them with as few system calls as possible. Payloads go from
/// shared memory to the kernel without a copy here.
class Gather {
 public:
  /// The bytes must stay until they are written.
  void refer(std::span<const std::byte> bytes);
  /// Keeps the text itself.
  void keep(std::string text);
  /// Bytes collected since the last write.
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

  /// Writes everything and forgets it, however far it came. Waits where `fd` is non-blocking.
  Written write_to(int fd);
  /// The same; throws `ReaderGone`, `Interrupted` or a `Failure` that names `target`.
  void write_all(int fd, std::string_view target);

 private:
  Written write_pieces(int fd);

  std::vector<iovec> pieces_;
  std::deque<std::string> kept_;  // a deque: addresses of its strings stay
  std::size_t size_ = 0;
};

/// Throws what a failed write means: `ReaderGone`, `Interrupted` or a `Failure` that names
/// `target`.
[[noreturn]] void write_failed(int error, std::string_view target);

}  // namespace spillring::tools
