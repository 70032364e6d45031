// One machine with a few threads, of which exactly one runs, and whose every step is a choice.
//
// A scenario is built once; then it is executed again and again, each time from the same memory and
// with other choices. Threads are fibers: they run production code, and come here with each access
// to a shared word, before it happens. What may happen there:
//
//   go on | another role runs (this one is as good as stopped) | this role dies | a sleeper's time
//   is over | a load finds an older value, where its order allows that
//
// The first of them costs nothing; how much of the others there may be is the search's business.
// A role that sleeps, waits or has ended leaves the choice among all others for free. When all
// sleep, nobody will wake them: that is an error, unless one naps for less than a millisecond.
// Where the scenario allows naps, time goes on to the first who has one, and the error is a nap of
// a second in vain.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "memory.hpp"

namespace explore {

enum class Deviation : std::uint8_t { none, preempt, stale, die, time_out };

struct Option {
  Deviation deviation = Deviation::none;
  std::uint8_t role = 0;  // who runs, dies, or times out
};

/// Who makes the choices.
class Chooser {
 public:
  static constexpr unsigned give_up = UINT32_MAX;
  Chooser() = default;
  Chooser(const Chooser&) = delete;
  Chooser& operator=(const Chooser&) = delete;
  virtual ~Chooser() = default;
  [[nodiscard]] virtual bool may(Deviation deviation) const noexcept = 0;
  /// Index of one of the options, of which there are at least two; or give_up. `state`: equal
  /// where everything that may still happen is equal.
  virtual unsigned pick(std::span<const Option> options, std::uint64_t state) = 0;
};

class Machine {
 public:
  Machine();
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;
  ~Machine();

  // -- building a scenario
  void clear();
  enum Kind : unsigned { plain = 0, mortal = 1, service = 2 };
  /// A thread. `mortal`: it may die anywhere. `service`: nobody waits for it to end.
  void role(const char* name, unsigned kind, std::function<void()> body);
  /// Looked at when all have ended.
  void finally(std::function<void()> check) { finally_ = std::move(check); }
  /// Even when all have ended, services go on until that is true. To look is not to execute.
  void until(std::function<bool()> goal) { goal_ = std::move(goal); }
  static constexpr std::int64_t long_nap = 1'000'000'000;
  /// Who naps for less only looks again soon, as behind a claim: nobody has to wake it.
  static constexpr std::int64_t short_nap = 1'000'000;
  /// Somebody may sleep until its time is over, if that is less than `shortest` of those that are
  /// in vain: a second, as a rule. Else whoever sleeps has to be woken.
  void allow_naps(std::int64_t shortest = long_nap) noexcept { in_vain_ = shortest; }
  /// Shared words, zero, at a page's begin.
  std::byte* shared(std::size_t size);
  /// Names words in traces: `count` of them, each `stride` behind the last.
  void name(const void* at, std::string text, std::size_t count = 1, std::size_t stride = 8);
  /// All is built: every execution begins like this.
  void built();

  // -- executing
  enum class Outcome : std::uint8_t { ended, given_up, violation };
  Outcome execute(Chooser& chooser, bool traced);
  [[nodiscard]] const std::string& violation() const noexcept { return violation_; }
  [[nodiscard]] const std::vector<std::string>& trace() const noexcept { return trace_; }
  [[nodiscard]] unsigned steps() const noexcept { return steps_; }
  /// True if the last execution met a word for the first time that roles fight for: what was
  /// explored before knew fewer places to interrupt.
  [[nodiscard]] bool learned() const noexcept { return !learned_.empty(); }
  /// As if the last execution had not learned anything: to repeat it.
  void unlearn() noexcept;

