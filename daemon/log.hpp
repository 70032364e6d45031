// What the supervisor has to say, on stderr.
#pragma once

#include <string>

namespace spillring::daemon {

/// One line. A stderr that cannot be written to is nobody's problem.
void log(const std::string& line) noexcept;

}  // namespace spillring::daemon
