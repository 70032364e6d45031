// The user's own supervisor, started on first use.
#pragma once

#include <optional>
#include <string>

namespace spillring::client {

/// False where SPILLRING_AUTOSTART=0 forbids it.
bool autostart_allowed();

/// The spillringd that would be started; nullopt: there is none.
std::optional<std::string> find_daemon();

/// Starts spillringd in the background and returns when it listens at `socket`, or another does
/// that was started at the same time. Says so in one line on stderr. Throws `Error` (unavailable).
void start_supervisor(const std::string& socket);

}  // namespace spillring::client
