// Peers of a hostile client: `hostile SECONDS`. In rounds, clients with the rights of any other
// write anything wherever they may, at full speed, while others use the same queue, and another
// one, of the same supervisor. Nobody may crash or hang, the other queue's messages arrive exactly,
// and the supervisor answers within a second.
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <thread>

#include "spillring/embedded.hpp"
#include "spillring/spillring.hpp"
#include "temporary_directory.hpp"
#include "vandal.hpp"

namespace spillring::hostile {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto call_limit = 5s;      // calls of the peers have a timeout of a tenth of a second
constexpr auto answer_limit = 1s;    // of the supervisor
constexpr auto round_time = 2500ms;  // of a queue that is not poisoned
constexpr auto least_round_time = 250ms;
constexpr std::uint64_t least_mutations = 1'000'000;
constexpr std::size_t peers = 6;

std::int64_t now_ns() { return Clock::now().time_since_epoch().count(); }

/// What all processes share.
struct Board {
  std::atomic<bool> round_over;
  std::atomic<bool> over;
  std::atomic<std::uint64_t> mutations;
  struct Peer {
    std::atomic<std::uint64_t> calls;
    std::atomic<std::int64_t> longest;
    std::atomic<std::uint64_t> good;
    std::atomic<std::uint64_t> corrupt;
    std::atomic<int> unexpected;  // a code that nobody is to be told
  };
  std::array<Peer, peers> peer;
  std::atomic<std::uint64_t> sent;      // to the other queue
  std::atomic<std::uint64_t> received;  // from it, in order
  std::atomic<std::uint64_t> wrong;
};

Board& board() {
  static auto* const made = new (::mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE,
                                        MAP_SHARED | MAP_ANONYMOUS, -1, 0)) Board{};
  return *made;
}

/// A process of its own; it ends with this one.
class Process {
 public:
  explicit Process(const std::function<void()>& role) : pid_(::fork()) {
    if (pid_ != 0) return;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    try {
      role();
    } catch (const std::exception& error) {
      std::fprintf(stderr, "%s\n", error.what());
      ::_exit(1);
    }
    ::_exit(0);
  }
  Process(Process&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}
  Process& operator=(Process&&) = delete;
  ~Process() { kill(); }
  void kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(std::exchange(pid_, -1), nullptr, 0);
  }
  [[nodiscard]] bool is_running() { return pid_ > 0 && ::waitpid(pid_, nullptr, WNOHANG) == 0; }
  /// False: it did not end well, or not in time.
  bool ended_well(std::chrono::seconds patience) {
    const auto until = Clock::now() + patience;
    int status = 0;
    while (::waitpid(pid_, &status, WNOHANG) == 0) {
      if (Clock::now() > until) return false;
      std::this_thread::sleep_for(5ms);
    }
    pid_ = -1;
    if (WIFSIGNALED(status)) std::fprintf(stderr, "ended by signal %d\n", WTERMSIG(status));
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
  }

 private:
  pid_t pid_;
};

/// What somebody may be told whose queue is written to by a hostile client.
bool is_expected(Code code) {
  switch (code) {
    case Code::ok:
    case Code::full:
    case Code::empty:
    case Code::timeout:
    case Code::stale:
    case Code::corrupt:
    case Code::poisoned:
    case Code::deleted:
    case Code::closed:
    case Code::not_found:
      return true;
    default:
      return false;
  }
}

/// Makes calls until the round is over, each of which returns a code.
class Peer {
 public:
  explicit Peer(std::size_t number) : at_(board().peer[number]) {}

  template <typename Call>
  void call(Call make) {
    const std::int64_t began = now_ns();
    Code code = Code::ok;
    try {
      code = make();
    } catch (const Error& error) {
      code = error.code();
    }
    const std::int64_t took = now_ns() - began;
    if (took > at_.longest) at_.longest = took;
    ++at_.calls;
    if (code == Code::ok) ++at_.good;
    if (code == Code::corrupt) ++at_.corrupt;
    if (!is_expected(code)) at_.unexpected = static_cast<int>(code);
    if (code != Code::ok) std::this_thread::sleep_for(1ms);
  }
  /// Attaches, and calls as long as that goes well; again if it does not.
  template <typename Attach, typename Call>
  void work(Attach attach, Call make) {
    while (!board().round_over) {
      std::optional<decltype(attach())> handle;
      call([&] {
        handle.emplace(attach());
        return Code::ok;
      });
      for (int i = 0; i < 1000 && handle && !board().round_over; ++i) {
        call([&] { return make(*handle); });
      }
      call([&] {
        handle.reset();
        return Code::ok;
      });
    }
  }

