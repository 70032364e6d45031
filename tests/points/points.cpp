// Killed at every instruction, seen from the clients' side: one scenario, tried in one way.
//
//   points images|kills|stops|pairs SCENARIO SEED MOST
//
// images  What the shared memory is after each instruction of the operation: each distinct image is
//         what a kill would leave there. A supervisor takes over each of them, as after the death
//         of everybody, and others go on.
// kills   A real SIGKILL where the memory has changed, and before and after each system call, while
//         others and a supervisor live. Prints how long it took until all were served.
// stops   SIGSTOP at the same places; others go on meanwhile; SIGCONT; it comes to its end.
// pairs   At the same places others do something whole in between; then it is killed, or goes on.
//
// SEED 0 is the setting in scenario.hpp, others are drawn. At most MOST of the places are tried,
// all of them with 0. Prints one JSON object. The tracer, the supervisor and the others are one
// process on one processor, so stepping costs no switch between processors.
#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_set>
#include <utility>
#include <vector>

#include "stage.hpp"
#include "traced.hpp"

namespace {

namespace fs = std::filesystem;
using namespace points;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto stall_timeout = 50ms;
constexpr auto patience = 5000ms;
constexpr std::uint64_t longest = 200'000;  // instructions of an operation that are looked at

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

/// A directory of one's own for sockets and state.
class Place {
 public:
  Place() {
    std::string path = (fs::temp_directory_path() / "spillring-points-XXXXXX").string();
    if (::mkdtemp(path.data()) == nullptr) throw std::runtime_error("no temporary directory");
    path_ = path;
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  ~Place() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  [[nodiscard]] const fs::path& path() const noexcept { return path_; }

 private:
  fs::path path_;
};

/// What was found.
struct Findings {
  std::uint64_t instructions = 0;  // that were gone
  std::uint64_t points = 0;        // that differ in address or in what the memory is there
  std::uint64_t tried = 0;         // images, kills, stops, pairs
  std::uint64_t missed = 0;        // places that were not come to
  std::uint64_t stale = 0;         // calls that were told so
  std::vector<double> seconds;     // until the others were served
  double late = 0;                 // what the machine itself was late meanwhile
  std::array<std::uint64_t, fault_names.size()> faults{};
  std::string where;  // the place of the first violation

  void add(const Ledger& ledger, const std::string& place) {
    stale += ledger.stale;
    ++tried;
    for (std::size_t i = 0; i < faults.size(); ++i) faults[i] += ledger.faults[i];
    if (ledger.complaints() != 0) where = place;
  }
  /// One is enough: what follows is not tried any more.
  [[nodiscard]] bool violated() const noexcept { return !where.empty(); }
};

void print(const Findings& found) {
  const auto print_number = [](const char* name, std::uint64_t number) {
    std::printf("\"%s\": %llu, ", name, static_cast<unsigned long long>(number));
  };
  std::printf("{");
  print_number("instructions", found.instructions);
  print_number("points", found.points);
  print_number("tried", found.tried);
  print_number("missed", found.missed);
  print_number("stale", found.stale);
  std::printf("\"late\": %.4f, \"seconds\": [", found.late);
  for (std::size_t i = 0; i < found.seconds.size(); ++i) {
    std::printf("%s%.5f", i == 0 ? "" : ", ", found.seconds[i]);
  }
  std::printf("], \"faults\": {");
  for (std::size_t i = 0; i < found.faults.size(); ++i) {
    std::printf("%s\"%s\": %llu", i == 0 ? "" : ", ", fault_names[i],
                static_cast<unsigned long long>(found.faults[i]));
  }
  std::printf("}, \"where\": \"%s\"}\n", found.where.c_str());
}

/// How late a thread that only sleeps wakes up.
class Lateness {
 public:
  Lateness()
      : thread_([this] {
          while (!done_) {
            const auto until = Clock::now() + 1ms;
            std::this_thread::sleep_until(until);
            worst_ = std::max(worst_.load(), seconds_since(until));
          }
        }) {}
  Lateness(const Lateness&) = delete;
  Lateness& operator=(const Lateness&) = delete;
  ~Lateness() {
    done_ = true;
    thread_.join();
  }
  [[nodiscard]] double worst() const noexcept { return worst_; }

 private:
  std::atomic<bool> done_ = false;
  std::atomic<double> worst_ = 0;
  std::thread thread_;
};

/// A place within an operation.
struct Where {
  std::uint64_t steps = 0;
  bool asleep = false;  // in the system call that begins there
};

class Trial {
 public:
  Trial(const Scenario& scenario, std::uint64_t seed, std::uint64_t most)
      : scenario_(scenario), seed_(seed), most_(most) {
    std::mt19937_64 random(seed);
    if (seed != 0) setting_ = drawn(random);
  }

  Findings images();
  Findings kills();
  Findings stops();
  Findings pairs();

