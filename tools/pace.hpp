// Messages with the gaps that they were sent with.
#pragma once

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdint>
#include <string>

namespace spillring::tools {

class Pace {
 public:
  /// Adds --speed.
  void add_option(CLI::App& app);
  /// False: as fast as can be.
  [[nodiscard]] bool keeps_time() const noexcept { return factor_ != 0; }
  /// Returns when a message that was sent then is due: at once for the first one, and for one that
  /// is late. Throws `Interrupted` where a signal was put off.
  void wait_for(std::uint64_t timestamp_ns);

 private:
  using Clock = std::chrono::steady_clock;

  void set(const std::string& label, const std::string& value);
  [[nodiscard]] Clock::time_point due(std::uint64_t timestamp_ns) const;

  double factor_ = 0;
  bool begun_ = false;
  std::uint64_t first_ = 0;  // when the first message was sent
  Clock::time_point start_;  // when it was due
};

}  // namespace spillring::tools
