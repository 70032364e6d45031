// A scenario set up: a supervisor, a queue with a past, others that use it, and the one that is
// led through the operation instruction by instruction.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "actor.hpp"
#include "ledger.hpp"
#include "regime.hpp"
#include "scenario.hpp"

namespace points {

/// The others: they live through it all, and what they see is judged.
class Others {
 public:
  Others(const std::string& socket, Ledger& ledger);
  Others(const Others&) = delete;
  Others& operator=(const Others&) = delete;
  ~Others();

  /// What the queue has been through before.
  void live_through(const Scenario& scenario, const Setting& setting);
  /// Takes what there is and sends one more. If somebody is in the way of anything, it goes to
  /// sleep for that, on a thread of its own, and this returns when it sleeps.
  void fall_asleep(std::chrono::milliseconds patience);
  /// What the queue is for: one message through it, and everything that was there before. Returns
  /// false, and complains, when that does not come within `patience`.
  bool serve(std::chrono::milliseconds patience);
  /// Sends one, and takes what there is, as far as nobody is in the way. Waits for nothing.
  void pass_by();
  /// More than the queue has slots goes through it, while `views` of it stay in use.
  bool turn_over(std::chrono::milliseconds patience);
  /// Makes room where there is none.
  void make_room();
  /// What is in hand is whole, and is finished with.
  void look_and_finish();
  /// Whatever came of it: all that was sent comes once or was finished, nothing else comes, and the
  /// queue works on.
  void judge();

 private:
  /// Takes what there is; true if everything that has to come has come, up to message `n`.
  bool drain();
  [[nodiscard]] bool all_there() const;

  Ledger& ledger_;
  Actor actor_;
  bool reads_ = false;
  std::atomic<pid_t> sleeper_thread_ = 0;
  std::thread sleeper_;
};

/// The one that is led. A child process; traced until it is let go.
class Led {
 public:
  enum class At : std::uint8_t { instruction, asleep, end };

  Led(const std::string& socket, Ledger& ledger, const Scenario& scenario, const Setting& setting);
  Led(const Led&) = delete;
  Led& operator=(const Led&) = delete;
  ~Led();

  [[nodiscard]] std::uint64_t address() const;
  /// True if the next instruction is a system call.
  [[nodiscard]] bool before_call() const;
  /// One instruction on; through a system call to its end, unless that sleeps: then the next call
  /// of this goes on waiting for it.
  At step();
  /// So many, as far as they can be gone without being woken.
  At go(std::uint64_t steps);

  void kill();
  /// By SIGSTOP, as people and shells do it.
  void stop();
  /// By SIGCONT, or from where it is led: it runs to the operation's end by itself.
  void let_go();
  /// True when it came to its end by itself.
  bool await_end(std::chrono::milliseconds patience);

 private:
  bool await_stop(std::chrono::milliseconds patience);
  /// Out of the system call that it sleeps in.
  void interrupt();

  pid_t pid_ = 0;
  int status_ = 0;
  bool asleep_ = false;
  bool traced_ = true;
  bool ended_ = false;
};

struct Stage {
  Stage(const Scenario& what, const Setting& how, const Regime::Options& options,
        const spillring::QueueOptions& queue);

  const Scenario& scenario;
  SharedLedger ledger;
  Regime regime;
  Others others;
  std::unique_ptr<Led> led;
};

}  // namespace points
