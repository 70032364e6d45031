// What the kernel and the processor can do, found out by doing it.
#pragma once

#include <string>

namespace spillring::os {

/// Release of the running kernel, for example "6.1.0-18-amd64".
std::string kernel_release();

/// Throws `Error` (unsupported) where a system call is missing, or forbidden, without which no
/// supervisor can work; says which, and the kernel that has it.
void require_calls();

/// A pidfd of the process at the other end of a socket (SO_PEERPIDFD, Linux 6.5).
bool gives_pidfd_of_peer();
/// One wait for several futexes (futex_waitv, Linux 5.16).
bool waits_for_several_futexes() noexcept;
/// Pages made present before they are written to (MADV_POPULATE_WRITE, Linux 5.14).
bool populates_pages();
/// A compare-and-swap of 16 bytes (cmpxchg16b).
bool swaps_sixteen_bytes() noexcept;

/// False in a PID namespace that was made for a container.
bool in_first_pid_namespace();

}  // namespace spillring::os
