// Ourselves, a reference ring, the limits of the machine and rivals, doing the same work in one
// run.
//
//   bench_compare [WORK...] [--peers A,B] [--rounds N] [--windows N] [--patience S]
//                 [--programs FILE] [--json FILE] [--list]
//
// For each work the peers take turns, a round at a time; works that are compared with each other
// are done side by side. A round is fresh processes, a window that
// is not counted, and so many that are; each between two probes of how far apart the two cores are
// at that moment. Of works that keep both cores busy, windows whose cores were elsewhere than where
// the run has them (Placement) are discarded and done again, a bounded number of times; then they
// are kept, and counted as unsure. Every payload is checked. Exit status 1 if ourselves or a
// yardstick failed, or lost or changed a message; where a rival does, the report says so in the
// place of its figures.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <thread>

#include "cast.hpp"
#include "directory.hpp"
#include "probe.hpp"
#include "program.hpp"
#include "series.hpp"

namespace spillring::bench {

std::vector<Peer>& all_peers() {
  static std::vector<Peer> peers;
  return peers;
}

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

struct Options {
  std::vector<std::string> works, peers;
  unsigned rounds = 5;
  unsigned windows = 2;
  unsigned patience = 60;  ///< seconds for a work's windows to find the cores near
  std::string json, programs;
  bool list = false;
};

/// Rivals that could not be built here: their reason takes the place of their figures.
void add_missing_peers() {
  struct Missing {
    const char *name, *package;
  };
  for (const Missing& missing : std::initializer_list<Missing>{SPILLRING_BENCH_MISSING}) {
    std::string why = std::string("not built: ") + missing.package + " is not installed";
    all_peers().push_back({.name = missing.name,
                           .settings = why,
                           .cannot = [why](const Work&) { return why; },
                           .set = {}});
  }
}

/// By name, but ourselves and the yardsticks first.
void sort_for_report(std::vector<Peer>& peers) {
  static const std::vector<std::string> first{"spillring", "ring", "lines", "futex", "memcpy"};
  const auto rank = [](const Peer& peer) {
    return std::find(first.begin(), first.end(), peer.name) - first.begin();
  };
  std::sort(peers.begin(), peers.end(), [&](const Peer& a, const Peer& b) {
    return std::pair(rank(a), a.name) < std::pair(rank(b), b.name);
  });
}

/// Of one work, a series for each peer that has to do with it.
struct Results {
  Results(const Work& its_work, const std::vector<Peer>& peers) : work(its_work) {
    for (const Peer& peer : peers) {
      if (peer.python != work.python || (work.ours() && peer.name != "spillring")) continue;
      const std::string why = peer.cannot(work);
      // Curves are ours, beside what has one to show.
      if (!work.curve.empty() && (peer.rival || !why.empty())) continue;
      names.push_back(peer.name);
      series.emplace(peer.name, work).first->second.missing(why);
    }
  }
  Work work;
  std::vector<std::string> names;  // in the order of the report
  std::map<std::string, Series> series;
};

class Bench {
 public:
  explicit Bench(const Options& options) : options_(options) {}

  /// Works that take turns, with all peers, in turns.
  void run(const std::vector<Work>& works, const std::vector<Peer>& peers) {
    const auto begin = Clock::now();
    give_up_ = begin + works.size() * std::chrono::seconds(options_.patience);
    const unsigned rounds =
        works.front().one_of_many() ? (options_.rounds + 1) / 2 : options_.rounds;
    std::vector<Results> all;
    all.reserve(works.size());
    for (const Work& work : works) all.emplace_back(work, peers);
    for (unsigned round = 0; round < rounds; ++round) {
      for (const Peer& peer : peers) {
        for (Results& results : all) one_round(peer, results);
      }
    }
    for (const Results& results : all) report(results);
    results_["seconds"][works.front().name] =
        std::chrono::duration<double>(Clock::now() - begin).count();
  }
  [[nodiscard]] bool failed() const { return failed_; }
  [[nodiscard]] const nlohmann::json& results() const { return results_; }

