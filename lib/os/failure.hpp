// From errno to Error: the one map of the project.
#pragma once

#include <string>

#include "spillring/error.hpp"

namespace spillring::os {

Code code_of(int error) noexcept;

/// Throws `Error` for `error`: `what` failed, because of the system's text, do `hint`.
[[noreturn]] void fail(const std::string& what, int error, const std::string& hint);
/// The same for the present errno.
[[noreturn]] void fail(const std::string& what);

}  // namespace spillring::os
