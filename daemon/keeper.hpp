// The keeper: holds every descriptor that the supervisor has, and starts the next supervisor when
// one ends. It looks into nothing that it keeps. One thread; it sleeps in poll.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "keeper_line.hpp"
#include "os/clock.hpp"
#include "os/fd.hpp"

namespace spillring::daemon {

/// This program in one of its two roles.
class Role {
 public:
  enum class Kind : std::uint8_t { keeper, supervisor };

  /// `arguments`: those that this process was started with.
  explicit Role(std::vector<std::string> arguments);

  struct Started {
    os::Fd line;
    os::Fd process;
    pid_t pid = 0;
  };
  /// Starts another process of this program, as it is on disk now. Throws `Error`.
  /// `unchanged`: as it was when this process was started.
  [[nodiscard]] Started start(Kind kind, bool unchanged = false) const;

 private:
  std::string program_;
  std::vector<std::string> arguments_;
};

class Keeper {
 public:
  /// The first: it starts the supervisor. `on_ready` is called when that serves. `listener`: the
  /// one that the service manager has passed, if it has.
  explicit Keeper(Role role, std::function<void()> on_ready = {}, os::Fd listener = {});
  /// One in the place of another: the supervisor that started it tells it what there is.
  Keeper(Role role, os::Fd line);

  /// Keeps until the supervisor ends on purpose. Returns the status to exit with.
  int run();

 private:
  using Key = std::tuple<std::uint16_t, std::uint64_t, std::uint64_t>;  // kind, id, number

  void start_supervisor();
  void try_to_start_supervisor();
  void hand_over();
  [[nodiscard]] bool has_instance() const noexcept;
  /// Takes what the supervisor has said. False: there will be no more.
  bool take();
  void take(KeptPacket packet);
  void drop(const layout::KeepingRecord& record);
  void all_is_said();
  void reload();
  void line_ended();
  void supervisor_ended();
  void plan_next_start();
  void take_signal();
  [[nodiscard]] int milliseconds_to_start() const noexcept;

  Role role_;
  os::Fd myself_;
  std::function<void()> on_ready_;
  os::Fd signals_;
  os::Fd line_;
  os::Fd supervisor_;  // its pidfd; empty: there is none now
  pid_t supervisor_pid_ = 0;
  std::map<Key, KeptPacket> kept_;
  bool stopping_ = false;  // the supervisor ends on purpose
  bool asked_to_stop_ = false;
  bool impatient_ = false;        // asked twice
  bool told_to_stop_ = false;     // the supervisor that runs
  int stops_ = 0;                 // supervisors that were to stop, and ended without it
  bool asked_to_reload_ = false;  // before it could be done
  bool has_all_ = false;          // whatever the supervisor had when this keeper came to it is here
  os::Instant started_ = 0;
  os::Instant start_at_ = 0;
  int failures_ = 0;  // starts in a row that came to nothing
  std::optional<int> status_;
};

}  // namespace spillring::daemon
