// Who is at the other end, and is it still alive.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "os/fd.hpp"

namespace spillring::os {

/// The process at the other end of a UNIX socket, as the kernel says.
struct Peer {
  pid_t pid = 0;  ///< 0: in a PID namespace that cannot be seen from here
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups = {};  ///< supplementary ones
  Fd pidfd = {};                   ///< readable once the process is dead
};

/// Without the pidfd. Throws `Error`.
Peer credentials_of(const Fd& socket);
/// With the pidfd, which is certain to be of the process that connected. Throws `Error`; denied:
/// there is no such pidfd, so the death of this process could not be noticed.
Peer peer_of(const Fd& socket);

/// The two ways to it. As the kernel gives it for the asking (SO_PEERPIDFD, Linux 6.5); empty, and
/// errno says why.
Fd kernel_pidfd_of_peer(const Fd& socket) noexcept;
/// By the process id that the kernel wrote down when the peer connected; empty, and errno says why:
/// ESRCH where the peer may be dead and its number another's. Throws `Error`; denied: it has none.
Fd numbered_pidfd_of_peer(const Fd& socket, pid_t pid);

/// True if a poll of the pidfd says that the process is dead.
bool is_dead(const Fd& pidfd);

/// A pidfd of a living process, for example one's own. Throws `Error`.
Fd pidfd_of(pid_t pid);
/// Throws nothing: who is dead already has got what it was to get.
void send_signal(const Fd& pidfd, int number) noexcept;

/// Starts `path` with these arguments (the first is its name); it inherits `line` as descriptor 3,
/// the standard three, and nothing else. Throws `Error`; returns its process id.
pid_t spawn(const std::string& path, const std::vector<std::string>& arguments, const Fd& line);
inline constexpr int spawned_line = 3;

/// Runs a program to its end, its standard streams at /dev/null. Throws `Error`; returns what it
/// exited with, 128 + the number of the signal that ended it, or 0 where somebody else of this
/// process has waited for it.
int run(const std::string& path, const std::vector<std::string>& arguments);

/// Runs a program to its end and returns what it wrote to stdout, its other standard streams at
/// /dev/null. Throws `Error`.
std::string output_of(const std::string& path, const std::vector<std::string>& arguments);

/// The status of a child that has ended: what it exited with, or 128 + the signal's number;
/// nullopt: it is no child, or has not ended.
std::optional<int> reap(pid_t child) noexcept;

/// The program that this process runs. Throws `Error`.
std::string own_program();

/// Opens /dev/null where a standard stream is closed, so that nothing else takes its number.
void secure_standard_streams() noexcept;

/// Allows as many open files as the hard limit does.
void raise_descriptor_limit() noexcept;

/// What is known of a process's mappings.
enum class Maps : std::uint8_t { none, some, unknown };

/// Whether the process maps any of the segments with these inodes (memfd inodes are of one device).
Maps maps_any(pid_t pid, const std::set<std::uint64_t>& inodes);

}  // namespace spillring::os