 private:
  struct Case {
    Image image;
    std::unique_ptr<SharedLedger> ledger;
    fs::path state;
    std::uint64_t steps = 0;
  };

  std::unique_ptr<Stage> stage(const spillring::QueueOptions& options);
  [[nodiscard]] fs::path next_path(const char* name) {
    return place_.path() / (name + std::to_string(++made_));
  }
  /// Leads the operation to its end and looks at the memory after each instruction: calls
  /// `seen(steps, at)` where it, or what the ledger says, has changed, and around system calls.
  template <typename Seen>
  void survey(Stage& stage, Image& image, Seen seen);
  std::vector<Where> places();
  bool lead(Stage& stage, const Where& where);
  void keep(Stage& stage, const Image& image, std::uint64_t steps);
  void recover(const Case& left);
  [[nodiscard]] std::string place_text(std::uint64_t steps) const {
    return scenario_.name + " (" + setting_.text() + ") + " + std::to_string(steps);
  }

  const Scenario& scenario_;
  Setting setting_;
  std::uint64_t seed_;
  std::uint64_t most_;
  Place place_;
  unsigned made_ = 0;
  fs::path state_;  // of the stage that was made last
  Findings found_;
  std::vector<Case> cases_;
  std::unordered_set<std::uint64_t> images_;
};

std::unique_ptr<Stage> Trial::stage(const spillring::QueueOptions& options) {
  state_ = scenario_.on_disk ? next_path("state") : fs::path();
  return std::make_unique<Stage>(
      scenario_, setting_, Regime::Options{.socket = next_path("s"), .state_dir = state_}, options);
}

std::uint64_t hash_of(const Image& image, std::uint64_t seed) {
  return XXH3_64bits_withSeed(image.bytes.data(), image.bytes.size(), seed + image.parts.size());
}

std::uint64_t hash_of(const Ledger& ledger) {
  return XXH3_64bits(static_cast<const void*>(&ledger), sizeof ledger);
}

template <typename Seen>
void Trial::survey(Stage& stage, Image& image, Seen seen) {
  stage.regime.settle();
  stage.regime.copy(image);
  std::uint64_t told = hash_of(*stage.ledger);
  std::set<std::pair<std::uint64_t, std::uint64_t>> points;
  std::unordered_set<std::uint64_t> images{hash_of(image, 0)};
  std::uint64_t ordinal = hash_of(image, 0);
  std::uint64_t steps = 0;
  bool has_room = false;
  seen(steps, Led::At::instruction);
  for (Led::At at = Led::At::instruction; at != Led::At::end && steps < longest;) {
    const bool calls = at == Led::At::instruction && stage.led->before_call();
    if (at == Led::At::instruction) points.emplace(stage.led->address(), ordinal);
    if (calls) seen(steps, Led::At::instruction);
    at = stage.led->step();
    if (at == Led::At::asleep) {
      seen(steps, at);
      if (scenario_.full && !std::exchange(has_room, true)) stage.others.make_room();
      continue;
    }
    ++steps;
    if (calls || has_room) stage.regime.settle();
    bool changed = false;
    while (!stage.regime.same_as(image)) changed = true;
    const std::uint64_t tells = hash_of(*stage.ledger);
    changed = std::exchange(told, tells) != tells || changed;
    if (changed) ordinal = hash_of(image, 0);
    if (changed || calls) seen(steps, at);
  }
  found_.instructions += steps;
  found_.points += points.size();
}

void Trial::keep(Stage& stage, const Image& image, std::uint64_t steps) {
  if (!images_.insert(hash_of(image, hash_of(*stage.ledger))).second) return;
  Case left{image, std::make_unique<SharedLedger>(*stage.ledger), {}, steps};
  if (scenario_.on_disk) {
    left.state = next_path("state");
    fs::copy(state_, left.state, fs::copy_options::recursive);
  }
  cases_.push_back(std::move(left));
}

/// As after the death of everybody: the next supervisor finds the memory, and nobody who uses it.
void Trial::recover(const Case& left) {
  Ledger& ledger = **left.ledger;
  try {
    const Regime regime({.socket = next_path("s"), .state_dir = left.state}, left.image);
    Others others(regime.socket(), ledger);
    if (scenario_.full) others.make_room();
    others.judge();
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "%s: %s\n", place_text(left.steps).c_str(), failure.what());
    ledger.complain(Fault::refused);
  }
  found_.add(ledger, place_text(left.steps));
}

Findings Trial::images() {
  {
    const auto stage = this->stage(scenario_.options);
    Image image;
    survey(*stage, image, [&](std::uint64_t steps, Led::At) { keep(*stage, image, steps); });
  }
  const std::size_t stride = most_ == 0 ? 1 : std::max<std::size_t>(1, cases_.size() / most_);
  for (std::size_t i = 0; i < cases_.size() && !found_.violated(); i += stride) recover(cases_[i]);
  return found_;
}

std::vector<Where> Trial::places() {
  std::vector<Where> all;
  const auto stage = this->stage(scenario_.options);
  Image image;
  survey(*stage, image, [&](std::uint64_t steps, Led::At at) {
    if (at != Led::At::end) all.push_back({steps, at == Led::At::asleep});
  });
  if (most_ == 0 || all.size() <= most_) return all;
  // Spread evenly, and each time others.
  std::vector<Where> some;
  std::mt19937_64 random(seed_ + 1);
  const double apart = static_cast<double>(all.size()) / static_cast<double>(most_);
  const double first = apart * static_cast<double>(random() % 1024) / 1024;
  for (double at = first; at < static_cast<double>(all.size()); at += apart) {
    some.push_back(all[static_cast<std::size_t>(at)]);
  }
  return some;
}

/// False: it has come to its end before, as the next run of it may be shorter.
bool Trial::lead(Stage& stage, const Where& where) {
  for (std::uint64_t steps = 0; steps < where.steps;) {
    const Led::At at = stage.led->step();
    if (at == Led::At::end) return false;
    if (at == Led::At::instruction) ++steps;
    if (at == Led::At::asleep && scenario_.full) return true;
  }
  if (where.asleep) stage.led->step();
  return true;
}

Findings Trial::kills() {
  for (const Where& where : places()) {
    const auto stage = this->stage(scenario_.options);
    if (!lead(*stage, where)) ++found_.missed;
    if (!scenario_.full) stage->others.fall_asleep(patience);
    const auto begin = Clock::now();
    stage->led->kill();
    if (scenario_.full) stage->others.make_room();
    stage->others.serve(patience);
    found_.seconds.push_back(seconds_since(begin));
    stage->others.judge();
    found_.add(*stage->ledger, place_text(where.steps));
    if (found_.violated()) break;
  }
  return found_;
}

Findings Trial::stops() {
  spillring::QueueOptions options = scenario_.options;
  options.stall_timeout = stall_timeout;
  options.lease = stall_timeout;
  const std::vector<Where> all = places();
  for (const Where& where : all) {
    const auto stage = this->stage(options);
    if (!lead(*stage, where)) ++found_.missed;
    stage->led->stop();
    const Lateness lateness;
    const auto begin = Clock::now();
    if (scenario_.full) stage->others.make_room();
    stage->others.serve(patience);
    found_.seconds.push_back(seconds_since(begin));
    found_.late = std::max(found_.late, lateness.worst());
    if (!scenario_.streams) stage->others.turn_over(patience);
    stage->led->let_go();
    if (!stage->led->await_end(patience)) stage->ledger->complain(Fault::stuck);
    stage->others.look_and_finish();
    stage->others.judge();
    found_.add(*stage->ledger, place_text(where.steps));
    if (found_.violated()) break;
  }
  return found_;
}

Findings Trial::pairs() {
  bool goes_on = false;
  for (const Where& where : places()) {
    const auto stage = this->stage(scenario_.options);
    if (!lead(*stage, where)) ++found_.missed;
    stage->others.pass_by();
    goes_on = !goes_on;
    if (goes_on) {
      stage->led->let_go();
      if (scenario_.full) stage->others.make_room();
      if (!stage->led->await_end(patience)) stage->ledger->complain(Fault::stuck);
    } else {
      stage->led->kill();
    }
    stage->others.judge();
    found_.add(*stage->ledger, place_text(where.steps));
    if (found_.violated()) break;
  }
  return found_;
}

/// Tracer, supervisor and all others on one processor.
void stay_here() {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(static_cast<std::size_t>(::sched_getcpu()), &one);
  ::sched_setaffinity(0, sizeof one, &one);
}

Findings tried(std::string_view way, Trial& trial) {
  if (way == "images") return trial.images();
  if (way == "kills") return trial.kills();
  if (way == "stops") return trial.stops();
  if (way == "pairs") return trial.pairs();
  throw std::runtime_error("there is no such way: " + std::string(way));
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc == 2 && argv[1] == std::string_view("--list")) {
    for (const Scenario& scenario : scenarios()) std::puts(scenario.name.c_str());
    return 0;
  }
  if (argc != 5) {
    std::fputs("usage: points images|kills|stops|pairs SCENARIO SEED MOST\n       points --list\n",
               stderr);
    return 64;
  }
  const auto found = std::find_if(scenarios().begin(), scenarios().end(),
                                  [&](const Scenario& each) { return each.name == argv[2]; });
  if (found == scenarios().end()) throw std::runtime_error("there is no such scenario");
  if (argv[1] != std::string_view("stops")) stay_here();
  Trial trial(*found, std::strtoull(argv[3], nullptr, 10), std::strtoull(argv[4], nullptr, 10));
  print(tried(argv[1], trial));
  return 0;
} catch (const std::exception& failure) {
  std::fprintf(stderr, "points: %s\n", failure.what());
  return 1;
} catch (const traced::Missed&) {
  std::fputs("points: the process that is led is not there any more\n", stderr);
  return 1;
}
