// Sleeping on many bells at once, in one thread, and telling who waits for them by eventfds.
//
//   owner:   found nothing           ->  arm():   clear the eventfd;  armed;  turn++;  wake the
//   waiter
//            found something, armed  ->  raise(): not armed;  set the eventfd
//   waiter:  t = turn;  for each armed watch that is new, or whose bell has changed, or that is
//   due:
//                e = announce(bell);  look:  something  ->  not armed;  set the eventfd
//            sleep until turn != t, or a bell's value != its e, or one is due
//
// Invariants
//   F1  An eventfd can be read exactly while its watch is not armed: both change under one mutex.
//   So
//       whoever polls it is told at once, or is being watched.
//   F2  Armed means that the owner's last look found nothing, and that it took nothing since: what
//       it took may stand for more that it holds, and for which no bell is rung any more.
//   F3  No change between the owner's look and the waiter's is missed: the waiter looks after
//       `announce`, so either it sees the change or the bell's value is not its e any more
//       (bell.hpp, W1). The owner's wake reaches the waiter because `turn` is part of its sleep.
//       Watches of one bell stand beside one another. Those that announced the same value share one
//       sleep; another value is slept on, too, and at once ends the sleep of all if it is an old
//       one.
//   F4  A watch whose bell has still the value e needs no second look: a mark is cleared only by
//       who has raised the value before (bell.hpp, W2, W3).
//   F5  The waiter never sleeps on a bell that is no more: a watch is taken out under the mutex,
//       `turn` rises with it, and the kernel compares `turn` before it sleeps on anything.
// What remains is as in bell.hpp: a change that nobody rings for is found within `longest_nap`.
// That look is the only thing that an idle waiter does, for all its watches together.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "layout/bells.hpp"
#include "os/clock.hpp"
#include "os/fd.hpp"
#include "os/fork.hpp"
#include "os/futex.hpp"

namespace spillring::wait {

/// What somebody waits for.
class Watched {
 public:
  Watched() = default;
  Watched(const Watched&) = delete;
  Watched& operator=(const Watched&) = delete;
  virtual ~Watched() = default;
  /// What is rung when it may have come.
  [[nodiscard]] virtual layout::Bell& bell() const noexcept = 0;
  /// A sleeper's look: until when to sleep at most; nullopt: there is something. `in_vain`: nobody
  /// has rung for a whole nap. Called by the waiter's thread, whatever the owner does.
  [[nodiscard]] virtual std::optional<os::Instant> look(bool in_vain) noexcept = 0;
};

class Waiter;

/// An eventfd that can be read unless there is nothing for its owner. Belongs to the owner's
/// thread.
class Watch {
 public:
  Watch(std::shared_ptr<Waiter> waiter, os::Fd event);
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  ~Watch() { detach(); }

  [[nodiscard]] int fd() const noexcept { return event_.get(); }

  /// From now on `watched` is what it tells of; it can be read until the owner has found nothing.
  void attach(Watched& watched);
  /// From now on it can be read. Nobody looks at what it told of any more.
  void detach() noexcept;

  /// The owner has found nothing. Two system calls, or none if it had found nothing before.
  void arm() noexcept;
  /// The owner has taken something. No system call, or one if it took it unasked.
  void raise() noexcept;

 private:
  friend class Waiter;
  std::shared_ptr<Waiter> waiter_;
  os::Fd event_;
  os::NotInherited not_inherited_{event_};
  Watched* watched_ = nullptr;
  layout::Bell* bell_ = nullptr;  // that of watched_
  std::atomic<bool> armed_{false};
  // -- of the waiter, under its mutex
  bool fresh_ = false;       // armed since the last look
  std::uint32_t value_ = 0;  // announced
  os::Instant since_ = 0;    // when somebody last rang, or a nap in vain ended
  os::Instant until_ = 0;    // due
};

/// The thread, and the watches that it looks after.
class Waiter {
 public:
  /// Starts the thread, which takes no signals. Throws `Error` (unsupported: the kernel cannot wait
  /// for several futexes; no_memory).
  Waiter();
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;
  /// REQUIRES: no watch is left.
  ~Waiter();

  /// How many watches one thread can look after.
  static constexpr std::size_t most = os::most_futexes - 1;
  /// True in a child that was forked since: there the thread is missing.
  [[nodiscard]] bool forked() const noexcept { return fork_generation_ != os::fork_generation(); }

 private:
  friend class Watch;
  void run() noexcept;
  /// Looks if there is a reason to.
  static void look_after(Watch& watch) noexcept;
  static void tell(Watch& watch) noexcept;
  /// The thread goes round once more.
  void turn() noexcept;

  std::mutex mutex_;
  std::vector<Watch*> watches_;
  bool stopping_ = false;
  std::atomic<std::uint32_t> turn_{0};
  std::uint32_t fork_generation_ = os::fork_generation();
  std::unique_ptr<std::thread> thread_;
};

/// As many waiters as the watches need: one, and one more for each further `Waiter::most`.
/// Thread-safe.
class Waiters {
 public:
  /// A new watch, attached to nothing. Throws as `Waiter` does.
  std::unique_ptr<Watch> watch();

 private:
  std::mutex mutex_;
  std::vector<std::weak_ptr<Waiter>> waiters_;  // kept by their watches
};

}  // namespace spillring::wait
