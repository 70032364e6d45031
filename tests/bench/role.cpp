#include "role.hpp"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "probe.hpp"

namespace spillring::bench {
namespace {

std::uint64_t monotonic_now() {
  return static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
}

}  // namespace

void nap() { std::this_thread::sleep_for(std::chrono::microseconds(100)); }

bool Role::next_window() {
  if (seat_.ready == 0) {
    pin(produces() ? 0 : 1);
    seat_.ready = 1;
  }
  while (window_.go.load() == current_) {
    if (window_.quit != 0) return false;
    // Many that look all the time would keep each other from it.
    std::this_thread::sleep_for(std::max(work_.producers, work_.consumers) *
                                std::chrono::microseconds(100));
  }
  current_ = window_.go;
  seat_.histogram = {};
  seat_.busy = 0;
  return true;
}

void Role::sit_idle() {
  while (window_.quit == 0) std::this_thread::sleep_for(std::chrono::milliseconds(20));
}

bool Role::drained() const {
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
  for (unsigned i = 0; i < work_.producers; ++i) {
    const Seat& producer = window_.seats.at(i);
    if (producer.done.load(std::memory_order_acquire) != current_) return false;
    sent += producer.sent.load(std::memory_order_relaxed);
  }
  if (!work_.shared) return seat_.received.load(std::memory_order_relaxed) == sent;
  for (unsigned i = 0; i < work_.consumers; ++i) {
    received += window_.seats.at(work_.producers + i).received.load(std::memory_order_acquire);
  }
  return received == sent;
}

void Role::finish_window() { seat_.done.store(current_, std::memory_order_release); }

void Role::began() { seat_.began = monotonic_now(); }
void Role::ended(Ticks since) { seat_.ended = monotonic_now() - nanoseconds(since); }

void Role::wrong(std::string_view what) {
  seat_.wrong = 1;
  fail(what);
}

void Role::fail(std::string_view why) {
  const std::size_t length = std::min(why.size(), seat_.failure.size() - 1);
  std::copy_n(why.begin(), length, seat_.failure.begin());
  seat_.failed = 1;
  ::_exit(1);
}

void Role::back_off() const {
  if (work_.crowded()) {
    ::sched_yield();
  } else if (!work_.polled()) {  // where a pause is later than need be
    __builtin_ia32_pause();
  }
}

}  // namespace spillring::bench
