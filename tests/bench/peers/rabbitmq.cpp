// RabbitMQ over loopback, its broker started once and stopped by a signal while others are
// measured.
#include <amqp.h>
#include <amqp_tcp_socket.h>
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <optional>
#include <thread>

#include "channels.hpp"
#include "directory.hpp"
#include "peer.hpp"
#include "service.hpp"

namespace spillring::bench {
namespace {

/// One that nobody listens at.
int free_port() {
  const int probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof at;
  if (::bind(probe, reinterpret_cast<sockaddr*>(&at), length) != 0) throw Unable("no free port");
  ::getsockname(probe, reinterpret_cast<sockaddr*>(&at), &length);
  ::close(probe);
  return ::ntohs(at.sin_port);
}

/// Installed, or unpacked to where SPILLRING_BENCH_SERVERS says.
std::string program() {
  std::vector<std::filesystem::path> roots{"/"};
  if (const char* unpacked = std::getenv("SPILLRING_BENCH_SERVERS")) {
    roots.insert(roots.begin(), std::filesystem::path(unpacked) / "rabbitmq-server");
  }
  for (const auto& root : roots) {
    const auto versions = root / "usr/lib/rabbitmq/lib";
    if (!std::filesystem::exists(versions)) continue;
    for (const auto& version : std::filesystem::directory_iterator(versions)) {
      const auto script = version.path() / "sbin/rabbitmq-server";
      if (std::filesystem::exists(script)) return script;
    }
  }
  throw Unable("there is no rabbitmq-server");
}

bool listens(int port) {
  const int probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = ::htons(static_cast<std::uint16_t>(port));
  at.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
  const bool connected = ::connect(probe, reinterpret_cast<sockaddr*>(&at), sizeof at) == 0;
  ::close(probe);
  return connected;
}

class Broker {
 public:
  Broker()
      : names_({"epmd", "-address", "127.0.0.1", "-port", std::to_string(names_port_)},
               directory_.path(), {}, SIGKILL),
        broker_({program()}, directory_.path(), environment(), SIGKILL) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!listens(port_)) {
      if (std::chrono::steady_clock::now() > end) throw Unable("the broker does not start");
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
  }
  [[nodiscard]] int port() const { return port_; }
  void rest() const { broker_.signal(SIGSTOP); }
  void go_on() const { broker_.signal(SIGCONT); }

 private:
  [[nodiscard]] std::vector<std::string> environment() const {
    const std::string at = directory_.path();
    std::ofstream(at + "/rabbitmq.conf")
        << "listeners.tcp.default = 127.0.0.1:" << port_ << "\nlog.console = true\n"
        << "log.console.level = warning\n";
    return {"HOME=" + at,
            "NOTIFY_SOCKET=" + at + "/nobody",  // so that the script becomes the broker
            "RABBITMQ_NODENAME=bench@localhost",
            "RABBITMQ_CONFIG_FILE=" + at + "/rabbitmq",
            "RABBITMQ_CONF_ENV_FILE=/dev/null",
            "RABBITMQ_MNESIA_BASE=" + at,
            "RABBITMQ_LOG_BASE=" + at,
            "RABBITMQ_LOGS=-",
            "RABBITMQ_ENABLED_PLUGINS_FILE=" + at + "/plugins",
            "RABBITMQ_PID_FILE=" + at + "/pid",
            "RABBITMQ_DIST_PORT=" + std::to_string(free_port()),
            "ERL_EPMD_ADDRESS=127.0.0.1",
            "ERL_EPMD_PORT=" + std::to_string(names_port_),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=-kernel inet_dist_use_interface {127,0,0,1}"};
  }
  Directory directory_;
  int port_ = free_port();
  int names_port_ = free_port();
  Service names_, broker_;
};

Broker& broker() {
  static Broker only;
  return only;
}

class Connection {
 public:
  explicit Connection(int port) : state_(::amqp_new_connection()) {
    amqp_socket_t* socket = ::amqp_tcp_socket_new(state_);
    if (socket == nullptr || ::amqp_socket_open(socket, "127.0.0.1", port) != 0) {
      throw std::runtime_error("no connection to the broker");
    }
    check(::amqp_login(state_, "/", 0, 131072, 0, AMQP_SASL_METHOD_PLAIN, "guest", "guest"));
    ::amqp_channel_open(state_, channel);
    check();
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() { ::amqp_destroy_connection(state_); }

  [[nodiscard]] amqp_connection_state_t get() const { return state_; }
  void check() const { check(::amqp_get_rpc_reply(state_)); }
  static void check(const amqp_rpc_reply_t& reply) {
    if (reply.reply_type != AMQP_RESPONSE_NORMAL) throw std::runtime_error("the broker refused");
  }
  static constexpr amqp_channel_t channel = 1;

 private:
  amqp_connection_state_t state_;
};

class RabbitMq {
 public:
  static constexpr const char* name = "rabbitmq";
  static constexpr const char* settings =
      "TCP over loopback, transient, no confirms; a consumer that need not acknowledge, in groups "
      "one "
      "acknowledgement a message and a prefetch of 256; windows of 1 s";
  static constexpr bool sleeps = true;
  static constexpr std::chrono::milliseconds window{1000};
  static std::string cannot(const Work& work) {
    if (work.batch > 1) return "it has no batches";
    if (!work.touched) return "it copies";
    if (work.exclusive) return "it has none";
    if (work.kind == Kind::load) return "left out: its windows are long";
    return {};
  }

