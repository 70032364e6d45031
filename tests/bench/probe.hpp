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
  /// On cores beside each other, and nobody else at work on them.
  static bool is_near(std::uint64_t round_trip);

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

/// Binds the calling thread to a core.
void pin(unsigned core);

}  // namespace spillring::bench
