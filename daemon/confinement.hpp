// What the daemon never does, it cannot be made to do.
#pragma once

namespace spillring::daemon {

/// From now on this process, and all that it starts, can neither reach a network, nor look into
/// other processes, nor change who they are, nor what the machine has mounted, loaded or set: such
/// system calls fail with EPERM. For good. Throws `Error` (internal) where the kernel has no
/// seccomp filters.
void confine();

}  // namespace spillring::daemon