 private:
  void one_round(const Peer& peer, Results& results) {
    const auto found = results.series.find(peer.name);
    if (found == results.series.end() || !found->second.why_missing().empty()) return;
    const Work& work = results.work;
    Series& series = found->second;
    try {
      const Directory directory;
      if (work.kind == Kind::attach) return attach(peer, work, series);
      Cast cast(peer, work, directory.path());
      warm_up(cast, peer, work);
      const std::uint64_t pace = work.kind == Kind::load ? pace_for(work, cast, series) : work.pace;
      for (unsigned kept = 0; kept < options_.windows;) {
        const bool near_before = work.kind == Kind::cpu || wait_until_near();
        const Cast::Outcome outcome = cast.run(pace);
        // Of who sleeps, the end of a window says little about it: a core that halts changes
        // places.
        const bool near = near_before && (work.wait != Wait::busy || peer.sleeps || is_near());
        if (near || Clock::now() > give_up_) {
          series.add(outcome, near);
          ++kept;
        } else {
          series.discard();
        }
      }
    } catch (const Unable& error) {
      series.missing(error.what());
    } catch (const Wrong& error) {
      failed_ = failed_ || !peer.rival;
      series.missing(std::string("wrong: ") + error.what());
    } catch (const std::exception& error) {
      failed_ = failed_ || !peer.rival;
      series.missing(std::string("failed: ") + error.what());
    }
  }
  /// Memory that was there from the beginning is touched by all, and twice.
  static void warm_up(Cast& cast, const Peer& peer, const Work& work) {
    constexpr unsigned most = 30;
    std::size_t bytes = 0;
    for (unsigned i = 0; i < peer.warmups || (i < most && bytes < 2 * work.capacity); ++i) {
      bytes += cast.run(work.pace).messages * work.size;
    }
  }
  /// That part of what these processes can do just now.
  std::uint64_t pace_for(const Work& work, Cast& cast, Series& series) {
    std::vector<double> rates;
    for (int i = 0; i < 3; ++i) {
      wait_until_near();
      rates.push_back(cast.run().rate());
    }
    std::sort(rates.begin(), rates.end());
    const double rate = work.part * rates[1];
    series.ask(rate);
    return static_cast<std::uint64_t>(1e12 / rate);
  }
  /// Each time is a first time.
  void attach(const Peer& peer, const Work& work, Series& series) {
    for (unsigned i = 0; i < options_.windows; ++i) {
      const Directory directory;
      Cast cast(peer, work, directory.path());
      wait_until_near();
      series.add(cast.run(), true);
    }
  }
  bool is_near() {
    probes_.push_back(probe_.round_trip());
    return placement_.holds(probes_.back());
  }
  /// The cores come near by themselves; mostly soon, and sometimes not for a long time.
  bool wait_until_near() {
    do {
      if (is_near()) return true;
      std::this_thread::sleep_for(10ms);
    } while (Clock::now() < give_up_);
    return false;
  }
  void report(const Results& all) {
    std::printf("%s\n", all.work.name.c_str());
    for (const std::string& name : all.names) {
      const Series& series = all.series.at(name);
      std::printf("  %-22s %s\n", name.c_str(), series.text().c_str());
      results_["works"][all.work.name][name] = series.json();
    }
    const auto ours = all.series.find("spillring");
    const auto ring = all.series.find("ring");
    if (ours != all.series.end() && ring != all.series.end() && !ours->second.empty() &&
        !ring->second.empty()) {
      std::printf("  %-22s %.3f\n", "spillring / ring",
                  ours->second.median() / ring->second.median());
    }
    if (!all.work.curve.empty()) {
      results_["curves"][std::string(all.work.curve)][all.work.name] = all.work.at;
    }
    std::fflush(stdout);
    results_["probes"] = probes_;
    results_["placement"] = {placement_.least(), placement_.most()};
  }

