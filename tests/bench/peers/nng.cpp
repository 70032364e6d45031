// nng over ipc: PUSH and PULL.
#include <nng/nng.h>
#include <nng/protocol/pipeline0/pull.h>
#include <nng/protocol/pipeline0/push.h>
#include <sched.h>

#include "channels.hpp"
#include "peer.hpp"

namespace spillring::bench {
namespace {

void check(int result) {
  if (result != 0) throw std::runtime_error(::nng_strerror(result));
}

class Nng {
 public:
  static constexpr const char* name = "nng";
  static constexpr const char* settings =
      "ipc, PUSH/PULL; buffers of 1024 messages (64 from 64 KiB on); where it is busy "
      "NNG_FLAG_NONBLOCK and sched_yield";
  static constexpr bool sleeps = true;
  static std::string cannot(const Work& work) {
    if (work.shared) return "it has no acknowledgements";
    if (work.consumers > 1) return "its publishing drops what a subscriber is too slow for";
    if (work.batch > 1) return "it has no batches";
    if (!work.touched) return "it copies";
    return {};
  }

  Nng(const Work&, const std::filesystem::path& directory) : directory_(directory) {}

  class Out {
   public:
    Out(const Nng& peer, const Role& role, unsigned lane) {
      check(::nng_push0_open(&socket_));
      check(
          ::nng_socket_set_int(socket_, NNG_OPT_SENDBUF, role.work().size < 64 << 10 ? 1024 : 64));
      check(::nng_socket_set_ms(socket_, NNG_OPT_SENDTIMEO, 20));
      check(::nng_dial(socket_, peer.address(lane).c_str(), nullptr, NNG_FLAG_NONBLOCK));
    }
    Out(const Out&) = delete;
    Out& operator=(const Out&) = delete;
    ~Out() { ::nng_close(socket_); }
    template <typename Write>
    bool send(std::size_t size, const Write& write) {
      nng_msg* message = nullptr;
      check(::nng_msg_alloc(&message, size));
      write(static_cast<std::byte*>(::nng_msg_body(message)));
      if (::nng_sendmsg(socket_, message, 0) == 0) return true;
      ::nng_msg_free(message);
      return false;
    }
    void flush() {}

   private:
    nng_socket socket_ = NNG_SOCKET_INITIALIZER;
  };

  class In {
   public:
    In(const Nng& peer, const Role& role, unsigned lane) : polls_(role.work().polled()) {
      check(::nng_pull0_open(&socket_));
      check(
          ::nng_socket_set_int(socket_, NNG_OPT_RECVBUF, role.work().size < 64 << 10 ? 1024 : 64));
      // Then the harness is asked whether there is more to come.
      check(::nng_socket_set_ms(socket_, NNG_OPT_RECVTIMEO, 20));
      check(::nng_listen(socket_, peer.address(lane).c_str(), nullptr, 0));
    }
    In(const In&) = delete;
    In& operator=(const In&) = delete;
    ~In() { ::nng_close(socket_); }
    template <typename Read>
    unsigned receive(const Read& read) {
      nng_msg* message = nullptr;
      if (::nng_recvmsg(socket_, &message, polls_ ? NNG_FLAG_NONBLOCK : 0) != 0) {
        if (polls_) ::sched_yield();  // its own threads have work to do
        return 0;
      }
      read(static_cast<const std::byte*>(::nng_msg_body(message)), ::nng_msg_len(message));
      ::nng_msg_free(message);
      return 1;
    }

   private:
    nng_socket socket_ = NNG_SOCKET_INITIALIZER;
    bool polls_;
  };

 private:
  [[nodiscard]] std::string address(unsigned lane) const {
    return "ipc://" + (directory_ / ("lane" + std::to_string(lane))).string();
  }
  std::filesystem::path directory_;
};

const Registered<Nng> registered;

}  // namespace
}  // namespace spillring::bench
