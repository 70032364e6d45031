// Kills a supervisor at an instruction: `step [--both] KEEPER SUPERVISOR STAGE...`.
//
// A stage is `at:OFFSET:HIT[:OFFSET:HIT]:STEPS`, so many instructions behind the HITth time that
// any thread comes to the instruction at OFFSET of the program (and from there to a second one), or
// `call:CALL:STEPS`, behind the CALLth system call since the program was started. STEPS `-` ends
// where the function returns, and tells instructions on the way, for `at`. The first stage is that
// of SUPERVISOR, each further one that of the supervisor that KEEPER starts next. `--both`: KEEPER
// dies in the same moment as the last.
//
// Only one thread goes step by step; the others go on as they like. What is not reached within
// `patience` is killed where it is by then. Prints an empty object once it waits for the first
// stage, and in the end what it did.
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "traced.hpp"

namespace {

using namespace traced;

constexpr time_t patience = 2;  // seconds for a stage
// Of a function that is measured: steps, between two points on the way, and of one that comes
// again.
constexpr std::uint64_t longest = 40'000;
constexpr std::uint64_t apart = 64;
constexpr std::uint64_t most_hits = 64;
constexpr Word breakpoint = 0xcc;  // int3
constexpr Word options = PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
                         PTRACE_O_TRACEEXEC | PTRACE_O_TRACESYSGOOD;

volatile sig_atomic_t too_late = 0;

/// From now on; again and again, as the first alarm may come just before a wait.
void be_patient() {
  const itimerval time{{0, 10'000}, {patience, 0}};
  ::setitimer(ITIMER_REAL, &time, nullptr);
  too_late = 0;
}

/// Of one of those that are traced. Throws `Missed`.
Stop next_stop() {
  Stop stop;
  while ((stop.thread = ::waitpid(-1, &stop.status, __WALL)) < 0) {
    if (errno != EINTR || too_late != 0) throw Missed();
  }
  return stop;
}

/// An instruction of the program, and how often it is come to.
struct Point {
  Word offset = 0;
  std::uint64_t hit = 0;
};

struct Stage {
  std::vector<Point> points;
  std::uint64_t call = 0;  // without points
  std::optional<std::uint64_t> steps;
};

Stage stage_of(const std::string& text) {
  std::istringstream words(text);
  std::vector<std::string> word;
  for (std::string each; std::getline(words, each, ':');) word.push_back(each);
  Stage stage;
  if (word.back() != "-") stage.steps = std::stoull(word.back());
  if (word[0] == "call") stage.call = std::stoull(word[1]);
  for (std::size_t i = 1; word[0] == "at" && i + 2 < word.size(); i += 2) {
    stage.points.push_back({std::stoull(word[i]), std::stoull(word[i + 1])});
  }
  return stage;
}

/// From here on the first stage may be reached.
void say_armed() {
  static bool said = false;
  if (!said) std::puts("{}");
  said = true;
  std::fflush(stdout);
}

/// A supervisor that is led to an instruction.
class Supervisor {
 public:
  /// Only its one thread, if it has just been started.
  explicit Supervisor(pid_t pid) : pid_(pid), threads_{pid} {}
  [[nodiscard]] pid_t pid() const noexcept { return pid_; }

  /// One that runs: all of its threads, which are stopped afterwards.
  void seize() {
    const std::filesystem::path tasks = "/proc/" + std::to_string(pid_) + "/task";
    std::set<pid_t> seized;
    for (bool more = true; more;) {
      more = false;
      for (const auto& task : std::filesystem::directory_iterator(tasks)) {
        const pid_t thread = std::stoi(task.path().filename().string());
        if (!seized.insert(thread).second) continue;
        trace(PTRACE_SEIZE, thread, 0, options);
        trace(PTRACE_INTERRUPT, thread);
        more = true;
      }
    }
    for (threads_ = seized; !seized.empty();) {
      const Stop stop = next_stop();
      if (stop.event() != PTRACE_EVENT_STOP || seized.erase(stop.thread) == 0) pass(stop);
    }
  }

  void go(const Stage& stage) {
    for (const Point& point : stage.points) go_to(point);
    if (stage.points.empty()) go_to_call(stage.call);
    reached_ = true;
    if (!stage.steps) return step_out();
    while (steps_ < *stage.steps) step(stepped_);
  }

  void report() const {
    Place place;
    try {
      if (stepped_ != 0) place = place_of(pid_, get(stepped_, instruction_pointer));
    } catch (const Missed&) {  // it has ended by itself
    }
    std::printf("{\"reached\": %s, \"steps\": %llu, \"calls\": %llu, \"file\": \"%s\", ",
                reached_ ? "true" : "false", static_cast<unsigned long long>(steps_),
                static_cast<unsigned long long>(calls_), place.file.c_str());
    std::printf("\"offset\": %llu, \"way\": [", static_cast<unsigned long long>(place.offset));
    for (const auto& [steps, point] : way_) {
      std::printf("%s[%llu, %llu, %llu]", steps == way_.begin()->first ? "" : ", ",
                  static_cast<unsigned long long>(steps),
                  static_cast<unsigned long long>(point.offset),
                  static_cast<unsigned long long>(point.hit));
    }
    std::printf("]}");
  }

 private:
  /// The first time: whoever comes there. Then it is that thread.
  void go_to(const Point& point) {
    const pid_t only = stepped_;
    const Word address = program_of(pid_).begin + point.offset;
    traps_.push_back(address);
    const Word byte = exchange_byte(only != 0 ? only : pid_, address, breakpoint);
    if (only != 0) {
      trace(PTRACE_CONT, only);
    } else {
      for (const pid_t thread : threads_) trace(PTRACE_CONT, thread);
      say_armed();
    }
    for (std::uint64_t left = point.hit;;) {
      const Stop stop = next_stop();
      if (trap_of(stop) != address) {
        pass(stop);
        continue;
      }
      set(stop.thread, instruction_pointer, address);
      exchange_byte(stop.thread, address, byte);
      if ((only == 0 || only == stop.thread) && --left == 0) {
        stepped_ = stop.thread;
        break;
      }
      step(stop.thread);
      exchange_byte(stop.thread, address, breakpoint);
      trace(PTRACE_CONT, stop.thread);
    }
    steps_ = 0;
  }

  /// Which breakpoint a thread has come to; 0: none. It may be one that was taken away meanwhile.
  [[nodiscard]] Word trap_of(const Stop& stop) const {
    if (!stop.trap()) return 0;
    const Word at = get(stop.thread, instruction_pointer) - 1;
    return std::find(traps_.begin(), traps_.end(), at) != traps_.end() ? at : 0;
  }

  /// At the latest where it first waits for something to do: it has recovered by then.
  void go_to_call(std::uint64_t call) {
    trace(PTRACE_SYSCALL, pid_);
    for (bool inside = false;;) {
      const Stop stop = next_stop();
      if (stop.thread != pid_ || !stop.call()) {
        pass(stop, PTRACE_SYSCALL);
        continue;
      }
      inside = !inside;
      stepped_ = pid_;
      if (inside && (++calls_ == call || get(pid_, system_call) == SYS_epoll_wait)) return;
      trace(PTRACE_SYSCALL, pid_);
    }
  }

  void step(pid_t thread) {
    trace(PTRACE_SINGLESTEP, thread);
    for (;;) {
      const Stop stop = next_stop();
      if (stop.thread == thread && stop.trap()) break;
      pass(stop, PTRACE_SINGLESTEP);
    }
    ++steps_;
  }

  /// To the function's end, or as far as is measured.
  void step_out() {
    const Program program = program_of(pid_);
    const Word stack = get(stepped_, stack_pointer);
    const Word behind = trace(PTRACE_PEEKDATA, stepped_, stack);
    std::map<Word, std::uint64_t> hits;
    for (Word at = 0; steps_ < longest;) {
      step(stepped_);
      at = get(stepped_, instruction_pointer);
      if (at == behind && get(stepped_, stack_pointer) > stack) return;
      const std::uint64_t hit = ++hits[at];
      const std::uint64_t last = way_.empty() ? 0 : way_.rbegin()->first;
      if (hit > most_hits || steps_ < last + apart || !program.contains(at)) continue;
      way_.emplace(steps_, Point{at - program.begin, hit});
    }
  }

  /// Lets go on who has stopped for another reason; `how`: the thread that is led.
  void pass(const Stop& stop, int how = PTRACE_CONT) const {
    const bool led = stop.thread == (stepped_ != 0 ? stepped_ : pid_);
    if (!stop.stopped()) {
      if (led || stop.thread == pid_) throw Missed();
      return;
    }
    try {
      if (const Word trap = trap_of(stop); trap != 0) set(stop.thread, instruction_pointer, trap);
      trace(led ? how : static_cast<int>(PTRACE_CONT), stop.thread, 0, stop.signal());
    } catch (const Missed&) {
      if (led) throw;
    }
  }

  pid_t pid_;
  std::set<pid_t> threads_;
  std::vector<Word> traps_;
  pid_t stepped_ = 0;  // the thread
  bool reached_ = false;
  std::uint64_t steps_ = 0;
  std::uint64_t calls_ = 0;
  std::map<std::uint64_t, Point> way_;  // by steps
};

/// Kills one, and waits until it is gone; if another is to come, returns that, which stands before
/// the first instruction of its program.
pid_t kill_and_follow(pid_t supervisor, bool another) {
  be_patient();
  ::kill(supervisor, SIGKILL);
  pid_t next = 0;
  for (bool ended = false; !ended || (another && next == 0);) {
    const Stop stop = next_stop();
    if (!stop.stopped()) {
      ended = ended || stop.thread == supervisor;
    } else if (stop.event() == PTRACE_EVENT_EXEC) {
      next = stop.thread;
    } else {
      try {
        trace(PTRACE_CONT, stop.thread, 0, stop.signal());
      } catch (const Missed&) {  // one that is dying
      }
    }
  }
  return next;
}

double seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

void run(pid_t keeper, pid_t first, bool both, const std::vector<Stage>& stages) {
  if (stages.size() > 1) trace(PTRACE_SEIZE, keeper, 0, options);
  Supervisor supervisor(first);
  double killed = 0;
  std::string separator = "{\"stages\": [";
  for (std::size_t i = 0; i < stages.size(); ++i) {
    const bool last = i + 1 == stages.size();
    be_patient();
    try {
      if (i == 0) supervisor.seize();
      supervisor.go(stages[i]);
    } catch (const Missed&) {  // then it is killed here
    }
    std::printf("%s", separator.c_str());
    separator = ", ";
    supervisor.report();
    if (last && both) ::kill(keeper, SIGKILL);
    killed = seconds();
    supervisor = Supervisor(kill_and_follow(supervisor.pid(), !last));
  }
  std::printf("], \"killed\": %.6f}\n", killed);
}

}  // namespace

int main(int argc, char** argv) try {
  const bool both = argc > 1 && std::string_view(argv[1]) == "--both";
  if (argc < (both ? 5 : 4)) {
    std::fputs("usage: step [--both] KEEPER SUPERVISOR STAGE...\n", stderr);
    return 64;
  }
  struct sigaction action = {};
  action.sa_handler = [](int) { too_late = 1; };  // without SA_RESTART: it ends a wait
  ::sigaction(SIGALRM, &action, nullptr);
  std::vector<Stage> stages;
  for (int i = both ? 4 : 3; i < argc; ++i) stages.push_back(stage_of(argv[i]));
  run(std::stoi(argv[both ? 2 : 1]), std::stoi(argv[both ? 3 : 2]), both, stages);
  return 0;
} catch (const Missed&) {
  std::fputs("step: a process was not there any more, or none came\n", stderr);
  return 1;
} catch (const std::exception& failure) {
  std::fprintf(stderr, "step: %s\n", failure.what());
  return 1;
}
