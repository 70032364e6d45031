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

  /// `near`: the probes around the window found the cores beside each other. Of others, only those
  /// are told that have no near ones beside them.
  void add(const Cast::Outcome& outcome, bool near);
  void discard() { ++discarded_; }
  void missing(std::string why) { missing_ = std::move(why); }

  /// Nanoseconds (less is better), or messages a second.
  [[nodiscard]] double median() const { return of_values(0.5); }
  [[nodiscard]] bool empty() const { return near_.values.empty() && far_.values.empty(); }
  [[nodiscard]] const std::string& why_missing() const { return missing_; }
  /// One line for people.
  [[nodiscard]] std::string text() const;
  [[nodiscard]] nlohmann::json json() const;

 private:
  struct Windows {
    std::vector<double> values;
    std::vector<double> p99s;
    std::vector<double> shared, own;  // bytes
    Histogram round_trips;
  };
  [[nodiscard]] bool is_far() const { return near_.values.empty(); }
  [[nodiscard]] const Windows& windows() const { return is_far() ? far_ : near_; }
  [[nodiscard]] double of_values(double q) const;

  Work work_;
  Windows near_, far_;
  unsigned discarded_ = 0;  // and done again
  std::string missing_;
};

}  // namespace spillring::bench
