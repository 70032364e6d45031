#include "stage.hpp"

#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <stdexcept>
#include <thread>

#include "traced.hpp"

namespace points {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

// ---- the others ---------------------------------------------------------------------------------

namespace {

constexpr std::uint32_t probes = 70;  // more than there are slots
constexpr pid_t awake = -1;           // a sleeper that has got what it slept for
constexpr std::size_t views = 24;     // of so many messages at once

/// In a futex: what it said to the bell it has said by then.
bool sleeps(pid_t thread) {
  std::ifstream call("/proc/self/task/" + std::to_string(thread) + "/syscall");
  long number = -1;
  return call >> number && (number == SYS_futex || number == SYS_futex_waitv);
}

std::uint64_t messages_on_disk(const Actor& actor) { return actor.queue().info().journaled; }

}  // namespace

Others::Others(const std::string& socket, Ledger& ledger)
    : ledger_(ledger), actor_(socket, ledger) {
  actor_.write();
  actor_.join();
}

Others::~Others() {
  if (sleeper_.joinable()) sleeper_.join();
}

void Others::live_through(const Scenario& scenario, const Setting& setting) {
  actor_.follow();
  for (std::uint32_t i = 0; i < setting.before; ++i) {
    actor_.send(setting.size);
    if (!actor_.take(5s) || !actor_.read(5s)) ledger_.complain(Fault::stuck);
    actor_.acknowledge();
  }
  actor_.stop_following();
  const std::uint32_t waiting = std::max(setting.backlog, scenario.backlog);
  for (std::uint32_t i = 0; i < waiting; ++i) actor_.send(setting.size, 5s);
  while (scenario.full && actor_.send(setting.size, 1ms)) {
  }
  if (scenario.alone) actor_.leave();
  while (scenario.backlog > 64 && messages_on_disk(actor_) < scenario.backlog / 2) {
    std::this_thread::sleep_for(1ms);
  }
}

bool Others::all_there() const {
  const std::uint32_t used = ledger_.used;
  for (std::uint32_t n = 0; n < used; ++n) {
    const Fate& fate = ledger_.fates[n];
    if (fate.sent == Sent::yes && fate.acks == 0 && fate.trying == 0) return false;
  }
  return true;
}

bool Others::drain() {
  while (actor_.take()) actor_.acknowledge();
  return all_there();
}

void Others::fall_asleep(std::chrono::milliseconds patience) {
  if (!actor_.is_member()) actor_.join();
  drain();
  actor_.send(least_size, 1ms);
  if (drain()) return;
  sleeper_thread_ = 0;
  sleeper_ = std::thread([this, patience] {
    sleeper_thread_ = ::gettid();
    if (actor_.take(patience)) actor_.acknowledge();
    sleeper_thread_ = awake;
  });
  while (sleeper_thread_ != awake && !sleeps(sleeper_thread_)) std::this_thread::yield();
}

bool Others::serve(std::chrono::milliseconds patience) {
  if (sleeper_.joinable()) sleeper_.join();
  if (!actor_.is_member()) actor_.join();
  const auto until = Clock::now() + patience;
  drain();
  bool sent = actor_.send(least_size, 10ms);
  while (!sent && Clock::now() < until) {
    drain();
    if (reads_) actor_.read(1ms);
    sent = actor_.send(least_size, 10ms);
  }
  bool there = drain();
  while (sent && !there && Clock::now() < until) {
    if (actor_.take(patience)) actor_.acknowledge();
    there = drain();
  }
  if (!sent || !there) ledger_.complain(sent ? Fault::lost : Fault::stuck);
  return sent && there;
}

void Others::pass_by() {
  if (!actor_.is_member()) actor_.join();
  actor_.send(least_size, spillring::no_wait);
  if (actor_.take()) actor_.acknowledge();
  if (actor_.take()) actor_.hand_back();
}

bool Others::turn_over(std::chrono::milliseconds patience) {
  if (!reads_) actor_.follow();
  reads_ = true;
  const auto until = Clock::now() + patience;
  for (std::uint32_t sent = 0; sent < 2 * probes && Clock::now() < until;) {
    while (actor_.read()) {
    }
    if (actor_.send(1000, 10ms)) ++sent;
    // Who waits for a message that a lease is over for gets it; a sender alone would not.
    actor_.take(10ms);
    actor_.acknowledge_and_look_on(views);
  }
  if (Clock::now() >= until) ledger_.complain(Fault::stuck);
  return Clock::now() < until;
}

void Others::make_room() {
  if (!reads_) actor_.follow();
  reads_ = true;
  for (int i = 0; i < 8; ++i) {
    actor_.read(10ms);
    if (actor_.take(10ms)) actor_.acknowledge();
  }
}

void Others::look_and_finish() {
  actor_.look_again();
  while (actor_.holds() > 0) actor_.acknowledge();
}

void Others::judge() {
  if (!reads_) actor_.follow();
  reads_ = true;
  bool well = true;
  for (std::uint32_t i = 0; well && i < probes; ++i) {
    while (actor_.read()) {
    }
    well = serve(5000ms);
  }
  if (drain(); actor_.take(1ms)) ledger_.complain(Fault::ghost);
  const auto until = Clock::now() + 5s;
  const auto unread = [this] {
    for (std::uint32_t n = 0; n < ledger_.used; ++n) {
      if (ledger_.fates[n].sent == Sent::yes && ledger_.fates[n].streamed == 0) return true;
    }
    return false;
  };
  while (unread() && Clock::now() < until) actor_.read(20ms);
  if (unread()) ledger_.complain(Fault::lost);
}

// ---- the one that is led ------------------------------------------------------------------------

namespace {

constexpr auto nap = 20ms;  // a system call that takes longer sleeps

void mark() { asm volatile("int3"); }  // NOLINT(hicpp-no-assembler)

[[noreturn]] void play(const std::string& socket, Ledger& ledger, const Scenario& scenario,
                       const Setting& setting) {
  try {
    ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
    Actor actor(socket, ledger);
    scenario.prepare(actor, setting);
    mark();
    scenario.operate(actor, setting);
    ::_exit(0);
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "points: %s: %s\n", scenario.name.c_str(), failure.what());
    ::_exit(1);
  }
}

/// The same code lies at the same place in this process, whose child it is.
template <typename T>
T code_at(std::uint64_t address) {
  T value{};
  std::memcpy(&value, std::bit_cast<const void*>(address), sizeof value);
  return value;
}

}  // namespace

