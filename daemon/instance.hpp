// What makes a supervisor the one at its socket: the lock, the listening socket, its notes. All
// three outlive it with its keeper.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "keeper_line.hpp"
#include "layout/keeping.hpp"
#include "os/fork.hpp"
#include "segment.hpp"

namespace spillring::daemon {

class Instance {
 public:
  /// The first supervisor at this socket; `passed`: the service manager made the listening socket,
  /// empty: it did not. Throws `Error`; exists: there is one.
  Instance(const std::string& socket, unsigned mode, os::Fd passed);
  /// The next one. Throws `Error` (corrupt).
  Instance(KeptPacket kept, bool passed);

  [[nodiscard]] const os::Fd& listener() const noexcept { return listener_; }
  [[nodiscard]] layout::Notes& notes() const noexcept { return *notes_.map.as<layout::Notes>(); }

  void deposit(KeeperLine& keeper) const noexcept;
  /// Who may connect, from now on. A socket that was passed has the mode that it was given.
  void set_mode(const std::string& socket, unsigned mode) const noexcept;
  /// True if the socket and the lock are where they were made. A socket that was passed is not
  /// looked after.
  [[nodiscard]] bool present(const std::string& socket) const noexcept;
  /// Makes anew what is not. Throws `Error`; exists: somebody else is there by now.
  void renew(const std::string& socket, unsigned mode);
  /// Tells people whom they see in the list of processes.
  void write_processes(pid_t supervisor, pid_t keeper) const noexcept;
  /// Nobody is to find it any more.
  void remove(const std::string& socket) noexcept;

 private:
  Instance(std::vector<os::Fd> kept, bool passed);

  os::Fd lock_;
  bool passed_;
  os::Fd listener_;
  Segment notes_;
  std::optional<os::NotInherited> lock_not_inherited_{std::in_place, lock_};
  std::optional<os::NotInherited> listener_not_inherited_{std::in_place, listener_};
};

}  // namespace spillring::daemon
