// Python's arguments as typed values. What does not fit is told by the argument's name: TypeError
// for the wrong type, `Invalid` for a value that can never work.
#pragma once

#include <pybind11/pybind11.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "spillring/options.hpp"

namespace spillring::python {

/// The moment until which a call may wait.
class Deadline {
 public:
  using Clock = std::chrono::steady_clock;

  explicit Deadline(Timeout timeout);

  [[nodiscard]] bool passed() const { return at_ && Clock::now() >= *at_; }
  /// False for one that had passed from the beginning.
  [[nodiscard]] bool waits() const { return waits_; }
  [[nodiscard]] Timeout remaining() const;
  /// The end of a slice of the wait after which signals are looked at.
  [[nodiscard]] Clock::time_point slice() const;

 private:
  std::optional<Clock::time_point> at_;  // none: forever
  bool waits_;
};

/// Seconds, a number that is not negative. None: forever.
Timeout timeout_of(pybind11::handle value, const char* name);
/// Seconds, a number from 0 to that of `longest_delay`.
Timeout delay_of(pybind11::handle value, const char* name);
/// Seconds, a number greater than zero.
Timeout duration_of(pybind11::handle value, const char* name);
/// A whole number from `least` to `most`.
std::uint64_t integer_of(pybind11::handle value, const char* name, std::uint64_t least = 0,
                         std::uint64_t most = UINT64_MAX);
/// A size in bytes: a whole number that memory could hold; a larger one is `too_large`.
std::size_t size_of(pybind11::handle value, const char* name);
/// A number of bytes, or text such as "64MiB", "1.5 GiB", "500kB", "4096".
std::uint64_t bytes_of(pybind11::handle value, const char* name);
bool flag_of(pybind11::handle value, const char* name);
std::string text_of(pybind11::handle value, const char* name);
/// A queue's or a group's name, of the characters that names may have.
std::string name_of(pybind11::handle value, const char* what);
/// A place in a queue: "earliest", "latest", a sequence, or a datetime.
Start start_of(pybind11::handle value, const char* name = "start");

Full full_of(pybind11::handle value);
Keep keep_of(pybind11::handle value);
std::string_view word_for(Full full);
std::string_view word_for(Keep keep);
Durability durability_of(pybind11::handle value);
std::string_view word_for(Durability durability);
/// "each", "never", a duration as text or in seconds.
Timeout sync_of(pybind11::handle value);

/// How much history is kept.
struct Retention {
  Timeout age = Timeout::zero();
  std::uint64_t bytes = 0;
};
/// "24h", "10GiB", "24h,10GiB"; a number: bytes.
Retention retention_of(pybind11::handle value);

/// A keyword that is known and not built yet. The value that asks for nothing is accepted.
struct Unbuilt {
  const char* name = nullptr;
  enum class Neutral { none, no } neutral = Neutral::none;
};

/// Refuses what is left over of a call's keywords: those `unbuilt` by name, all others as Python
/// does.
void refuse(const pybind11::kwargs& keywords, const char* function,
            std::initializer_list<Unbuilt> unbuilt = {});
[[noreturn]] void refuse_unbuilt(std::string_view option);

}  // namespace spillring::python
