// Ourselves, by the public interface, with a supervisor of its own.
#include "spillring/spillring.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <map>
#include <optional>
#include <span>

#include "peer.hpp"
#include "service.hpp"

namespace spillring::bench {
namespace {

using namespace std::chrono_literals;
constexpr auto patience = 20ms;     // then the harness is asked whether there is more to come
constexpr auto room_patience = 1s;  // readers go on until all is read

std::string supervisor_beside_this_program() {
  return std::filesystem::read_symlink("/proc/self/exe").parent_path() / "../../bin/spillringd";
}

std::string idle_name(unsigned number) { return "idle" + std::to_string(number); }

/// A process that has a consumer on each of the idle queues, and sleeps until one gets something.
class Sleepers {
 public:
  Sleepers(const std::string& socket, unsigned queues) {
    std::array<int, 2> asleep{};
    if (::pipe2(asleep.data(), O_CLOEXEC) != 0) throw Unable("no pipe");
    process_ = ::fork();
    if (process_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      ::close(asleep[0]);
      try {
        sleep(socket, queues, asleep[1]);
      } catch (const std::exception&) {
        ::_exit(1);
      }
    }
    ::close(asleep[1]);
    char byte = 0;
    const bool are_asleep = ::read(asleep[0], &byte, 1) == 1;
    ::close(asleep[0]);
    if (!are_asleep) throw std::runtime_error("the idle queues' consumers did not attach");
  }
  Sleepers(const Sleepers&) = delete;
  Sleepers& operator=(const Sleepers&) = delete;
  ~Sleepers() {
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
  }

 private:
  [[noreturn]] static void sleep(const std::string& socket, unsigned queues, int asleep) {
    const Client client({.socket = socket});
    std::map<WaitSet::Id, Consumer> consumers;
    WaitSet waits;
    for (unsigned i = 0; i < queues; ++i) {
      Consumer consumer = client.open(idle_name(i)).consumer("sleeper");
      const auto id = waits.add(consumer);
      consumers.emplace(id, std::move(consumer));
    }
    // Each is ready until it has looked once, and found nothing.
    while (const auto ready = waits.wait(100ms)) {
      for (const auto id : *ready) static_cast<void>(consumers.at(id).try_receive());
    }
    if (::write(asleep, "", 1) != 1) ::_exit(1);
    for (;;) static_cast<void>(waits.wait());
  }
  pid_t process_ = -1;
};

class Spillring {
 public:
  static constexpr const char* name = "spillring";
  static constexpr const char* settings =
      "queues as they are by default (16 MiB, 65,536 slots), "
      "full = block; streams by a stream group";
  static constexpr bool rival = false;
  static std::string cannot(const Work&) { return {}; }

  Spillring(const Work& work, const std::filesystem::path& directory)
      : socket_(directory / "socket"),
        supervisor_({supervisor_beside_this_program(), "--socket", socket_}, directory) {
    const Client client = first_client();
    const unsigned lanes = work.kind == Kind::round_trip ? 2 : 1;
    for (unsigned lane = 0; lane < lanes; ++lane)
      make_queue(client, queue_name(lane), options_for(work));
    for (unsigned i = 0; i < work.idle_queues; ++i) {
      make_queue(client, idle_name(i), options_for({}));
    }
    if (work.idle_queues != 0) sleepers_.emplace(socket_, work.idle_queues);
  }

  class Out {
   public:
    Out(const Spillring& peer, const Role& role, unsigned lane)
        : producer_(peer.open(lane).producer()),
          most_(role.work().batch),
          gathered_(most_ * role.work().size) {
      for (unsigned i = 0; i < most_; ++i) {
        views_.emplace_back(std::span(gathered_).subspan(i * role.work().size, role.work().size));
      }
    }
    template <typename Write>
    bool send(std::size_t size, const Write& write) {
      return most_ == 1 ? one(size, write) : together(size, write);
    }
    void flush() {
      while (!send_gathered()) {
      }
    }