 private:
  Board::Peer& at_;
};

Code take(Consumer& in, bool hands_back) {
  Result<Message> message = in.receive(100ms);
  if (!message) return message.error();
  unsigned sum = 0;
  for (const std::byte byte : message->bytes()) sum += std::to_integer<unsigned>(byte);
  for (const Header& header : message->headers()) sum += static_cast<unsigned>(header.name.size());
  if (hands_back && sum % 7 == 0) return message->nack().error();
  return message->ack().error();
}

void peer(std::size_t number, const std::string& socket) {
  const Client bus({.socket = socket});
  const Queue queue = bus.open("attacked");
  Peer me(number);
  const auto consume = [&](const char* group) {
    me.work([&] { return queue.consumer(group, {.prefetch = 8}); },
            [](Consumer& in) { return take(in, true); });
  };
  switch (number) {
    case 0:
    case 1:
      return me.work([&] { return queue.producer(); },
                     [size = 0U](Producer& out) mutable {
                       const std::vector<std::byte> bytes(size = (size * 5 + 7) % 3000);
                       return out.send(bytes, 100ms).error();
                     });
    case 2:
      return consume("attacked");
    case 3:
      return consume("neighbour");
    case 4:
      return me.work([&] { return queue.subscriber("stream", {.start = Start::earliest()}); },
                     [](Consumer& in) { return take(in, false); });
    default:
      return me.work([&] { return bus.open("attacked"); },
                     [](const Queue& looked_at) {
                       static_cast<void>(looked_at.peek(20));
                       static_cast<void>(looked_at.groups());
                       static_cast<void>(looked_at.info());
                       return Code::empty;  // now and then is enough
                     });
  }
}

void vandal(layout::Role role, unsigned seed, const std::string& socket) {
  constexpr std::uint64_t at_once = 1000;
  while (!board().round_over) {
    try {
      Vandal mine(socket, "attacked", role, seed++);
      for (int i = 0; i < 500 && !board().round_over; ++i) {
        mine.write(at_once);
        board().mutations += at_once;
      }
    } catch (const Error&) {
      std::this_thread::sleep_for(1ms);
    }
  }
}

void send_others(const std::string& socket) {
  const Client bus({.socket = socket});
  Producer out = bus.open("other").producer();
  while (!board().over) {
    const std::uint64_t number = board().sent + 1;
    const Result<std::uint64_t> sent = out.send(std::as_bytes(std::span(&number, 1)), 10s);
    if (!sent) throw Error(sent.error(), "the other queue took no message");
    board().sent = number;
    std::this_thread::sleep_for(50us);
  }
}

void receive_others(const std::string& socket) {
  const Client bus({.socket = socket});
  Consumer in = bus.open("other").consumer("g");
  while (!board().over || board().received != board().sent) {
    Result<Message> message = in.receive(1s);
    if (!message && message.error() == Code::timeout) continue;
    if (!message) throw Error(message.error(), "the other queue gave no message");
    std::uint64_t number = 0;
    std::memcpy(&number, message->bytes().data(), sizeof number);
    if (number != board().received + 1 || !message->ack()) ++board().wrong;
    board().received = number;
  }
}

/// One check, and what was found.
class Checks {
 public:
  void check(const std::string& what, bool holds, const std::string& found) {
    std::printf("%s %s: %s\n", holds ? "ok  " : "FAIL", what.c_str(), found.c_str());
    ++(holds ? passed_ : failed_);
  }
  int sum() const {
    std::printf("%d passed, %d failed\n", passed_, failed_);
    return failed_ == 0 ? 0 : 1;
  }

 private:
  int passed_ = 0;
  int failed_ = 0;
};

/// Everybody's doings, watched from outside.
class Siege {
 public:
  explicit Siege(std::string socket) : socket_(std::move(socket)) {}

  bool round(unsigned number) {
    const Client bus({.socket = socket_});
    remove_attacked(bus);
    constexpr std::array policies{Full::spill, Full::block, Full::drop_oldest};
    const QueueOptions options{.capacity = 256 * KiB,
                               .slots = 1024,
                               .full = policies[number % policies.size()],
                               .stall_timeout = 100ms};
    static_cast<void>(bus.create("attacked", options));
    board().round_over = false;
    std::vector<Process> processes;
    for (std::size_t i = 0; i < peers; ++i) {
      processes.emplace_back([this, i] { peer(i, socket_); });
    }
    // A consumer, a producer, and both.
    const std::size_t who = number / policies.size() % 3;
    if (who != 1) {
      processes.emplace_back(
          [&] { vandal(layout::Role::shared_consumer, number * 1000, socket_); });
    }
    if (who != 0) {
      processes.emplace_back([&] { vandal(layout::Role::producer, number * 1000 + 500, socket_); });
    }
    watch(bus);
    board().round_over = true;
    bool well = true;
    for (Process& process : processes) well = process.ended_well(20s) && well;
    return well;
  }

