// provoke CODE SOCKET: makes the C++ library fail with CODE, where test_errors.py has prepared
// that. Prints "ready" and reads a line before the call that fails; then number, code, summary,
// why, hint.
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "spillring/spillring.hpp"

namespace {

using namespace spillring;
using namespace std::chrono_literals;

constexpr unsigned nobody = 65534;
std::string path;  // of the socket

void ready() {
  std::cout << "ready" << std::endl;
  std::string line;
  std::getline(std::cin, line);
}

Client connected(Timeout timeout = 60s) { return Client({.socket = path, .timeout = timeout}); }

Queue opened() { return connected().open("q"); }

Result<std::uint64_t> send(Producer& out, std::size_t size = 1) {
  return out.send(std::vector<std::byte>(size), 10s);
}

void full() {
  Producer out = opened().producer();
  ready();
  while (send(out).value() != 0) {
  }
}

void empty() {
  Consumer in = opened().consumer();
  ready();
  in.try_receive().value();
}

void interrupted() {
  Consumer in = opened().consumer("default", {.interruptible = true});
  ready();
  std::signal(SIGALRM, [](int) {});
  ::alarm(1);
  in.receive().value();
}

void stale() {
  const Queue queue = opened();
  Consumer slow = queue.consumer();
  Consumer other = queue.consumer();
  Message late = slow.receive(60s).value();
  const Message again = other.receive(60s).value();
  ready();
  late.ack().value();
}

void closed() {
  Producer out = opened().producer();
  out.close();
  ready();
  send(out).value();
}

/// Also of a queue that is poisoned.
void deleted() {
  Producer out = opened().producer();
  ready();
  send(out).value();
}

void corrupt() {
  Consumer in = opened().consumer();
  ready();
  in.receive(60s).value();
}

void too_large() {
  Producer out = opened().producer();
  ready();
  send(out, 5 * MiB).value();
}

void denied() {
  ready();
  if (::setresgid(nobody, nobody, nobody) != 0 || ::setresuid(nobody, nobody, nobody) != 0) {
    return;
  }
  static_cast<void>(opened().producer());
}

void create(const std::string& name, const QueueOptions& options) {
  const Client bus = connected();
  ready();
  static_cast<void>(bus.create(name, options));
}

void open(const std::string& name) {
  const Client bus = connected();
  ready();
  static_cast<void>(bus.open(name));
}

/// Fails as it connects.
void connect_in(Timeout timeout) {
  ready();
  connected(timeout);
}

void busy() {
  const Queue queue = opened();
  ready();
  queue.remove_group("default");
}

/// In a queue in memory, and in one whose supervisor goes while this waits for the line.
void flush() {
  Producer out = opened().producer();
  ready();
  send(out).value();
  out.flush(60s).value();
}

void forked() {
  Producer out = opened().producer();
  const pid_t child = ::fork();
  if (child == 0) {
    ready();
    send(out).value();
  }
  ::waitpid(child, nullptr, 0);
  ::_exit(0);
}

const std::map<std::string, std::function<void()>> ways{
    {"full", full},
    {"empty", empty},
    {"timeout", [] { connect_in(200ms); }},
    {"interrupted", interrupted},
    {"stale", stale},
    {"closed", closed},
    {"deleted", deleted},
    {"poisoned", deleted},
    {"corrupt", corrupt},
    {"too_large", too_large},
    {"invalid", [] { open(".q"); }},
    {"not_found", [] { open("none"); }},
    {"exists", [] { create("q", {}); }},
    {"denied", denied},
    {"no_memory", [] { create("large", {.capacity = 1024 * GiB, .prealloc = true}); }},
    {"busy", busy},
    {"unavailable", [] { connect_in(10s); }},
    {"version_mismatch", [] { connect_in(10s); }},
    {"unsupported", flush},
    {"forked", forked},
    {"no_space", [] { create("other", {.durability = Durability::disk}); }},
    {"io", [] { create("other", {.durability = Durability::disk}); }},
    {"in_doubt", flush},
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3 || !ways.contains(argv[1])) return 64;
  path = argv[2];
  try {
    ways.at(argv[1])();
  } catch (const Error& error) {
    std::cout << static_cast<int>(error.code()) << '\n'
              << name(error.code()) << '\n'
              << error.summary() << '\n'
              << error.why() << '\n'
              << error.hint() << std::endl;
    ::_exit(0);  // some handles belong to whom has gone
  }
  std::cout << "nothing failed" << std::endl;
}
