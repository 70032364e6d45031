// ZeroMQ over ipc: PUSH and PULL, or XPUB and SUB where each consumer gets all.
#include <sched.h>
#include <zmq.h>

#include "channels.hpp"
#include "peer.hpp"

namespace spillring::bench {
namespace {

class Socket {
 public:
  Socket(int type, const Work& work)
      : context_(::zmq_ctx_new()), socket_(::zmq_socket(context_, type)) {
    set(ZMQ_SNDHWM, work.size >= 1 << 20 ? 16 : 1000);
    set(ZMQ_RCVHWM, work.size >= 1 << 20 ? 16 : 1000);
    set(ZMQ_RCVTIMEO, 20);  // then the harness is asked whether there is more to come
    set(ZMQ_SNDTIMEO, 20);
    set(ZMQ_LINGER, 0);
  }
  Socket(Socket&& other) noexcept
      : context_(std::exchange(other.context_, nullptr)),
        socket_(std::exchange(other.socket_, nullptr)) {}
  Socket& operator=(Socket&&) = delete;
  ~Socket() {
    if (socket_ == nullptr) return;
    ::zmq_close(socket_);
    ::zmq_ctx_term(context_);
  }
  void set(int option, int value) { ::zmq_setsockopt(socket_, option, &value, sizeof value); }
  void bind(const std::string& at) {
    if (::zmq_bind(socket_, at.c_str()) != 0) throw std::runtime_error(::zmq_strerror(errno));
  }
  void connect(const std::string& to) {
    if (::zmq_connect(socket_, to.c_str()) != 0) throw std::runtime_error(::zmq_strerror(errno));
  }
  [[nodiscard]] void* get() const { return socket_; }

 private:
  void* context_;
  void* socket_;
};

class ZeroMq {
 public:
  static constexpr const char* name = "zeromq";
  static constexpr const char* settings =
      "ipc, PUSH/PULL, fan-out by XPUB_NODROP; high-water mark 1000 (16 of 1 MiB); blocking calls, "
      "where it is busy ZMQ_DONTWAIT and sched_yield";
  static constexpr bool sleeps = true;
  static std::string cannot(const Work& work) {
    if (work.shared) return "it has no acknowledgements";
    if (work.batch > 1) return "it batches by itself";
    if (!work.touched) return "it copies";
    return {};
  }

  ZeroMq(const Work& work, const std::filesystem::path& directory)
      : fans_out_(work.kind == Kind::stream && work.consumers > 1), directory_(directory) {}

  class Out {
   public:
    Out(const ZeroMq& peer, const Role& role, unsigned lane)
        : socket_(peer.fans_out_ ? ZMQ_XPUB : ZMQ_PUSH, role.work()) {
      if (peer.fans_out_) {
        socket_.set(ZMQ_XPUB_NODROP, 1);
        socket_.set(ZMQ_XPUB_VERBOSE, 1);  // every subscription is told of
        socket_.bind(peer.address(lane));
        await_subscribers(role.work().consumers);
      } else {
        socket_.connect(peer.address(lane));
      }
    }
    template <typename Write>
    bool send(std::size_t size, const Write& write) {
      zmq_msg_t message;
      ::zmq_msg_init_size(&message, size);
      write(static_cast<std::byte*>(::zmq_msg_data(&message)));
      if (::zmq_msg_send(&message, socket_.get(), 0) >= 0) return true;
      ::zmq_msg_close(&message);
      return false;
    }
    void flush() {}

   private:
    void await_subscribers(unsigned count) {
      while (count > 0) {
        std::byte subscription{};
        if (::zmq_recv(socket_.get(), &subscription, 1, 0) > 0) --count;
      }
    }
    Socket socket_;
  };

  class In {
   public:
    In(const ZeroMq& peer, const Role& role, unsigned lane)
        : socket_(peer.fans_out_ ? ZMQ_SUB : ZMQ_PULL, role.work()), polls_(role.work().polled()) {
      if (peer.fans_out_) {
        ::zmq_setsockopt(socket_.get(), ZMQ_SUBSCRIBE, "", 0);
        socket_.connect(peer.address(lane));
      } else {
        socket_.bind(peer.address(lane));
      }
    }
    template <typename Read>
    unsigned receive(const Read& read) {
      zmq_msg_t message;
      ::zmq_msg_init(&message);
      const bool got = ::zmq_msg_recv(&message, socket_.get(), polls_ ? ZMQ_DONTWAIT : 0) >= 0;
      if (got) {
        read(static_cast<const std::byte*>(::zmq_msg_data(&message)), ::zmq_msg_size(&message));
      } else if (polls_) {
        ::sched_yield();  // its own threads have work to do
      }
      ::zmq_msg_close(&message);
      return got ? 1 : 0;
    }

   private:
    Socket socket_;
    bool polls_;
  };

 private:
  [[nodiscard]] std::string address(unsigned lane) const {
    return "ipc://" + (directory_ / ("lane" + std::to_string(lane))).string();
  }
  bool fans_out_;
  std::filesystem::path directory_;
};

const Registered<ZeroMq> registered;

}  // namespace
}  // namespace spillring::bench
