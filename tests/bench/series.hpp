// What was measured of one work with one peer, over all rounds.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cast.hpp"
#include "work.hpp"

namespace spillring::bench {

class Series {
 public:
  explicit Series(const Work& work) : work_(work) {}

  /// `near`: both probes around the window found the cores beside each other.
  void add(const Cast::Outcome& outcome, bool near);
  void discard() { ++discarded_; }
  void missing(std::string why) { missing_ = std::move(why); }

  /// Nanoseconds (less is better), or messages a second.
  [[nodiscard]] double median() const { return of_values(0.5); }
  [[nodiscard]] bool empty() const { return values_.empty(); }
  [[nodiscard]] const std::string& why_missing() const { return missing_; }
  /// One line for people.
  [[nodiscard]] std::string text() const;
  [[nodiscard]] nlohmann::json json() const;

 private:
  [[nodiscard]] double of_values(double q) const;

  Work work_;
  std::vector<double> values_;
  std::vector<double> p99s_;
  std::vector<double> shared_, private_;
  Histogram round_trips_;
  unsigned unsure_ = 0;     ///< kept although the cores were not near
  unsigned discarded_ = 0;  ///< because they were not
  std::string missing_;
};

}  // namespace spillring::bench
