// The clients of a supervisor that is killed: `rounds play|victim|sender|drain SOCKET [QUEUE]`.
//
// `play` outlives it and obeys: `round` begins one, `visit` attaches to a queue meanwhile, `report`
// waits for the round's end and says what became of its messages. In a round each of three queues
// (one that spills, a durable one, one with history) gets more than its ring holds; then a stream
// reads all of it, then a shared group. `victim` dies with messages of that group in its hands.
// `sender` waits for the disk and says what is confirmed, until it is killed; `drain` says what is
// there.
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <spillring/spillring.hpp>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "payload.hpp"

namespace {

using namespace std::chrono_literals;
using spillring::Code;
using spillring::KiB;
using spillring::QueueOptions;

constexpr auto patience = 5s;  // nothing may take so long
constexpr std::uint32_t producers = 2;

/// Some lie in their descriptor, a few are as large as a batch.
std::size_t size_of(std::uint64_t counter) {
  const std::uint64_t lot = payload::mix(counter);
  if (lot % 4 == 0) return sizeof(payload::Head);
  return sizeof(payload::Head) + lot % (lot % 32 == 1 ? 12 * KiB : 2 * KiB);
}

spillring::Result<std::uint64_t> send(spillring::Producer& out, std::uint32_t producer,
                                      std::uint64_t counter) {
  std::vector<std::byte> bytes(size_of(counter));
  payload::fill(bytes, producer, counter);
  return out.send(bytes, patience);
}

struct Findings {
  std::uint64_t sent = 0, received = 0, acked = 0;
  std::uint64_t lost = 0, twice = 0, damaged = 0, disordered = 0, refused = 0;

  void add(const Findings& other) {
    sent += other.sent;
    received += other.received;
    acked += other.acked;
    lost += other.lost;
    twice += other.twice;
    damaged += other.damaged;
    disordered += other.disordered;
    refused += other.refused;
  }
};

/// Which messages of a round came, from which producer. Counters run on from round to round.
class Book {
 public:
  explicit Book(std::uint64_t first, std::uint64_t each) : first_(first) {
    for (auto& one : times_) one.resize(each);
  }

  /// Notes one; nullptr: it is none that was sent in this round.
  unsigned* entry(const payload::Head& head) {
    if (head.producer >= producers || head.counter < first_) return nullptr;
    auto& of_producer = times_[head.producer];
    const std::uint64_t index = head.counter - first_;
    return index < of_producer.size() ? &of_producer[index] : nullptr;
  }

  void judge(Findings& found) const {
    for (const auto& of_producer : times_) {
      for (const unsigned times : of_producer) {
        found.lost += times == 0 ? 1 : 0;
        found.twice += times > 1 ? times - 1 : 0;
      }
    }
  }

 private:
  std::uint64_t first_;
  std::array<std::vector<unsigned>, producers> times_;
};

/// One queue: two producers, a stream and a member of a shared group, and what they have found.
class Lane {
 public:
  Lane(const spillring::Client& bus, const std::string& name, const QueueOptions& options,
       std::uint64_t each)
      : queue_(bus.open_or_create(name, options)),
        durable_(options.durability == spillring::Durability::disk),
        each_(each),
        stream_(queue_.subscriber("stream", {.start = spillring::Start::earliest()})),
        shared_(queue_.consumer("shared", {.prefetch = 8})) {
    for (std::uint32_t i = 0; i < producers; ++i) out_.push_back(queue_.producer());
  }

  /// `victim`: what takes messages after they were sent, and dies.
  template <typename Victim>
  Findings round(Victim victim) {
    Findings found;
    if (!publish(found)) return found;
    victim();
    read(found);
    acknowledge(found);
    next_ += each_;
    return found;
  }

 private:
  bool publish(Findings& found) {
    for (std::uint64_t i = 0; i < each_; ++i) {
      for (std::uint32_t producer = 0; producer < producers; ++producer) {
        if (const auto sent = send(out_[producer], producer, next_ + i); !sent) {
          ++found.refused;
          complain("a producer", sent.error());
          return false;
        }
        ++found.sent;
      }
      const bool waits = durable_ && i % 16 == 15;
      if (waits && !out_[i / 16 % producers].flush(patience)) ++found.refused;
    }
    return true;
  }

  void read(Findings& found) {
    Book book(next_, each_);
    std::array<std::uint64_t, producers> last{};
    for (std::uint64_t count = 0; count < each_ * producers; ++count) {
      auto message = stream_.receive(patience);
      if (!message) {
        complain("the stream", message.error());
        break;
      }
      const auto head = payload::read(message->bytes());
      unsigned* const entry = head ? book.entry(*head) : nullptr;
      if (entry == nullptr) {
        ++found.damaged;
        continue;
      }
      ++*entry;
      if (head->counter <= last[head->producer]) ++found.disordered;
      last[head->producer] = head->counter;
      ++found.received;
    }
    book.judge(found);
    if (stream_.receive(spillring::no_wait)) ++found.twice;
  }

  void acknowledge(Findings& found) {
    Book book(next_, each_);
    for (std::uint64_t count = 0; count < each_ * producers; ++count) {
      auto message = shared_.receive(patience);
      if (!message) {
        complain("the shared group", message.error());
        break;
      }
      const auto head = payload::read(message->bytes());
      unsigned* const entry = head ? book.entry(*head) : nullptr;
      if (entry == nullptr) {
        ++found.damaged;
      } else if (message->ack()) {
        ++*entry;
        ++found.acked;
      } else {
        ++found.refused;
      }
    }
    book.judge(found);
    if (shared_.receive(spillring::no_wait)) ++found.twice;
  }