   private:
    template <typename Write>
    bool one(std::size_t size, const Write& write) {
      auto loan = producer_.loan(size, room_patience);
      if (!loan) {
        if (loan.error() != Code::timeout) throw Error(loan.error());
        return false;
      }
      write(loan->bytes().data());
      loan->publish().value();
      return true;
    }
    template <typename Write>
    bool together(std::size_t size, const Write& write) {
      if (end_ == most_ && !send_gathered()) return false;
      write(gathered_.data() + end_ * size);
      if (++end_ == most_) send_gathered();  // what has no room goes before the next is taken
      return true;
    }
    /// False: not all of it.
    bool send_gathered() {
      const std::span<const std::span<const std::byte>> all(views_);
      const auto sent = producer_.send_batch(all.subspan(begin_, end_ - begin_), room_patience);
      if (!sent && sent.error() != Code::timeout) throw Error(sent.error());
      begin_ += sent ? sent->count : 0;
      if (begin_ != end_) return false;
      begin_ = end_ = 0;
      return true;
    }

    Producer producer_;
    unsigned most_;
    std::vector<std::byte> gathered_;
    std::vector<std::span<const std::byte>> views_;
    std::size_t begin_ = 0;  // of what is gathered and not sent
    std::size_t end_ = 0;
  };

  class In {
   public:
    In(const Spillring& peer, const Role& role, unsigned lane)
        : timeout_(role.work().polled() ? no_wait : Timeout(patience)),
          batch_(role.work().batch),
          consumer_(peer.consumer(role, lane)) {
      for (unsigned i = 0; i < role.work().idle_groups; ++i) {
        idle_.push_back(peer.open(lane).subscriber(idle_name(i)));
      }
    }
    template <typename Read>
    unsigned receive(Read read) {
      return batch_ == 1 ? one(read) : many(read);
    }
    /// What groups have not read is in the sender's way at last: those that read nothing jump to
    /// the end. As long a pause without any: a process that has slept is not interrupted so soon.
    void pause() {
      const auto end = std::chrono::steady_clock::now() + 10ms;
      for (Consumer& group : idle_) group.seek(Start::latest());
      std::this_thread::sleep_until(end);
    }

   private:
    template <typename Read>
    unsigned one(Read& read) {
      auto message = consumer_.receive(timeout_);
      if (!message) return nothing(message.error());
      read(message->bytes().data(), message->bytes().size());
      message->ack().value();
      return 1;
    }
    template <typename Read>
    unsigned many(Read& read) {
      auto messages = consumer_.receive_batch(batch_, timeout_);
      if (!messages) return nothing(messages.error());
      for (Message& message : *messages) {
        read(message.bytes().data(), message.bytes().size());
        message.ack().value();
      }
      return static_cast<unsigned>(messages->size());
    }
    static unsigned nothing(Code code) {
      if (code != Code::timeout && code != Code::empty) throw Error(code);
      return 0;
    }

    Timeout timeout_;
    unsigned batch_;
    Consumer consumer_;
    std::vector<Consumer> idle_;
  };

 private:
  /// As soon as the supervisor listens.
  [[nodiscard]] Client first_client() {
    supervisor_.await(socket_);
    for (int tries = 0;; ++tries) {
      try {
        return Client({.socket = socket_});
      } catch (const Error&) {
        if (tries == 1000) throw;
        std::this_thread::sleep_for(1ms);
      }
    }
  }
  static QueueOptions options_for(const Work& work) {
    QueueOptions options{.full = Full::block, .exclusive_producer = work.exclusive};
    if (work.capacity != 0) {
      options.capacity = work.capacity;
      options.slots = std::max<std::size_t>(work.capacity / work.size, 64);
      options.prealloc = true;
    }
    return options;
  }
  static void make_queue(const Client& client, const std::string& called,
                         const QueueOptions& options) {
    static_cast<void>(client.create(called, options));
  }
  static std::string queue_name(unsigned lane) { return "lane" + std::to_string(lane); }
  [[nodiscard]] Queue open(unsigned lane) const {
    return Client({.socket = socket_}).open(queue_name(lane));
  }
  [[nodiscard]] Consumer consumer(const Role& role, unsigned lane) const {
    if (role.work().shared) return open(lane).consumer("workers");
    return open(lane).subscriber("reader" + std::to_string(role.index()),
                                 {.start = Start::earliest()});
  }

  std::string socket_;
  Service supervisor_;
  std::optional<Sleepers> sleepers_;
};

const Registered<Spillring> registered;

}  // namespace
}  // namespace spillring::bench
