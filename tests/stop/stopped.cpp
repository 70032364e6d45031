// A process that is stopped in the middle of its work: `stopped loan|view SOCKET CAPACITY`.
//
// `view` makes the queue, takes a message and stops with it in its hands; `loan` stops before it
// publishes. Continued, each says what became of it.

#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <spillring/spillring.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "payload.hpp"

namespace {

using namespace std::chrono_literals;

constexpr std::size_t message_size = 4 * spillring::KiB;
constexpr std::uint32_t view_producer = 1;
constexpr std::uint32_t loan_producer = 2;

void stop_here(std::uint64_t seq) {
  std::printf("{\"seq\": %llu}\n", static_cast<unsigned long long>(seq));
  std::fflush(stdout);
  ::raise(SIGSTOP);
}

const char* words(spillring::Code code) { return spillring::name(code).data(); }

spillring::Code send(spillring::Producer& out, std::uint32_t producer, std::uint64_t counter) {
  std::vector<std::byte> bytes(message_size);
  payload::fill(bytes, producer, counter);
  return out.send(bytes, 10s).error();
}

void hold_view(const spillring::Client& client, std::uint64_t capacity) {
  auto queue = client.create("stops", {.capacity = capacity, .lease = 500ms});
  auto in = queue.consumer("workers", {.prefetch = 1});
  auto out = queue.producer();
  send(out, view_producer, 1);
  auto message = in.receive(10s).value();
  stop_here(message.seq());
  const auto head = payload::read(message.bytes());
  const bool intact = head && head->producer == view_producer && head->counter == 1;
  std::printf("{\"intact\": %s, \"ack\": \"%s\"}\n", intact ? "true" : "false",
              words(message.ack().error()));
}

void hold_loan(const spillring::Client& client) {
  auto out = client.open("stops").producer();
  auto loan = out.loan(message_size, 10s).value();
  payload::fill(loan.bytes().first(message_size / 2), loan_producer, 1);
  stop_here(loan.seq());
  const auto until = std::chrono::steady_clock::now() + 300ms;
  for (int value = 0; std::chrono::steady_clock::now() < until; value = (value + 1) % 256) {
    std::memset(loan.bytes().data(), value,
                loan.bytes().size());  // too late, and nobody may see it
  }
  const auto published = loan.publish().error();
  std::printf("{\"publish\": \"%s\", \"again\": \"%s\"}\n", words(published),
              words(send(out, loan_producer, 2)));
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 4) {
    std::fputs("usage: stopped loan|view SOCKET CAPACITY\n", stderr);
    return 64;
  }
  const auto client = spillring::connect({.socket = argv[2]});
  if (std::string_view(argv[1]) == "view") hold_view(client, std::strtoull(argv[3], nullptr, 10));
  if (std::string_view(argv[1]) == "loan") hold_loan(client);
  return 0;
} catch (const spillring::Error& error) {
  std::fprintf(stderr, "stopped: %s\n", error.what());
  return 1;
}
