// The user's own supervisor, started on first use.
#pragma once

#include <string>

namespace spillring::client {

/// False where SPILLRING_AUTOSTART=0 forbids it.
bool autostart_allowed();

/// Starts spillringd in the background and returns when it listens at `socket`, or another does
/// that was started at the same time. Says so in one line on stderr. Throws `Error` (unavailable).
void start_supervisor(const std::string& socket);

}  // namespace spillring::client
