// Who may change what is in a state directory: the one who holds its lock.
#pragma once

#include <string>

#include "os/fd.hpp"

namespace spillring::journal {

/// Locks the state directory, as its supervisor does for its life; the lock ends with the last copy
/// of the descriptor. Throws `Error`; exists: somebody has it, and `why` names who.
[[nodiscard]] os::Fd lock_state(const std::string& state);

/// Throws as `lock_state` does where somebody has it, and leaves everything as it is.
void require_unlocked(const std::string& state);

}  // namespace spillring::journal