  [[nodiscard]] std::int64_t longest_answer() const { return longest_answer_; }

 private:
  static void remove_attacked(const Client& bus) {
    try {
      bus.remove("attacked");
    } catch (const Error& error) {
      if (error.code() != Code::not_found) throw;
    }
  }
  void watch(const Client& bus) {
    const auto until = Clock::now() + round_time;
    const auto least = Clock::now() + least_round_time;
    bool is_poisoned = false;
    while (Clock::now() < (is_poisoned ? least : until)) {
      const std::int64_t began = now_ns();
      is_poisoned = bus.open("attacked").info().state == QueueState::poisoned;
      longest_answer_ = std::max(longest_answer_, now_ns() - began);
      std::this_thread::sleep_for(20ms);
    }
  }

  std::string socket_;
  std::int64_t longest_answer_ = 0;
};

std::string milliseconds(std::int64_t ns) { return std::to_string(ns / 1'000'000) + " ms"; }

int run(unsigned seconds) {
  const TemporaryDirectory directory;
  const std::string socket = directory.path() / "socket";
  board();
  int ready[2] = {-1, -1};
  if (::pipe(ready) != 0) return 2;
  Process supervisor([&] {
    Embedded::Options options;
    options.socket = socket;
    options.state_dir = directory.path() / "state";
    options.segment_size = MiB;
    const Embedded embedded(options);
    if (::write(ready[1], "r", 1) == 1) {
      while (true) ::pause();
    }
  });
  char c = 0;
  if (::read(ready[0], &c, 1) != 1) return 2;
  static_cast<void>(Client({.socket = socket}).create("other"));
  Process sender([&] { send_others(socket); });
  Process receiver([&] { receive_others(socket); });
  Siege siege(socket);
  bool well = true;
  unsigned rounds = 0;
  const auto until = Clock::now() + std::chrono::seconds(seconds);
  while (Clock::now() < until && well && supervisor.is_running()) well = siege.round(rounds++);
  board().over = true;

  Checks checks;
  checks.check("the supervisor runs", supervisor.is_running(), std::to_string(rounds) + " rounds");
  checks.check("all clients ended well", well, "none by a signal, none hung");
  checks.check("the other queue's clients did", sender.ended_well(20s) && receiver.ended_well(20s),
               std::to_string(board().received) + " messages");
  checks.check("of its messages each came once, in order",
               board().wrong == 0 && board().sent == board().received && board().sent > 0,
               std::to_string(board().sent) + " sent");
  checks.check("the supervisor answers within a second",
               siege.longest_answer() < std::chrono::nanoseconds(answer_limit).count(),
               "at most " + milliseconds(siege.longest_answer()));
  std::uint64_t calls = 0;
  std::uint64_t good = 0;
  std::uint64_t corrupt = 0;
  std::int64_t longest = 0;
  int unexpected = 0;
  for (const Board::Peer& at : board().peer) {
    calls += at.calls;
    good += at.good;
    corrupt += at.corrupt;
    longest = std::max<std::int64_t>(longest, at.longest);
    if (at.unexpected != 0) unexpected = at.unexpected;
  }
  checks.check("every call returns in time",
               calls > 0 && longest < std::chrono::nanoseconds(call_limit).count(),
               std::to_string(calls) + " calls, the longest " + milliseconds(longest));
  checks.check("and says what it may", unexpected == 0,
               unexpected == 0 ? std::to_string(good) + " times ok, " + std::to_string(corrupt) +
                                     " times corrupt"
                               : std::string(name(static_cast<Code>(unexpected))));
  checks.check("a million words were written", board().mutations >= least_mutations,
               std::to_string(board().mutations));
  return checks.sum();
}

}  // namespace
}  // namespace spillring::hostile

int main(int count, char** arguments) try {
  const unsigned long seconds = count > 1 ? std::stoul(arguments[1]) : 20;
  return spillring::hostile::run(static_cast<unsigned>(seconds));
} catch (const std::exception& error) {
  std::fprintf(stderr, "hostile: %s\n", error.what());
  return 2;
}
