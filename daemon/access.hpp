// Who may do what with a queue: an owner, a Unix group and a mode, as a file has.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "os/process.hpp"

namespace spillring::daemon {

/// As in the mode of a file.
enum class Right : std::uint8_t { consume = 4, publish = 2, either = 6 };

struct Access {
  uid_t owner = 0;
  gid_t group = 0;
  std::uint32_t mode = 0600;

  /// For `either`, one of the two is enough.
  [[nodiscard]] bool permits(const os::Peer& who, Right right) const noexcept;
  /// The owner, root, and the user that the supervisor runs as.
  [[nodiscard]] bool is_owner(const os::Peer& who) const noexcept;

  /// Throw `Error` (denied).
  void require(const os::Peer& who, Right right, const std::string& queue) const;
  void require_owner(const os::Peer& who, const std::string& queue) const;
};

/// Root, and the user that the supervisor runs as.
bool is_operator(uid_t user) noexcept;
bool is_member(const os::Peer& who, gid_t group) noexcept;

}  // namespace spillring::daemon