  void complain(const char* who, Code code) const {
    std::fprintf(stderr, "rounds: %s of queue '%s' does not get on: %s\n", who,
                 queue_.name().c_str(), std::string(spillring::name(code)).c_str());
  }

  spillring::Queue queue_;
  bool durable_;
  std::uint64_t each_;
  spillring::Consumer stream_;
  spillring::Consumer shared_;
  std::vector<spillring::Producer> out_;
  std::uint64_t next_ = 1;
};

/// Runs this program as a victim, until it has died.
void sacrifice(const char* socket) {
  std::string program = "/proc/self/exe";
  std::string role = "victim";
  std::string at = socket;
  const std::array<char*, 4> arguments{program.data(), role.data(), at.data(), nullptr};
  pid_t pid = 0;
  if (::posix_spawn(&pid, program.c_str(), nullptr, nullptr, arguments.data(), environ) != 0)
    return;
  int status = 0;
  ::waitpid(pid, &status, 0);
}

void victim(const spillring::Client& bus) {
  auto in = bus.open("spill").consumer("shared", {.prefetch = 4});
  const auto held = in.receive_batch(3, 5s);
  ::kill(::getpid(), SIGKILL);
}

double seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

void visit(const char* socket) {
  const spillring::Client bus({.socket = socket});
  auto out = bus.open("spill").producer();
  std::printf("{\"at\": %.6f}\n", seconds());
}

void report(const Findings& found) {
  const auto number = [](std::uint64_t value) { return static_cast<unsigned long long>(value); };
  std::printf("{\"sent\": %llu, \"received\": %llu, \"acked\": %llu, \"lost\": %llu, ",
              number(found.sent), number(found.received), number(found.acked), number(found.lost));
  std::printf(
      "\"twice\": %llu, \"damaged\": %llu, \"out of order\": %llu, \"refused\": %llu, \"at\": "
      "%.6f}\n",
      number(found.twice), number(found.damaged), number(found.disordered), number(found.refused),
      seconds());
}

void play(const spillring::Client& bus, const char* socket) {
  const QueueOptions small{.capacity = 128 * KiB, .slots = 256};
  QueueOptions durable = small;
  durable.durability = spillring::Durability::disk;
  QueueOptions history = small;
  history.retain_bytes = 128 * KiB;
  std::vector<Lane> lanes;
  lanes.emplace_back(bus, "spill", small, 150);
  lanes.emplace_back(bus, "durable", durable, 48);
  lanes.emplace_back(bus, "history", history, 80);
  std::vector<Findings> found(lanes.size());
  std::vector<std::thread> threads;
  const auto one = [&](std::size_t i) {
    found[i] = lanes[i].round([&] {
      if (i == 0) sacrifice(socket);
    });
  };
  for (std::string line; std::getline(std::cin, line);) {
    if (line == "round") {
      for (std::size_t i = 0; i < lanes.size(); ++i) threads.emplace_back(one, i);
    } else if (line == "visit") {
      visit(socket);
    } else {
      for (std::thread& thread : threads) thread.join();
      threads.clear();
      Findings all;
      for (const Findings& each : found) all.add(each);
      report(all);
    }
    std::fflush(stdout);
  }
}

/// From 1 on, and tells how far they are confirmed, until it is killed.
void send_until_the_end(const spillring::Client& bus, const std::string& name) {
  auto queue = bus.create(name, {.capacity = 128 * KiB, .durability = spillring::Durability::disk});
  auto in = queue.consumer("shared");  // a group, so that there is one to read them later
  auto out = queue.producer();
  std::puts("{}");
  std::fflush(stdout);
  for (std::uint64_t counter = 1; send(out, 0, counter); ++counter) {
    if (counter % (counter % 7 + 1) != 0 || !out.flush(patience)) continue;
    std::printf("{\"confirmed\": %llu, \"at\": %.6f}\n", static_cast<unsigned long long>(counter),
                seconds());
    std::fflush(stdout);
  }
}

void drain(const spillring::Client& bus, const std::string& name) {
  const auto queue = bus.open(name);
  auto in = queue.consumer("shared");
  Findings found;
  while (auto message = in.receive(spillring::no_wait)) {
    const auto head = payload::read(message->bytes());
    const bool next = head && head->producer == 0 && head->counter == found.received + 1;
    found.damaged += head ? 0 : 1;
    found.disordered += head && !next ? 1 : 0;
    ++found.received;
    found.acked += message->ack() ? 1 : 0;
  }
  for (const auto& group : queue.groups()) found.lost += group.lost;
  report(found);
  in.close();
  bus.remove(name);
}

}  // namespace

int main(int argc, char** argv) try {
  const std::string_view role = argc > 1 ? argv[1] : "";
  const bool named = role == "sender" || role == "drain";
  if (argc != (named ? 4 : 3)) {
    std::fputs("usage: rounds play|victim|sender|drain SOCKET [QUEUE]\n", stderr);
    return 64;
  }
  const spillring::Client bus({.socket = argv[2]});
  if (role == "play") play(bus, argv[2]);
  if (role == "victim") victim(bus);
  if (role == "sender") send_until_the_end(bus, argv[3]);
  if (role == "drain") drain(bus, argv[3]);
  return 0;
} catch (const spillring::Error& error) {
  std::fprintf(stderr, "rounds: %s\n", error.what());
  return 1;
}
