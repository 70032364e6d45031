// The processes of one work with one peer.
#pragma once

#include <sys/types.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <vector>

#include "peer.hpp"

namespace spillring::bench {

/// What was received is not what was sent.
struct Wrong : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Pinned: producers to core 0, consumers to core 1. They nap between windows.
class Cast {
 public:
  /// Throws std::runtime_error where one of them cannot start, as `run` does where one fails.
  Cast(const Peer& peer, const Work& work, const std::filesystem::path& directory);
  Cast(const Cast&) = delete;
  Cast& operator=(const Cast&) = delete;
  ~Cast();

  struct Outcome {
    double seconds = 0;  ///< from the first message sent to the last received
    std::uint64_t messages = 0;
    std::unique_ptr<Histogram> round_trips;
    std::uint64_t shared = 0;  ///< bytes of shared memory, of the process with most
    std::uint64_t own = 0;     ///< bytes of its own, of the process with most
    /// In Kind::cpu, processors' seconds in each second: of producers, of consumers, of all else.
    std::array<double, 3> processors{};
    [[nodiscard]] double rate() const { return static_cast<double>(messages) / seconds; }
  };
  /// `pace`: as in the window.
  Outcome run(std::uint64_t pace = as_fast_as_possible);

 private:
  void begin_process(unsigned seat);
  /// Waits for a word of every seat; whoever fails meanwhile ends the wait.
  template <typename Reached>
  void await(const char* what, const Reached& reached);
  void look_for_failure();
  void measure_processors(Outcome& outcome, const std::vector<std::uint64_t>& used,
                          double seconds) const;
  void measure_memory(Outcome& outcome) const;
  [[nodiscard]] std::uint64_t received() const;
  void stop();

  Work work_;
  std::chrono::milliseconds length_;  // of a window
  unsigned seats_;
  std::unique_ptr<Stage> stage_;
  int window_file_;
  Window* window_;
  std::vector<pid_t> processes_;
  std::uint64_t messages_before_ = 0;
};

}  // namespace spillring::bench
