// Who may change what is in a state directory: the one who holds its lock.
#pragma once

#include <cstdint>
#include <string>

#include "os/fd.hpp"

namespace spillring::journal {

/// Whether to wait some seconds for a supervisor that was killed, and has not ended yet.
enum class Patience : std::uint8_t { none, for_the_dead };

/// Locks the state directory, as its supervisor does for its life; the lock ends with the last copy
/// of the descriptor. Throws `Error`; exists: somebody has it, and `why` names who.
[[nodiscard]] os::Fd lock_state(const std::string& state, Patience patience = Patience::none);

/// Whether somebody has it, as far as this user may know.
[[nodiscard]] bool is_locked(const std::string& state) noexcept;

/// Throws as `lock_state` does where somebody has it, and leaves everything as it is.
void require_unlocked(const std::string& state);

}  // namespace spillring::journal
