// Waiting that a signal can end.
#pragma once

#include <chrono>

#include "interruption.hpp"
#include "spillring/options.hpp"
#include "spillring/result.hpp"

namespace spillring::tools {

/// A moment on the monotonic clock, or never.
class Deadline {
 public:
  explicit Deadline(Timeout timeout)
      : bounded_(timeout != forever && timeout != no_wait),
        fixed_(timeout),
        end_(bounded_ ? later(timeout) : Clock::time_point{}) {}

  [[nodiscard]] Timeout left() const {
    if (!bounded_) return fixed_;
    const auto now = Clock::now();
    return now < end_ ? std::chrono::duration_cast<Timeout>(end_ - now) : no_wait;
  }

 private:
  using Clock = std::chrono::steady_clock;

  /// Beyond the clock's end is the clock's end.
  static Clock::time_point later(Timeout timeout) {
    const auto now = Clock::now();
    return timeout < Clock::time_point::max() - now ? now + timeout : Clock::time_point::max();
  }

  bool bounded_;
  Timeout fixed_;
  Clock::time_point end_;
};

/// Calls `call(timeout)` of an interruptible handle until it has an answer. Throws `Interrupted`.
template <typename Call>
auto wait_patiently(Timeout timeout, const Call& call) {
  const Deadline deadline(timeout);
  while (true) {
    auto result = call(deadline.left());
    if (result || result.error() != Code::interrupted) return result;
    leave_if_interrupted();
  }
}

}  // namespace spillring::tools
