// How far a long transfer has come, for whoever looks at a terminal.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "settings.hpp"

namespace spillring::tools {

/// One line on stderr, written over and over, ten times a second at most. Nothing where stderr is
/// no terminal, or with --quiet.
class Progress {
 public:
  /// `verb`: "drained". `total`: how many messages there are to do, about.
  Progress(const Settings& settings, std::string verb, std::uint64_t total);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  /// The line is gone.
  ~Progress();

  void show(std::uint64_t messages, std::uint64_t bytes);

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::milliseconds pause{100};

  bool visible_;
  bool shown_ = false;
  std::string verb_;
  std::uint64_t total_;
  Clock::time_point start_ = Clock::now();
  Clock::time_point next_ = start_ + pause;
};

/// "drained 1200 of 5000 messages (24%), 1.2 MiB, 600/s, 7s left"
[[nodiscard]] std::string progress_line(const std::string& verb, std::uint64_t messages,
                                        std::uint64_t total, std::uint64_t bytes, double seconds);

}  // namespace spillring::tools
