// So many a second, and no more.
#pragma once

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdint>
#include <string>

namespace spillring::tools {

class Rate {
 public:
  /// Adds --rate.
  void add_option(CLI::App& app);
  /// Returns when the next one may go. Throws `Interrupted` where a signal was put off.
  void wait();

 private:
  using Clock = std::chrono::steady_clock;
  void set(const std::string& label, const std::string& value);

  double per_second_ = 0;  // 0: as many as can be
  std::uint64_t gone_ = 0;
  Clock::time_point start_;
};

}  // namespace spillring::tools
