#include "gather.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <climits>

#include "failure.hpp"
#include "interruption.hpp"

namespace spillring::tools {
namespace {

/// errno of a write; 0 where it may be repeated: after a wait, or after a signal.
int lasting_error(int fd) {
  if (errno == EINTR) return 0;
  if (errno != EAGAIN) return errno;
  pollfd waiting{fd, POLLOUT, 0};
  poll(&waiting, 1, -1);
  return 0;
}

/// Drops `bytes` from the front of the pieces beginning at `first`.
void advance(std::vector<iovec>& pieces, std::size_t& first, std::size_t bytes) {
  while (first < pieces.size() && bytes >= pieces[first].iov_len) {
    bytes -= pieces[first].iov_len;
    ++first;
  }
  if (bytes == 0) return;
  pieces[first].iov_base = static_cast<std::byte*>(pieces[first].iov_base) + bytes;
  pieces[first].iov_len -= bytes;
}

}  // namespace

void Gather::refer(std::span<const std::byte> bytes) {
  if (bytes.empty()) return;
  // iovec serves reading too and has no const.
  pieces_.push_back({const_cast<std::byte*>(bytes.data()), bytes.size()});
  size_ += bytes.size();
}

void Gather::keep(std::string text) {
  refer(std::as_bytes(std::span(kept_.emplace_back(std::move(text)))));
}

Written Gather::write_to(int fd) {
  const Written written = write_pieces(fd);
  pieces_.clear();
  kept_.clear();
  size_ = 0;
  return written;
}

Written Gather::write_pieces(int fd) {
  Written written;
  for (std::size_t first = 0; first < pieces_.size() && written.error == 0;) {
    // Asked each time: a write that a signal stops half-way is no error.
    if (interruption_pending()) return {written.bytes, EINTR};
    const std::size_t most = std::min<std::size_t>(pieces_.size() - first, IOV_MAX);
    const ssize_t count = writev(fd, &pieces_[first], static_cast<int>(most));
    if (count < 0) {
      written.error = lasting_error(fd);
    } else {
      written.bytes += static_cast<std::size_t>(count);
      advance(pieces_, first, static_cast<std::size_t>(count));
    }
  }
  return written;
}

void Gather::write_all(int fd, std::string_view target) {
  const Written written = write_to(fd);
  if (written.error != 0) write_failed(written.error, target);
}

void write_failed(int error, std::string_view target) {
  if (error == EPIPE) throw ReaderGone{};
  leave_if_interrupted();
  throw file_failure(error, fmt::format("cannot write to {}", target));
}

}  // namespace spillring::tools
