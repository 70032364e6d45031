// Two producers and two consumers that push BYTES and then go on until their input ends, and how
// long each of their calls took: `flow SOCKET BYTES`.
//
// Every message is checked when it comes and again when it is let go, so that bytes which somebody
// changes in between are noticed.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <spillring/spillring.hpp>
#include <string>
#include <thread>
#include <vector>

#include "payload.hpp"

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using spillring::Code;

constexpr std::size_t message_size = 4 * spillring::KiB;
constexpr std::uint32_t first_producer = 10;  // smaller numbers are the stopped processes
constexpr std::size_t most_held = 32;

std::atomic<bool> sending = true;
std::atomic<bool> receiving = true;
std::atomic<bool> failed = false;
std::atomic<std::uint64_t> pushed = 0;

struct Foreign {
  payload::Head head;
  std::uint64_t seq = 0;
  unsigned deliveries = 0;
};

/// What one thread found.
struct Findings {
  Clock::duration longest_send{}, longest_receive{}, overshoot{};
  std::uint64_t sent = 0, acked = 0, refused = 0, damaged = 0, failed = 0;
  std::vector<Foreign> foreign;
};

void produce(const spillring::Queue& queue, std::uint32_t number, Findings& found) {
  auto out = queue.producer();
  std::vector<std::byte> bytes(message_size);
  while (sending) {
    payload::fill(bytes, number, found.sent + 1);
    const auto begun = Clock::now();
    const auto sent = out.send(bytes, 10s);
    found.longest_send = std::max(found.longest_send, Clock::now() - begun);
    if (!sent) {
      ++found.failed;
      failed = true;
      return;
    }
    ++found.sent;
    pushed += message_size;
  }
}

class Receiver {
 public:
  Receiver(spillring::Consumer in, Findings& found) : in_(std::move(in)), found_(found) {}

  void run() {
    auto waiting_since = Clock::now();
    while (receiving || in_.lag() > 0) {
      auto message = in_.receive(held_.empty() ? spillring::Timeout(100ms) : spillring::no_wait);
      if (message) {
        found_.longest_receive = std::max(found_.longest_receive, Clock::now() - waiting_since);
        waiting_since = Clock::now();
        keep(*std::move(message));
      } else if (message.error() == Code::timeout || message.error() == Code::empty) {
        while (!held_.empty()) let_go();  // who waits must not keep what others may wait for
      } else {
        ++found_.failed;
        return;
      }
    }
  }

 private:
  void keep(spillring::Message message) {
    const auto head = payload::read(message.bytes());
    if (!head) ++found_.damaged;
    if (head && head->producer < first_producer) {
      found_.foreign.push_back({*head, message.seq(), message.deliveries()});
    }
    held_.push_back(std::move(message));
    if (held_.size() > most_held) let_go();
  }

  void let_go() {
    spillring::Message message = std::move(held_.front());
    held_.pop_front();
    const auto head = payload::read(message.bytes());
    if (!head) ++found_.damaged;
    const bool counts = head && head->producer >= first_producer;
    const bool acked = static_cast<bool>(message.ack());
    if (!acked) ++found_.refused;
    if (acked && counts) ++found_.acked;
  }

  spillring::Consumer in_;
  Findings& found_;
  std::deque<spillring::Message> held_;
};

/// How late this machine wakes a thread that asked for 1 ms.
void watch_the_machine(Findings& found) {
  while (sending) {
    const auto begun = Clock::now();
    std::this_thread::sleep_for(1ms);
    found.overshoot = std::max(found.overshoot, Clock::now() - begun - 1ms);
  }
}

void print(const std::vector<Findings>& all) {
  Findings sum;
  for (const auto& one : all) {
    sum.longest_send = std::max(sum.longest_send, one.longest_send);
    sum.longest_receive = std::max(sum.longest_receive, one.longest_receive);
    sum.overshoot = std::max(sum.overshoot, one.overshoot);
    sum.sent += one.sent;
    sum.acked += one.acked;
    sum.refused += one.refused;
    sum.damaged += one.damaged;
    sum.failed += one.failed;
    sum.foreign.insert(sum.foreign.end(), one.foreign.begin(), one.foreign.end());
  }
  const auto number = [](std::uint64_t value) { return static_cast<unsigned long long>(value); };
  const auto seconds = [](Clock::duration value) {
    return std::chrono::duration<double>(value).count();
  };
  std::printf("{\"longest_send\": %f, \"longest_receive\": %f, \"overshoot\": %f, \"sent\": %llu, ",
              seconds(sum.longest_send), seconds(sum.longest_receive), seconds(sum.overshoot),
              number(sum.sent));
  std::printf(
      "\"acked\": %llu, \"refused\": %llu, \"damaged\": %llu, \"failed\": %llu, \"foreign\": [",
      number(sum.acked), number(sum.refused), number(sum.damaged), number(sum.failed));
  for (std::size_t i = 0; i < sum.foreign.size(); ++i) {
    const auto& [head, seq, deliveries] = sum.foreign[i];
    std::printf("%s{\"producer\": %u, \"counter\": %llu, \"seq\": %llu, \"deliveries\": %u}",
                i > 0 ? ", " : "", head.producer, number(head.counter), number(seq), deliveries);
  }
  std::printf("]}\n");
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 3) {
    std::fputs("usage: flow SOCKET BYTES\n", stderr);
    return 64;
  }
  const std::uint64_t enough = std::strtoull(argv[2], nullptr, 10);
  const auto queue = spillring::connect({.socket = argv[1]}).open("stops");
  std::vector<Findings> found(5);
  std::vector<std::thread> senders;
  std::vector<std::thread> receivers;
  senders.emplace_back([&] { watch_the_machine(found[0]); });
  for (std::uint32_t i = 1; i <= 2; ++i) {
    receivers.emplace_back([&, i] { Receiver(queue.consumer("workers"), found[i]).run(); });
    senders.emplace_back([&, i] { produce(queue, first_producer + i, found[2 + i]); });
  }
  while (pushed < enough && !failed) std::this_thread::sleep_for(5ms);
  std::printf("{\"pushed\": %llu}\n", static_cast<unsigned long long>(pushed.load()));
  std::fflush(stdout);
  while (std::getchar() != EOF) {
  }
  sending = false;
  for (auto& thread : senders) thread.join();
  receiving = false;  // until nothing is left
  for (auto& thread : receivers) thread.join();
  print(found);
  return 0;
} catch (const spillring::Error& error) {
  std::fprintf(stderr, "flow: %s\n", error.what());
  return 1;
}
