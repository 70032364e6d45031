#include "probe.hpp"

#include <sched.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

#include "histogram.hpp"
#include "ticks.hpp"

namespace spillring::bench {
namespace {

constexpr std::uint64_t rounds = 4000;

}  // namespace

void pin(unsigned core) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(core, &set);
  if (::sched_setaffinity(0, sizeof set, &set) != 0) {
    std::perror("cannot run on core 0 and core 1; the bench needs both");
    std::exit(71);
  }
}

Probe::Probe() : answering_([this] { answer(); }) {}

Probe::~Probe() {
  over_ = true;
  begun_.number.fetch_add(1);
  begun_.number.notify_one();
  answering_.join();
}

std::uint64_t Probe::round_trip() {
  std::uint64_t median = 0;
  std::thread([&] { median = ask(); }).join();
  return median;
}

std::uint64_t Probe::ask() {
  pin(0);
  there_.number = back_.number = 0;
  begun_.number.fetch_add(1);
  begun_.number.notify_one();
  const auto histogram = std::make_unique<Histogram>();
  for (std::uint64_t i = 1; i <= rounds; ++i) {
    const Ticks begin = ticks();
    there_.number.store(i, std::memory_order_release);
    while (back_.number.load(std::memory_order_acquire) != i) continue;
    histogram->add(nanoseconds(ticks() - begin));
  }
  return static_cast<std::uint64_t>(histogram->quantile(0.5));
}

void Probe::answer() {
  pin(1);
  for (std::uint64_t turn = 0; !over_; ++turn) {
    begun_.number.wait(turn);
    for (std::uint64_t i = 1; i <= rounds && !over_; ++i) {
      while (there_.number.load(std::memory_order_acquire) != i && !over_) continue;
      back_.number.store(i, std::memory_order_release);
    }
  }
}

Placement Placement::find(Probe& probe) {
  constexpr std::size_t looks = 200;  // some 3 s
  Placement placement;
  std::vector<std::uint64_t> seen;
  while (seen.size() < looks) {
    seen.push_back(probe.round_trip());
    if (placement.holds(seen.back())) return placement;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  std::sort(seen.begin(), seen.end());
  const std::uint64_t usual = seen[looks / 2];
  const bool stays = seen[looks / 10] > usual * 4 / 5 && seen[looks * 9 / 10] < usual * 6 / 5;
  if (stays && usual > placement.most_) {
    placement.least_ = usual * 7 / 10;
    placement.most_ = usual * 13 / 10;
  }
  return placement;
}

}  // namespace spillring::bench
