// A client that may fail at any of its calls, or whose supervisor does: `work SOCKET`.
//
// For each line `QUEUE KIND` on its input it does what clients do, and says what it was told: which
// messages are sent, which may be, up to where they are on the disk, and what it has acknowledged.
// KIND is `memory`, `spill` or `durable`; QUEUE is made where it is missing, and a second one,
// QUEUE-own, is made, used and removed.
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <iostream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "payload.hpp"
#include "spillring/spillring.hpp"

namespace {

using namespace std::chrono_literals;
using spillring::Code;
using spillring::Error;
using spillring::KiB;
using spillring::Queue;
using spillring::QueueOptions;

constexpr std::uint64_t messages = 100;  // of 1 KiB: more than the ring holds
constexpr std::uint64_t taken = 30;      // no more than are in memory
constexpr auto patience = 3s;

struct Told {
  std::vector<std::uint64_t> sent, in_doubt, acknowledged, acknowledged_perhaps;
  std::uint64_t durable = 0;  // of those that were sent, the first so many
  std::set<std::string> failures;

  void failed(std::string_view where, Code code) {
    failures.insert(std::string(where) + ": " + std::string(name(code)));
  }
};

QueueOptions options_of(const std::string& kind) {
  QueueOptions options{.capacity = 64 * KiB, .slots = 64};
  if (kind == "memory") options.full = spillring::Full::reject;
  if (kind == "durable") options.durability = spillring::Durability::disk;
  return options;
}

/// What throws has failed, and said so.
template <typename Step>
void attempt(Told& told, std::string_view where, Step step) {
  try {
    step();
  } catch (const Error& error) {
    told.failed(where, error.code());
  } catch (const std::bad_alloc&) {
    told.failed(where, Code::no_memory);
  }
}

void send(const Queue& queue, Told& told) {
  spillring::Producer out = queue.producer();
  for (std::uint64_t i = 0; i < messages; ++i) {
    std::vector<std::byte> bytes(i % 4 == 0 ? sizeof(payload::Head) : 1000);
    payload::fill(bytes, 0, i);
    const auto sent = out.send(bytes, patience);
    if (sent) {
      told.sent.push_back(i);
    } else if (sent.error() != Code::full) {
      told.failed("send", sent.error());
      if (sent.error() != Code::timeout) told.in_doubt.push_back(i);
    }
  }
  const auto flushed = out.flush(patience);
  if (flushed) told.durable = told.sent.size();
  if (!flushed) told.failed("flush", flushed.error());
}

void take(const Queue& queue, Told& told) {
  spillring::Consumer in = queue.consumer("g", {.prefetch = 4});
  while (told.acknowledged.size() < std::min<std::size_t>(taken, told.sent.size())) {
    auto message = in.receive(patience);
    if (!message) return told.failed("receive", message.error());
    const auto head = payload::read(message->bytes());
    if (!head) return told.failed("a damaged message", Code::corrupt);
    const auto done = message->ack();
    if (!done) {
      told.acknowledged_perhaps.push_back(head->counter);
      return told.failed("ack", done.error());
    }
    told.acknowledged.push_back(head->counter);
  }
}

/// What is there is not changed by it.
void look(const spillring::Client& bus, const Queue& queue, Told& told) {
  static_cast<void>(bus.list());
  static_cast<void>(queue.info());
  static_cast<void>(queue.groups());
  static_cast<void>(queue.peek(5));
  spillring::Consumer in = queue.subscriber("r", {.start = spillring::Start::earliest()});
  for (std::uint64_t i = 0; i < std::min<std::size_t>(taken, told.sent.size()); ++i) {
    const auto message = in.receive(patience);
    if (!message) return told.failed("a reader", message.error());
    const auto head = payload::read(message->bytes());
    if (!head) return told.failed("a damaged message", Code::corrupt);
  }
}

void print(const char* name, const std::vector<std::uint64_t>& numbers) {
  std::printf("\"%s\": [", name);
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    std::printf("%s%llu", i == 0 ? "" : ", ", static_cast<unsigned long long>(numbers[i]));
  }
  std::printf("], ");
}

void print(const Told& told) {
  std::printf("{");
  print("sent", told.sent);
  print("in_doubt", told.in_doubt);
  print("acknowledged", told.acknowledged);
  print("acknowledged_perhaps", told.acknowledged_perhaps);
  std::printf("\"durable\": %llu, \"failures\": [", static_cast<unsigned long long>(told.durable));
  const char* separator = "";
  for (const auto& failure : told.failures) {
    std::printf("%s\"%s\"", separator, failure.c_str());
    separator = ", ";
  }
  std::printf("]}\n");
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 2) {
    std::fputs("usage: work SOCKET\n", stderr);
    return 64;
  }
  std::puts("{}");
  std::fflush(stdout);
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    std::string name;
    std::string kind;
    words >> name >> kind;
    Told told;
    attempt(told, "connect", [&] {
      spillring::ConnectOptions to;
      to.socket = argv[1];
      const spillring::Client bus = spillring::connect(to);
      attempt(told, "the queue", [&] {
        const Queue queue = bus.open_or_create(name, options_of(kind));
        attempt(told, "a producer", [&] { send(queue, told); });
        attempt(told, "a reader", [&] { look(bus, queue, told); });
        attempt(told, "a consumer", [&] { take(queue, told); });
      });
      attempt(told, "a queue of its own", [&] {
        const Queue own = bus.create(name + "-own", options_of(kind));
        const auto sent = own.producer().send({}, patience);
        if (!sent) told.failed("its own message", sent.error());
        bus.remove(name + "-own");
      });
    });
    print(told);
  }
  return 0;
} catch (const std::exception& failure) {
  std::fprintf(stderr, "work: %s\n", failure.what());
  return 1;
}
