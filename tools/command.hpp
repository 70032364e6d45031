// A command of the shell, run for a message.
#pragma once

#include <string>

#include "envelope.hpp"

namespace spillring::tools {

/// Runs `command` with the payload as its stdin and SPILLRING_QUEUE, _SEQ, _DELIVERIES and _KEY in
/// its environment, and waits for its end. Returns what it exited with, or 128 and the number of
/// the signal that ended it. Throws `Failure`.
[[nodiscard]] int run_command(const std::string& command, const Envelope& message);

}  // namespace spillring::tools
