// How far apart the two cores are at this moment.
#pragma once

#include <atomic>
#include <cstdint>
#include <thread>

namespace spillring::bench {

/// Virtual cores change places on the host, which is worth more than any difference that is to be
/// measured. Two threads, one on each core, send a cache line to and fro.
class Probe {
 public:
  Probe();
  Probe(const Probe&) = delete;
  Probe& operator=(const Probe&) = delete;
  ~Probe();

  /// The median of some thousand round trips, in nanoseconds.
  std::uint64_t round_trip();

 private:
  void answer();
  std::uint64_t ask();

  struct alignas(64) Line {
    std::atomic<std::uint64_t> number{0};
  };
  Line there_, back_, begun_;
  std::atomic<bool> over_{false};
  std::thread answering_;
};

/// Where the cores have to be for a window to count.
class Placement {
 public:
  /// Beside each other, with nobody else at work on them. Where that is not to be had, but the
  /// cores stay as they are, there: windows of one run have to be alike, not near.
  static Placement find(Probe& probe);

  [[nodiscard]] bool holds(std::uint64_t round_trip) const {
    return round_trip >= least_ && round_trip <= most_;
  }
  [[nodiscard]] std::uint64_t least() const { return least_; }
  [[nodiscard]] std::uint64_t most() const { return most_; }

 private:
  std::uint64_t least_ = 80;  // nanoseconds
  std::uint64_t most_ = 230;
};

/// Binds the calling thread to a core.
void pin(unsigned core);

}  // namespace spillring::bench
