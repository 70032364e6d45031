// A process that is stopped in the middle of its work, or lies beside one:
// `stopped loan|view|neighbour SOCKET CAPACITY`.
//
// `view` takes a message and stops with it in its hands; `loan` stops before it publishes.
// Continued, each says what became of it. `neighbour` sends messages, which lie right behind the
// loan, and watches their bytes until its input ends.

#include <poll.h>
#include <unistd.h>

#include <algorithm>
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
constexpr std::uint32_t neighbour_producer = 3;
constexpr std::uint64_t neighbours = 16;

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

void hold_view(const spillring::Queue& queue) {
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

void hold_loan(const spillring::Queue& queue) {
  auto out = queue.producer();
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

bool all_intact(const std::vector<spillring::Message>& messages) {
  return std::all_of(messages.begin(), messages.end(), [](const spillring::Message& message) {
    const auto head = payload::read(message.bytes());
    return head && head->producer == neighbour_producer;
  });
}

bool input_ended() {
  pollfd input = {.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
  return ::poll(&input, 1, 1) > 0;
}

void lie_behind(const spillring::Queue& queue) {
  auto out = queue.producer();
  auto in = queue.subscriber({}, {.start = spillring::Start::earliest()});
  std::vector<spillring::Message> messages;
  for (std::uint64_t i = 1; i <= neighbours; ++i) send(out, neighbour_producer, i);
  for (std::uint64_t i = 1; i <= neighbours; ++i) messages.push_back(in.receive(10s).value());
  std::printf("{\"seq\": %llu}\n", static_cast<unsigned long long>(messages.front().seq()));
  std::fflush(stdout);
  bool intact = all_intact(messages);
  while (!input_ended()) intact = all_intact(messages) && intact;
  std::printf("{\"intact\": %s}\n", intact ? "true" : "false");
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 4) {
    std::fputs("usage: stopped loan|view|neighbour SOCKET CAPACITY\n", stderr);
    return 64;
  }
  const spillring::QueueOptions options = {.capacity = std::strtoull(argv[3], nullptr, 10),
                                           .lease = 500ms};
  const auto queue = spillring::connect({.socket = argv[2]}).open_or_create("stops", options);
  const std::string_view role = argv[1];
  if (role == "view") hold_view(queue);
  if (role == "loan") hold_loan(queue);
  if (role == "neighbour") lie_behind(queue);
  return 0;
} catch (const spillring::Error& error) {
  std::fprintf(stderr, "stopped: %s\n", error.what());
  return 1;
}
