// A pipe, made before the processes.
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "channels.hpp"
#include "peer.hpp"

namespace spillring::bench {
namespace {

/// Until something can be done, for at most 20 ms.
void wait_for(int file, short event) {
  pollfd asked{file, event, 0};
  ::poll(&asked, 1, 20);
}

class Pipe {
 public:
  static constexpr const char* name = "pipe";
  static constexpr const char* settings =
      "1 MiB of buffer, O_NONBLOCK; poll(2) where it waits; reads of up to 64 KiB";
  static std::string cannot(const Work& work) {
    if (work.shared) return "it has no groups and no acknowledgements";
    if (work.batch > 1) return "it has no batches";
    if (!work.touched) return "it copies";
    return {};
  }

  Pipe(const Work& work, const std::filesystem::path&) : ends_(channels(work)) {
    for (auto& pair : ends_) {
      if (::pipe2(pair.data(), O_NONBLOCK | O_CLOEXEC) != 0) throw Unable("no pipe");
      ::fcntl(pair[1], F_SETPIPE_SZ, 1 << 20);
    }
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    for (const auto& pair : ends_) {
      for (const int end : pair) ::close(end);
    }
  }

  class Sender {
   public:
    Sender(const Pipe& pipe, const Role& role, unsigned channel)
        : file_(pipe.ends_.at(channel)[1]),
          polls_(role.work().wait == Wait::busy),
          message_(role.work().size),
          gone_(message_.size()) {}
    template <typename Write>
    bool send(std::size_t, const Write& write) {
      if (gone_ == message_.size()) {
        write(message_.data());
        gone_ = 0;
      }
      while (gone_ < message_.size()) {
        const ssize_t n = ::write(file_, message_.data() + gone_, message_.size() - gone_);
        if (n < 0) {
          if (!polls_) wait_for(file_, POLLOUT);
          return false;
        }
        gone_ += static_cast<std::size_t>(n);
      }
      return true;
    }
    void flush() {}

   private:
    int file_;
    bool polls_;
    std::vector<std::byte> message_;
    std::size_t gone_;  // bytes of the message that were written
  };
  using Out = Copies<Sender>;

  class In {
   public:
    In(const Pipe& pipe, const Role& role, unsigned lane)
        : file_(pipe.ends_.at(channel_of(role, lane))[0]),
          polls_(role.work().wait == Wait::busy),
          size_(role.work().size),
          buffer_(std::max<std::size_t>(size_, 64 << 10) + size_) {}
    template <typename Read>
    unsigned receive(const Read& read) {
      const ssize_t n = ::read(file_, buffer_.data() + filled_, buffer_.size() - filled_);
      if (n < 0) {
        if (!polls_) wait_for(file_, POLLIN);
        return 0;
      }
      filled_ += static_cast<std::size_t>(n);
      const std::size_t count = filled_ / size_;
      for (std::size_t i = 0; i < count; ++i) read(buffer_.data() + i * size_, size_);
      filled_ -= count * size_;
      std::memmove(buffer_.data(), buffer_.data() + count * size_, filled_);
      return static_cast<unsigned>(count);
    }

   private:
    int file_;
    bool polls_;
    std::size_t size_;
    std::vector<std::byte> buffer_;
    std::size_t filled_ = 0;
  };

 private:
  std::vector<std::array<int, 2>> ends_;
};

const Registered<Pipe> registered;

}  // namespace
}  // namespace spillring::bench
