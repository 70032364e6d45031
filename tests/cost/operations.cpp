// Does one operation many times, or one on many messages, within a function of its own, for `run`
// to count the instructions.
//
//   operations NAME [ROUNDS]     prints how often the function `measured` did it; on stderr, how
//                                long one took
#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "spillring/embedded.hpp"
#include "spillring/spillring.hpp"

namespace {

using namespace spillring;

constexpr unsigned times = 1024;  // a quarter of the ring that a queue begins with
constexpr unsigned few_rounds = 4;
constexpr unsigned together = 32;  // messages of a batch

void require(bool good, const char* what) {
  if (good) return;
  std::fprintf(stderr, "operations: %s\n", what);
  std::exit(1);
}

/// A queue with a producer, and what it takes to leave it as it was.
class Bench {
 private:
  Embedded supervisor_{};
  Queue queue_{supervisor_.connect().create("q", {.full = Full::block})};
  std::array<std::byte, 64> payload_{};
  std::vector<std::span<const std::byte>> batch_{together, payload_};

 public:
  Producer out{queue_.producer()};
  Consumer stream{queue_.subscriber("stream", {.start = Start::earliest()})};
  Consumer shared{queue_.consumer("shared")};
  std::vector<Message> held{};

  void send(std::size_t size) {
    require(bool(out.send(std::span(payload_).first(size), no_wait)), "a message was not taken");
  }
  void send_batch(bool atomic) {
    const auto sent = out.send_batch(batch_, no_wait, {.atomic = atomic});
    require(sent && sent->count == together, "a batch was not taken");
  }
  void take_batch(Consumer& from) {
    auto messages = from.receive_batch(together, no_wait);
    require(messages && messages->size() == together, "messages are missing");
    for (Message& message : *messages) require(bool(message.ack()), "a message was taken away");
  }
  void fill() {
    for (unsigned i = 0; i < times; ++i) send(64);
  }
  void take(Consumer& from) {
    auto message = from.receive(no_wait);
    require(bool(message), "a message is missing");
    held.push_back(*std::move(message));
  }
  void take_all(Consumer& from) {
    for (unsigned i = 0; i < times; ++i) take(from);
  }
  void acknowledge_all() {
    for (Message& message : held) require(bool(message.ack()), "a message was taken away");
    held.clear();
  }
  void empty() {
    acknowledge_all();
    for (Consumer* from : {&stream, &shared}) {
      while (auto message = from->receive(no_wait)) require(bool(message->ack()), "stale");
    }
  }
};

struct Operation {
  std::function<void(Bench&)> before;
  void (*once)(Bench&);
  unsigned messages = 1;  // that it does
};

void nothing(Bench& /*bench*/) {}

const std::map<std::string, Operation, std::less<>> operations{
    {"send_64", {nothing, [](Bench& bench) { bench.send(64); }}},
    {"send_16", {nothing, [](Bench& bench) { bench.send(16); }}},
    {"loan_64",
     {nothing,
      [](Bench& bench) {
        auto loan = bench.out.loan(64, no_wait);
        require(loan && loan->publish(), "a loan was refused");
      }}},
    {"send_batch_64", {nothing, [](Bench& bench) { bench.send_batch(false); }, together}},
    {"send_atomic_64", {nothing, [](Bench& bench) { bench.send_batch(true); }, together}},
    {"receive_batch",
     {[](Bench& bench) { bench.fill(); }, [](Bench& bench) { bench.take_batch(bench.stream); },
      together}},
    {"receive_stream",
     {[](Bench& bench) { bench.fill(); },
      [](Bench& bench) {
        auto message = bench.stream.receive(no_wait);
        require(message && message->ack(), "a message is missing");
      }}},
    {"claim_shared",
     {[](Bench& bench) { bench.fill(); }, [](Bench& bench) { bench.take(bench.shared); }}},
    {"ack_shared",
     {[](Bench& bench) {
        bench.fill();
        bench.take_all(bench.shared);
        std::reverse(bench.held.begin(), bench.held.end());
      },
      [](Bench& bench) {
        // In the order they came.
        require(bool(bench.held.back().ack()), "a message was taken away");
        bench.held.pop_back();
      }}},
    {"poll_empty",
     {[](Bench& bench) {  // behind a message, where a reader mostly is
        bench.fill();
        bench.empty();
      },
      [](Bench& bench) { require(!bench.stream.receive(no_wait), "not empty"); }}},
};

}  // namespace

/// Its instructions, and those of all it calls, are counted; the name is found by the counter.
extern "C" __attribute__((noinline)) void measured(void (*once)(Bench&), Bench& bench,
                                                   unsigned count) {
  for (unsigned i = 0; i < count; ++i) once(bench);
}

int main(int argc, char** argv) {
  const auto found = operations.find(argc >= 2 ? argv[1] : "");
  if (found == operations.end()) {
    std::fprintf(stderr, "usage: operations NAME [ROUNDS]; there are:");
    for (const auto& [name, operation] : operations) std::fprintf(stderr, " %s", name.c_str());
    std::fprintf(stderr, "\n");
    return 64;
  }
  Bench bench;
  bench.held.reserve(times);
  const unsigned rounds =
      argc >= 3 ? static_cast<unsigned>(std::strtoul(argv[2], nullptr, 10)) : few_rounds;
  std::chrono::duration<double, std::nano> took{};
  for (unsigned round = 0; round < rounds; ++round) {
    found->second.before(bench);
    const auto begin = std::chrono::steady_clock::now();
    measured(found->second.once, bench, times / found->second.messages);
    took += std::chrono::steady_clock::now() - begin;
    bench.empty();
  }
  std::printf("%u\n", times * rounds);
  std::fprintf(stderr, "%.1f ns each\n", took.count() / times / rounds);
  return 0;
}