  // -- by those who run
  /// False also while the explorer looks at shared words for itself.
  [[nodiscard]] bool running() const noexcept { return current_ >= 0 && !looking_; }
  [[noreturn]] void fail(const std::string& why);
  std::uint64_t load(const void* at, unsigned size, std::memory_order order);
  void store(void* at, unsigned size, std::uint64_t value, std::memory_order order);
  bool swap(void* at, unsigned size, std::uint64_t& expected, std::uint64_t desired,
            std::memory_order success, std::memory_order failure);
  bool swap_pair(void* at, std::array<std::uint64_t, 2> expected,
                 std::array<std::uint64_t, 2> desired);
  std::uint64_t exchange(void* at, unsigned size, std::uint64_t value, bool add,
                         std::memory_order order);
  void fence(std::memory_order order);
  void write_bytes(std::span<const std::byte> bytes, std::uint64_t tag);
  std::uint64_t read_bytes(std::span<const std::byte> bytes);
  /// Until `ready`, of which the kernel tells: what it tells has been seen by who it tells it.
  void await(const std::function<bool()>& ready);
  /// Stores to memory that nobody else can reach yet. What changes nothing needs no history.
  void alone(const std::function<void()>& stores);
  /// To the kernel: who is told of it has seen what came before.
  void tell_kernel();
  /// False: `until` has passed.
  bool sleep(const void* at, std::uint32_t expected, std::int64_t until);
  void wake(const void* at);
  /// System calls to wake, in this execution.
  [[nodiscard]] unsigned wakes() const noexcept { return wakes_; }
  [[nodiscard]] std::int64_t now() const noexcept { return now_; }
  /// Of a role by its number, in the order in which they were made.
  [[nodiscard]] bool died(unsigned role) const noexcept {
    return roles_[role].state == State::dead;
  }
  [[nodiscard]] bool over(unsigned role) const noexcept {
    return died(role) || roles_[role].state == State::ended;
  }
  /// All that may still do something; services do not count.
  [[nodiscard]] bool all_ended() const noexcept;

  Memory& memory() noexcept { return memory_; }

 private:
  enum class State : std::uint8_t { ready, asleep, awaiting, ended, dead };
  struct Role {
    const char* name = "";
    unsigned kind = plain;
    std::function<void()> body;
    State state = State::ready;
    void* stack = nullptr;
    void* pointer = nullptr;  // where it goes on
    const void* asleep_at = nullptr;
    std::int64_t until = 0;
    std::int64_t since = 0;
    bool timed_out = false;
    const std::function<bool()>* ready = nullptr;  // of one that awaits
    std::uint64_t hash = 0;
    Knowledge knows{};
  };
  static void enter();
  static void enter_check();
  /// To where execute() or what it called stands.
  [[noreturn]] void leave_for_good(void*& from);
  void begin();
  void go(int next);          // from the current role, or from execute()
  [[noreturn]] void leave();  // to execute()
  bool is_ready(Role& role);
  bool look(const std::function<bool()>& condition);
  /// Of a scenario: who has touched a word.
  struct Touched {
    std::uint8_t by = 0;
    bool written = false;
  };
  /// Notes that the current role does.
  Touched& touch(const void* at, bool writes);
  /// Before an access.
  void point(const void* at, bool writes);
  void interrupt();
  /// The current role cannot go on.
  void yield();
  void apply(const Option& option);
  enum class Where : std::uint8_t { free, access, load };  // a choice is made
  unsigned pick(std::span<const Option> options, Where where);
  [[nodiscard]] std::uint64_t state_hash() const noexcept;
  void mix(std::uint64_t value) noexcept;
  void note(const char* what, const void* at, std::uint64_t value, std::uint64_t more = 0);
  [[nodiscard]] std::string name_of(const void* at) const;
  [[nodiscard]] std::uint64_t read(const void* at, unsigned size, std::memory_order order);

  std::byte* words_;
  std::size_t words_used_ = 0;
  Memory memory_;
  std::vector<std::byte> heap_snapshot_;
  std::vector<Role> roles_;
  std::function<void()> finally_;
  void* check_stack_;  // of finally_, which may fail in the middle as well
  std::function<bool()> goal_;
  std::int64_t in_vain_ = short_nap;  // whoever has slept for so long was to be woken
  struct Name {
    const std::byte* at;
    std::string text;
    std::size_t count;
    std::size_t stride;
  };
  std::vector<Name> names_;

  std::vector<Touched> touched_;
  std::vector<std::pair<std::size_t, Touched>> learned_;  // what it was before

  // -- of an execution
  Chooser* chooser_ = nullptr;
  int current_ = -1;
  bool looking_ = false;
  bool alone_ = false;
  void* outside_ = nullptr;
  std::int64_t now_ = 0;
  unsigned steps_ = 0;
  unsigned wakes_ = 0;
  bool given_up_ = false;
  View kernel_{};
  std::string violation_;
  bool traced_ = false;
  std::vector<std::string> trace_;
};

/// The one there is: shared words have no room for a pointer to it.
Machine& machine();

/// An error of the code under test.
void require(bool condition, const char* what);

}  // namespace explore
