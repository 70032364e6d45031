// "Are you sure?"
#pragma once

#include <string>

namespace spillring::tools {

/// Throws `Failure` (usage) where nobody can be asked: stdin is no terminal and `yes` was not
/// given.
void require_confirmable(bool yes, const std::string& what);
/// True if `yes`, or if the answer at the terminal is yes.
[[nodiscard]] bool confirmed(bool yes, const std::string& question);

}  // namespace spillring::tools
