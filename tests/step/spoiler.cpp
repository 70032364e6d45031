// A hostile producer that waits for its hour: `spoiler SOCKET QUEUE`.
//
// Prints an empty object once it is in. At a line on its input it damages the ring that was the
// newest then, again and again, as one that is in use may come round and make it true, until there
// is another. Then it says where that begins.
#include <chrono>
#include <cstdio>
#include <iostream>
#include <string>
#include <thread>

#include "client/raw_client.hpp"

namespace {

using namespace std::chrono_literals;
using spillring::RingForger;
using spillring::layout::Published;

/// No steps lead to it, and it says nothing of other numbers.
void damage(const spillring::ring::RingView& ring) {
  const std::uint64_t s = ring.header().limit.load();
  ring.descriptor(s).published.store(
      spillring::layout::publish_word(ring.lap(s) + 1, Published::aborted));
}

void condemn(const RingForger& forger) {
  const std::uint64_t before = forger.view().first();
  while (forger.names().back() == before) {
    damage(forger.view());
    forger.report();
    std::this_thread::sleep_for(5ms);
  }
}

void say(const RingForger& forger) {
  std::printf("{\"next\": %llu}\n", static_cast<unsigned long long>(forger.names().back()));
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 3) {
    std::fputs("usage: spoiler SOCKET QUEUE\n", stderr);
    return 64;
  }
  const RingForger forger(argv[1], argv[2]);
  std::puts("{}");
  std::fflush(stdout);
  for (std::string line; std::getline(std::cin, line);) {
    condemn(forger);
    say(forger);
  }
  return 0;
} catch (const std::exception& failure) {
  std::fprintf(stderr, "spoiler: %s\n", failure.what());
  return 1;
}
