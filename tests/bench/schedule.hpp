// When each message of a window is due.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

#include "ticks.hpp"
#include "window.hpp"

namespace spillring::bench {

/// The same for the sender, who makes it, and the receiver, who reads it from the sender's seat:
/// the kernel keeps the cores' counters in step (its clock is the counter), to some nanoseconds.
class Schedule {
 public:
  Schedule() = default;
  static Schedule begin(std::uint64_t pace, Seat& seat) {
    const Ticks start = ticks();
    seat.stamp.store(start, std::memory_order_release);
    return {pace, start};
  }
  static Schedule of(std::uint64_t pace, const Seat& sender) {
    return {pace, sender.stamp.load(std::memory_order_acquire)};
  }

  [[nodiscard]] Ticks due(std::uint64_t number) const {
    return start_ + static_cast<Ticks>(static_cast<double>(number) * step_);
  }
  [[nodiscard]] std::chrono::nanoseconds until(std::uint64_t number, Ticks now) const {
    return std::chrono::nanoseconds(nanoseconds(due(number) - now));
  }
  /// Nanoseconds since a message was due.
  [[nodiscard]] std::uint64_t late(std::uint64_t number, Ticks now) const {
    const Ticks then = due(number);
    return now > then ? nanoseconds(now - then) : 0;
  }

 private:
  Schedule(std::uint64_t pace, Ticks start)
      : start_(start), step_(static_cast<double>(pace) / 1000 / nanoseconds_per_tick()) {}

  Ticks start_ = 0;
  double step_ = 0;
};

}  // namespace spillring::bench