  Options options_;
  Probe probe_;
  Placement placement_ = Placement::find(probe_);
  Clock::time_point give_up_;  // from then on windows are kept wherever the cores are
  std::vector<std::uint64_t> probes_;
  nlohmann::json results_;
  bool failed_ = false;
};

Options parse(int argc, char** argv) {
  Options options;
  CLI::App app("Compares Spillring with a reference ring, the machine's limits and rivals.");
  app.add_option("work", options.works, "what to do; all works without any");
  app.add_option("--peers", options.peers, "only these")->allow_extra_args(false)->delimiter(',');
  app.add_option("--rounds", options.rounds, "fresh processes so many times")
      ->capture_default_str();
  app.add_option("--windows", options.windows, "counted windows of each round")
      ->capture_default_str();
  app.add_option("--patience", options.patience,
                 "seconds after which a work's windows are kept although the cores are far apart")
      ->capture_default_str();
  app.add_option("--programs", options.programs, "rivals that are programs, as program.hpp says");
  app.add_option("--json", options.json, "write the results to this file");
  app.add_flag("--list", options.list, "say which works and peers there are");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    std::exit(app.exit(error) == 0 ? 0 : 64);
  }
  return options;
}

[[noreturn]] void refuse(const std::string& what) {
  std::fprintf(stderr, "bench_compare: %s; bench_compare --list says what there is\n",
               what.c_str());
  std::exit(64);
}

std::vector<Work> chosen_works(const Options& options) {
  if (options.works.empty()) return all_works();
  std::vector<Work> works;
  for (const std::string& name : options.works) {
    const auto work = find_work(name);
    if (!work) refuse("there is no work '" + name + "'");
    works.push_back(*work);
  }
  return works;
}

/// Those that take turns together; the sets in the order of their first works.
std::vector<std::vector<Work>> in_turns(const std::vector<Work>& works) {
  std::vector<std::vector<Work>> sets;
  for (const Work& work : works) {
    const auto its = std::find_if(sets.begin(), sets.end(), [&](const std::vector<Work>& set) {
      return !work.turns.empty() && set.front().turns == work.turns;
    });
    if (its != sets.end()) {
      its->push_back(work);
    } else {
      sets.push_back({work});
    }
  }
  return sets;
}

std::vector<Peer> chosen_peers(const Options& options) {
  std::vector<Peer> peers;
  if (options.peers.empty()) peers = all_peers();
  for (const std::string& name : options.peers) {
    const auto found = std::find_if(all_peers().begin(), all_peers().end(),
                                    [&](const Peer& peer) { return peer.name == name; });
    if (found == all_peers().end()) refuse("there is no peer '" + name + "'");
    peers.push_back(*found);
  }
  sort_for_report(peers);
  return peers;
}

void list() {
  for (const Work& work : all_works()) std::cout << "work " << work.name << '\n';
  auto peers = all_peers();
  sort_for_report(peers);
  for (const Peer& peer : peers) std::cout << "peer " << peer.name << ": " << peer.settings << '\n';
}

int run(const Options& options) {
  const std::vector<Work> works = chosen_works(options);
  const std::vector<Peer> peers = chosen_peers(options);
  nanoseconds_per_tick();
  Bench bench(options);
  for (const auto& turns : in_turns(works)) bench.run(turns, peers);
  if (!options.json.empty()) {
    nlohmann::json results = bench.results();
    results["build"] = SPILLRING_BENCH_BUILD;
    for (const Peer& peer : peers) results["settings"][peer.name] = peer.settings;
    std::ofstream(options.json) << results.dump(1) << '\n';
  }
  return bench.failed() ? 1 : 0;
}

}  // namespace
}  // namespace spillring::bench

int main(int argc, char** argv) {
  using namespace spillring::bench;
  try {
    const Options options = parse(argc, argv);
    add_missing_peers();
    if (!options.programs.empty()) add_programs(options.programs);
    if (options.list) {
      list();
      return 0;
    }
    return run(options);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_compare: %s\n", error.what());
    return 70;
  }
}
