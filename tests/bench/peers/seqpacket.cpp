// A Unix socket of type SOCK_SEQPACKET, made before the processes.
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "channels.hpp"
#include "peer.hpp"

namespace spillring::bench {
namespace {

class Seqpacket {
 public:
  static constexpr const char* name = "seqpacket";
  static constexpr const char* settings =
      "socket pair, buffers of 8 MiB where permitted; MSG_DONTWAIT where it is busy";
  static std::string cannot(const Work& work) {
    if (work.shared) return "it has no acknowledgements";
    if (work.batch > 1) return "it has no batches";
    if (!work.touched) return "it copies";
    return {};
  }

  Seqpacket(const Work& work, const std::filesystem::path&) : ends_(channels(work)) {
    for (auto& pair : ends_) {
      if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair.data()) != 0)
        throw Unable("no socket pair");
      for (const int end : pair) widen(end);
    }
  }
  Seqpacket(const Seqpacket&) = delete;
  Seqpacket& operator=(const Seqpacket&) = delete;
  ~Seqpacket() {
    for (const auto& pair : ends_) {
      for (const int end : pair) ::close(end);
    }
  }

  class Sender {
   public:
    Sender(const Seqpacket& peer, const Role& role, unsigned channel)
        : socket_(peer.ends_.at(channel)[0]),
          flags_(role.work().wait == Wait::busy ? MSG_DONTWAIT : 0),
          message_(role.work().size) {}
    template <typename Write>
    bool send(std::size_t, const Write& write) {
      if (!written_) write(message_.data());
      written_ = ::send(socket_, message_.data(), message_.size(), flags_ | MSG_NOSIGNAL) < 0;
      if (written_ && errno == EMSGSIZE) throw Unable("net.core.wmem_max bounds its messages");
      return !written_;
    }
    void flush() {}

   private:
    int socket_;
    int flags_;
    std::vector<std::byte> message_;
    bool written_ = false;  // and not sent yet
  };
  using Out = Copies<Sender>;

  class In {
   public:
    In(const Seqpacket& peer, const Role& role, unsigned lane)
        : socket_(peer.ends_.at(channel_of(role, lane))[1]),
          flags_(role.work().wait == Wait::busy ? MSG_DONTWAIT : 0),
          message_(role.work().size) {}
    template <typename Read>
    unsigned receive(const Read& read) {
      const ssize_t size = ::recv(socket_, message_.data(), message_.size(), flags_);
      if (size < 0) return 0;
      read(message_.data(), static_cast<std::size_t>(size));
      return 1;
    }

   private:
    int socket_;
    int flags_;
    std::vector<std::byte> message_;
  };

 private:
  static void widen(int end) {
    const int bytes = 8 << 20;
    const timeval patience{0, 20'000};  // then the harness is asked whether there is more to come
    for (const int option : {SO_SNDBUF, SO_SNDBUFFORCE, SO_RCVBUF, SO_RCVBUFFORCE}) {
      ::setsockopt(end, SOL_SOCKET, option, &bytes, sizeof bytes);
    }
    for (const int option : {SO_SNDTIMEO, SO_RCVTIMEO}) {
      ::setsockopt(end, SOL_SOCKET, option, &patience, sizeof patience);
    }
  }
  std::vector<std::array<int, 2>> ends_;
};

const Registered<Seqpacket> registered;

}  // namespace
}  // namespace spillring::bench