Led::Led(const std::string& socket, Ledger& ledger, const Scenario& scenario,
         const Setting& setting) {
  pid_ = ::fork();
  if (pid_ == 0) play(socket, ledger, scenario, setting);
  if (!await_stop(10s)) throw std::runtime_error(scenario.name + ": it does not begin");
  traced::trace(PTRACE_SETOPTIONS, pid_, 0, PTRACE_O_EXITKILL | PTRACE_O_TRACEEXIT);
}

Led::~Led() {
  if (!ended_) kill();
}

std::uint64_t Led::address() const { return traced::get(pid_, traced::instruction_pointer); }

bool Led::before_call() const {
  constexpr std::uint16_t syscall_instruction = 0x050f;
  return code_at<std::uint16_t>(address()) == syscall_instruction;
}

bool Led::await_stop(std::chrono::milliseconds patience) {
  const auto until = Clock::now() + patience;
  for (int tries = 0;; ++tries) {
    if (::waitpid(pid_, &status_, WNOHANG) == pid_) {
      ended_ = !WIFSTOPPED(status_);
      if (ended_) throw traced::Missed();
      return true;
    }
    if (Clock::now() >= until) return false;
    if (tries > 100) std::this_thread::sleep_for(100us);
  }
}

Led::At Led::step() {
  const bool calls = asleep_ || before_call();
  if (!asleep_) traced::trace(PTRACE_SINGLESTEP, pid_);
  if (calls) {
    asleep_ = !await_stop(nap);
    if (asleep_) return At::asleep;
  } else {
    if (::waitpid(pid_, &status_, 0) != pid_ || !WIFSTOPPED(status_)) throw traced::Missed();
  }
  return status_ >> 16 == PTRACE_EVENT_EXIT ? At::end : At::instruction;
}

Led::At Led::go(std::uint64_t steps) {
  At at = At::instruction;
  for (; steps > 0 && at == At::instruction; --steps) at = step();
  return at;
}

void Led::kill() {
  // It does not stop once more on its way out, and where it did already it goes on.
  ::ptrace(PTRACE_SETOPTIONS, pid_, nullptr, nullptr);
  ::kill(pid_, SIGKILL);
  ::ptrace(PTRACE_CONT, pid_, nullptr, nullptr);
  ::waitpid(pid_, nullptr, 0);
  ended_ = true;
}

void Led::interrupt() {
  if (!asleep_) return;
  ::kill(pid_, SIGSTOP);
  if (!await_stop(5s)) throw std::runtime_error("it cannot be stopped");
  asleep_ = false;
}

void Led::stop() {
  interrupt();
  traced::trace(PTRACE_DETACH, pid_, 0, SIGSTOP);
  traced_ = false;
}

void Led::let_go() {
  if (traced_) {
    interrupt();
    traced::trace(PTRACE_DETACH, pid_);
  }
  ::kill(pid_, SIGCONT);  // also for a stop that is on its way
  traced_ = false;
}

bool Led::await_end(std::chrono::milliseconds patience) {
  const auto until = Clock::now() + patience;
  int status = 0;
  while (::waitpid(pid_, &status, WNOHANG) != pid_) {
    if (Clock::now() >= until) return false;
    std::this_thread::sleep_for(200us);
  }
  ended_ = true;
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

// ---- all of it ----------------------------------------------------------------------------------

namespace {

const std::string& made(const Regime& regime, const spillring::QueueOptions& queue) {
  const spillring::Client bus({.socket = regime.socket(), .autostart = false});
  static_cast<void>(bus.create(queue_name, queue));
  return regime.socket();
}

}  // namespace

Stage::Stage(const Scenario& what, const Setting& how, const Regime::Options& options,
             const spillring::QueueOptions& queue)
    : scenario(what), regime(options), others(made(regime, queue), *ledger) {
  others.live_through(scenario, how);
  led = std::make_unique<Led>(regime.socket(), *ledger, scenario, how);
}

}  // namespace points
