#include "input.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "failure.hpp"
#include "interruption.hpp"

namespace spillring::tools {
namespace {

constexpr std::size_t piece = std::size_t{1} << 20;

void wait_until_readable(int fd) {
  pollfd waiting{fd, POLLIN, 0};
  poll(&waiting, 1, -1);
}

/// One read(2), waiting where `fd` is non-blocking; 0 at the end.
std::size_t read_some(int fd, std::span<std::byte> buffer, const std::string& path) {
  while (true) {
    const ssize_t count = read(fd, buffer.data(), buffer.size());
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno == EAGAIN) {
      wait_until_readable(fd);
    } else if (errno != EINTR) {
      throw file_failure(errno, fmt::format("cannot read '{}'", path));
    }
    leave_if_interrupted();
  }
}

std::span<std::byte> writable_bytes(std::string& text, std::size_t from) {
  return std::as_writable_bytes(std::span(text)).subspan(from);
}

[[noreturn]] void refuse_length(std::string_view what, std::uint64_t most) {
  throw Failure(Exit::bad_data, fmt::format("{} is too large for the queue", what),
                fmt::format("a message may have {} bytes there", most),
                "the largest message is a quarter of the queue's capacity");
}

}  // namespace

InputFile::InputFile(const std::string& path)
    : fd_(path == "-" ? STDIN_FILENO : open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
  if (fd_ < 0) throw file_failure(errno, fmt::format("cannot open '{}'", path));
  struct stat status {};
  if (fstat(fd_, &status) == 0 && S_ISDIR(status.st_mode)) {
    if (fd_ != STDIN_FILENO) close(fd_);
    throw file_failure(EISDIR, fmt::format("cannot read '{}'", path));
  }
}

InputFile::~InputFile() {
  if (fd_ != STDIN_FILENO) close(fd_);
}

std::optional<std::uint64_t> InputFile::size() const {
  struct stat status {};
  // Files of /proc and /sys say 0 and have more.
  if (fstat(fd_, &status) != 0 || !S_ISREG(status.st_mode) || status.st_size == 0) {
    return std::nullopt;
  }
  const off_t at = lseek(fd_, 0, SEEK_CUR);
  return static_cast<std::uint64_t>(std::max<off_t>(status.st_size - at, 0));
}

std::size_t read_fully(int fd, std::span<std::byte> buffer, const std::string& path) {
  std::size_t filled = 0;
  while (filled < buffer.size()) {
    const std::size_t count = read_some(fd, buffer.subspan(filled), path);
    if (count == 0) break;
    filled += count;
  }
  return filled;
}

std::string read_all(int fd, std::uint64_t most, const std::string& path) {
  std::string text;
  std::size_t filled = 0;
  do {
    if (filled > most) refuse_length(fmt::format("'{}'", path), most);
    text.resize(filled + piece);
    filled += read_fully(fd, writable_bytes(text, filled), path);
  } while (filled == text.size());
  if (filled > most) refuse_length(fmt::format("'{}'", path), most);
  text.resize(filled);
  return text;
}

RecordReader::RecordReader(int fd, std::string delimiter, std::uint64_t longest)
    : fd_(fd), delimiter_(std::move(delimiter)), longest_(longest), buffer_(piece, '\0') {}

std::string_view RecordReader::rest() const {
  return std::string_view(buffer_).substr(begin_, end_ - begin_);
}

std::optional<std::string_view> RecordReader::next() {
  while (true) {
    const std::size_t found = std::string_view(buffer_).substr(0, end_).find(delimiter_, searched_);
    if (found != std::string_view::npos) {
      const std::string_view record = rest().substr(0, found - begin_);
      begin_ = searched_ = found + delimiter_.size();
      return record;
    }
    // A delimiter may begin in the last bytes.
    searched_ = std::max(begin_, end_ - std::min(end_, delimiter_.size() - 1));
    if (end_ - begin_ > longest_) refuse_length("a message", longest_);
    if (!read_more()) break;
  }
  if (begin_ == end_) return std::nullopt;
  const std::string_view record = rest();
  begin_ = end_;
  return record;
}

/// Moves what is left to the front, and makes the buffer larger where that leaves no room.
bool RecordReader::read_more() {
  if (ended_) return false;
  std::copy(buffer_.begin() + static_cast<std::ptrdiff_t>(begin_),
            buffer_.begin() + static_cast<std::ptrdiff_t>(end_), buffer_.begin());
  searched_ -= begin_;
  end_ -= begin_;
  begin_ = 0;
  if (buffer_.size() - end_ < piece / 2) buffer_.resize(buffer_.size() * 2);
  const std::size_t count = read_some(fd_, writable_bytes(buffer_, end_), "stdin");
  end_ += count;
  ended_ = count == 0;
  return !ended_;
}

}  // namespace spillring::tools
