// Who is at the other end, and is it still alive.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <set>

#include "os/fd.hpp"

namespace spillring::os {

/// The process at the other end of a UNIX socket, as the kernel says.
struct Peer {
  pid_t pid = 0;  ///< 0: in a PID namespace that cannot be seen from here
  uid_t uid = 0;
  gid_t gid = 0;
  Fd pidfd;  ///< readable once the process is dead; empty where the kernel gives none
};

/// Throws `Error`.
Peer peer_of(const Fd& socket);

/// True if a poll of the pidfd says that the process is dead.
bool is_dead(const Fd& pidfd);

/// What is known of a process's mappings.
enum class Maps : std::uint8_t { none, some, unknown };

/// Whether the process maps any of the segments with these inodes (memfd inodes are of one device).
Maps maps_any(pid_t pid, const std::set<std::uint64_t>& inodes);

}  // namespace spillring::os
