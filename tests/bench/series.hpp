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
  /// In Kind::load: the messages a second that the windows to come are to have.
  void ask(double rate) { asked_.push_back(rate); }
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
    std::vector<double> shared, own;                 // bytes
    std::vector<double> rates;                       // messages a second
    std::vector<double> senders, receivers, others;  // processors
    Histogram round_trips;
  };
  [[nodiscard]] bool is_far() const { return near_.values.empty(); }
  [[nodiscard]] const Windows& windows() const { return is_far() ? far_ : near_; }
  [[nodiscard]] bool is_distribution() const {
    return work_.kind == Kind::round_trip || work_.kind == Kind::load;
  }
  [[nodiscard]] std::string processors_text() const;
  [[nodiscard]] double of_values(double q) const;

  Work work_;
  Windows near_, far_;
  std::vector<double> asked_;
  unsigned discarded_ = 0;  // and done again
  std::string missing_;
};

}  // namespace spillring::bench
