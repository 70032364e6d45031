// One side of a queue, to be watched while it works:
// `traffic send|receive|wait|send-bursts|receive-bursts SOCKET COUNT`.
//
// What shall be counted lies between two lines on standard output, "begin" and "end". What is done
// once, the first time, is done before "begin": attaching to the queue's memory, and its growth.
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <spillring/spillring.hpp>
#include <stdexcept>
#include <string_view>
#include <thread>

namespace {

using namespace std::chrono_literals;

constexpr std::size_t message_size = 64;
constexpr std::uint64_t warm_up = 300'000;
constexpr std::uint64_t burst = 64;

void mark(std::string_view event) {
  std::array<char, 64> line{};
  const int length = std::snprintf(line.data(), line.size(), "{\"mark\": \"%s\"}\n", event.data());
  if (::write(STDOUT_FILENO, line.data(), static_cast<std::size_t>(length)) != length) std::abort();
}

/// Waits until the driver says go.
void ready() {
  mark("ready");
  char go = 0;
  if (::read(STDIN_FILENO, &go, 1) != 1) throw std::runtime_error("nobody said go");
}

void send_some(spillring::Producer& out, std::uint64_t count) {
  std::array<std::byte, message_size> bytes{};
  for (; count > 0; --count) out.send(bytes, 30s).value();
}

void receive_some(spillring::Consumer& in, std::uint64_t count) {
  for (; count > 0; --count) in.receive(30s).value().ack().value();
}

void send(const spillring::Queue& queue, std::uint64_t count) {
  auto out = queue.producer();
  ready();
  send_some(out, warm_up);
  mark("begin");
  send_some(out, count);
  mark("end");
}

void receive(const spillring::Queue& queue, std::uint64_t count) {
  auto in = queue.consumer("workers");
  ready();
  receive_some(in, warm_up);
  mark("begin");
  receive_some(in, count);
  mark("end");
}

/// Waits `seconds` for a message that does not come.
void wait(const spillring::Queue& queue, std::uint64_t seconds) {
  auto in = queue.consumer("idlers");
  ready();
  bool silent = !in.receive(10ms);
  mark("begin");
  silent = !in.receive(std::chrono::seconds(seconds)) && silent;
  mark("end");
  if (!silent) throw std::runtime_error("there was a message after all");
}

void send_burst(spillring::Producer& out) {
  std::this_thread::sleep_for(20ms);  // until the other side sleeps
  send_some(out, burst);
}

/// Awake, but busy with the first message until the rest has come: all of it is one burst.
void receive_burst(spillring::Consumer& in) {
  receive_some(in, 1);
  while (in.lag() < burst - 1) std::this_thread::yield();
  receive_some(in, burst - 1);
}

void send_bursts(const spillring::Queue& queue, std::uint64_t count) {
  auto out = queue.producer();
  ready();
  send_burst(out);
  mark("begin");
  for (; count > 0; --count) send_burst(out);
  mark("end");
}

void receive_bursts(const spillring::Queue& queue, std::uint64_t count) {
  auto in = queue.consumer("workers");
  ready();
  receive_burst(in);
  mark("begin");
  for (; count > 0; --count) receive_burst(in);
  mark("end");
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 4) {
    std::fputs("usage: traffic send|receive|wait|send-bursts|receive-bursts SOCKET COUNT\n",
               stderr);
    return 64;
  }
  const std::string_view role = argv[1];
  const auto queue = spillring::connect({.socket = argv[2]}).open_or_create("traffic");
  const std::uint64_t count = std::strtoull(argv[3], nullptr, 10);
  if (role == "send") send(queue, count);
  if (role == "receive") receive(queue, count);
  if (role == "wait") wait(queue, count);
  if (role == "send-bursts") send_bursts(queue, count);
  if (role == "receive-bursts") receive_bursts(queue, count);
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "traffic: %s\n", error.what());
  return 1;
}
