// Publishes files, each as one message that is read from disk straight into the queue:
// `demo_producer SOCKET QUEUE LIST FIRST STRIDE [STOP_AT]`.
//
// LIST holds paths, each ended by a NUL; this producer takes every STRIDEth of them, beginning with
// FIRST. The key of a message is its path. At its STOP_AT-th file it stops itself by SIGSTOP in the
// middle of filling the loan. A publish that is refused as stale is sent again.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <spillring/spillring.hpp>
#include <stdexcept>
#include <string>

namespace {

using namespace std::chrono_literals;
using spillring::Code;

void report(const nlohmann::json& line) { std::cout << line << std::endl; }

class File {
 public:
  explicit File(const std::string& path)
      : path_(path), fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (fd_ < 0) fail();
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() { ::close(fd_); }

  [[nodiscard]] std::size_t size() const {
    struct stat status = {};
    if (::fstat(fd_, &status) != 0) fail();
    return static_cast<std::size_t>(status.st_size);
  }

  /// Reads the next bytes until `into` is full; fails at the end of the file.
  void read(std::span<std::byte> into) const {
    while (!into.empty()) {
      const ssize_t count = ::read(fd_, into.data(), into.size());
      if (count <= 0) fail();
      into = into.subspan(static_cast<std::size_t>(count));
    }
  }

 private:
  [[noreturn]] void fail() const { throw std::runtime_error(path_ + ": " + std::strerror(errno)); }
  std::string path_;
  int fd_;
};

class Sender {
 public:
  explicit Sender(spillring::Producer out) : out_(std::move(out)) {}

  void send(const std::string& path, bool stop) {
    while (!publish(path, stop)) {
      report({{"stale", path}});
      ++stale_;
      stop = false;
    }
    ++sent_;
  }

  [[nodiscard]] nlohmann::json summary() const {
    return {{"sent", sent_}, {"bytes", bytes_}, {"waits", waits_}, {"stale", stale_}};
  }

 private:
  /// False if the loan was revoked meanwhile.
  bool publish(const std::string& path, bool stop) {
    const File file(path);
    auto loan = claim(path, file.size());
    const auto bytes = loan.bytes();
    const auto first = bytes.first(bytes.size() / 2);
    file.read(first);
    if (stop) {
      report({{"stopping", path}, {"seq", loan.seq()}});
      ::raise(SIGSTOP);
    }
    file.read(bytes.subspan(first.size()));
    auto published = loan.publish();
    if (published.error() == Code::stale) return false;
    published.value();  // throws whatever else is wrong
    bytes_ += bytes.size();
    return true;
  }

  spillring::Loan claim(const std::string& path, std::size_t size) {
    spillring::LoanOptions options;
    options.metadata.key = std::as_bytes(std::span(path));
    if (auto loan = out_.loan(size, spillring::no_wait, options)) return *std::move(loan);
    ++waits_;
    return out_.loan(size, 30s, options).value();
  }

  spillring::Producer out_;
  std::uint64_t sent_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t waits_ = 0;  // how often the queue was full
  std::uint64_t stale_ = 0;
};

}  // namespace

int main(int argc, char** argv) try {
  if (argc < 6) {
    std::fputs("usage: demo_producer SOCKET QUEUE LIST FIRST STRIDE [STOP_AT]\n", stderr);
    return 64;
  }
  const auto number = [&](int index) { return std::strtoull(argv[index], nullptr, 10); };
  const std::uint64_t first = number(4);
  const std::uint64_t stride = number(5);
  const std::uint64_t stop_at = argc > 6 ? number(6) : 0;

  Sender sender(spillring::connect({.socket = argv[1]}).open(argv[2]).producer());
  std::ifstream list(argv[3]);
  std::string path;
  std::uint64_t mine = 0;
  for (std::uint64_t index = 0; std::getline(list, path, '\0'); ++index) {
    if (index % stride == first) sender.send(path, ++mine == stop_at);
  }
  report(sender.summary());
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "demo_producer: %s\n", error.what());
  return 1;
}