  /// An exchange for each lane, and behind it a queue for each consumer, or for all that share one.
  RabbitMq(const Work& work, const std::filesystem::path& directory)
      : prefix_(directory.filename()), work_(work) {
    broker().go_on();
    const Connection connection(broker().port());
    each_queue([&](const std::string& exchange, const std::string& queue) {
      ::amqp_exchange_declare(connection.get(), Connection::channel, text(exchange), text("fanout"),
                              0, 0, 0, 0, amqp_empty_table);
      ::amqp_queue_declare(connection.get(), Connection::channel, text(queue), 0, 0, 0, 0,
                           amqp_empty_table);
      ::amqp_queue_bind(connection.get(), Connection::channel, text(queue), text(exchange),
                        amqp_empty_bytes, amqp_empty_table);
      connection.check();
    });
  }
  RabbitMq(const RabbitMq&) = delete;
  RabbitMq& operator=(const RabbitMq&) = delete;
  ~RabbitMq() {
    try {
      const Connection connection(broker().port());
      each_queue([&](const std::string& exchange, const std::string& queue) {
        ::amqp_queue_delete(connection.get(), Connection::channel, text(queue), 0, 0);
        ::amqp_exchange_delete(connection.get(), Connection::channel, text(exchange), 0);
      });
    } catch (const std::exception&) {
      // They are gone with the broker.
    }
    broker().rest();
  }

  class Out {
   public:
    Out(const RabbitMq& peer, const Role& role, unsigned lane)
        : connection_(broker().port()), exchange_(peer.exchange(lane)), message_(role.work().size) {
      properties_._flags = AMQP_BASIC_DELIVERY_MODE_FLAG;
      properties_.delivery_mode = 1;
    }
    template <typename Write>
    bool send(std::size_t size, const Write& write) {
      write(message_.data());
      if (::amqp_basic_publish(connection_.get(), Connection::channel, text(exchange_),
                               amqp_empty_bytes, 0, 0, &properties_,
                               {size, message_.data()}) != AMQP_STATUS_OK) {
        throw std::runtime_error("the broker took no message");
      }
      return true;
    }
    void flush() {}

   private:
    Connection connection_;
    std::string exchange_;
    std::vector<std::byte> message_;
    amqp_basic_properties_t properties_{};
  };

  class In {
   public:
    In(const RabbitMq& peer, const Role& role, unsigned lane)
        : connection_(broker().port()), acknowledges_(role.work().shared) {
      const bool one = role.work().shared || role.work().kind == Kind::round_trip;
      const std::string queue = peer.queue(lane, one ? 0 : role.index());
      if (acknowledges_) ::amqp_basic_qos(connection_.get(), Connection::channel, 0, 256, 0);
      ::amqp_basic_consume(connection_.get(), Connection::channel, text(queue), amqp_empty_bytes, 0,
                           acknowledges_ ? 0 : 1, 0, amqp_empty_table);
      connection_.check();
    }
    template <typename Read>
    unsigned receive(const Read& read) {
      amqp_envelope_t envelope;
      timeval patience{0, 20'000};  // then the harness is asked whether there is more to come
      ::amqp_maybe_release_buffers(connection_.get());
      const auto reply = ::amqp_consume_message(connection_.get(), &envelope, &patience, 0);
      if (reply.reply_type != AMQP_RESPONSE_NORMAL) return 0;
      read(static_cast<const std::byte*>(envelope.message.body.bytes), envelope.message.body.len);
      if (acknowledges_) {
        ::amqp_basic_ack(connection_.get(), Connection::channel, envelope.delivery_tag, 0);
      }
      ::amqp_destroy_envelope(&envelope);
      return 1;
    }

   private:
    Connection connection_;
    bool acknowledges_;
  };

 private:
  static amqp_bytes_t text(const std::string& words) { return ::amqp_cstring_bytes(words.c_str()); }
  [[nodiscard]] std::string exchange(unsigned lane) const {
    return prefix_ + "-" + std::to_string(lane);
  }
  [[nodiscard]] std::string queue(unsigned lane, unsigned consumer) const {
    return exchange(lane) + "-" + std::to_string(consumer);
  }
  template <typename Action>
  void each_queue(const Action& action) const {
    const bool answers = work_.kind == Kind::round_trip;
    const unsigned queues = work_.shared || answers ? 1 : work_.consumers;
    for (unsigned lane = 0; lane < (answers ? 2U : 1U); ++lane) {
      for (unsigned i = 0; i < queues; ++i) action(exchange(lane), queue(lane, i));
    }
  }
  std::string prefix_;
  Work work_;
};

const Registered<RabbitMq> registered;

}  // namespace
}  // namespace spillring::bench
