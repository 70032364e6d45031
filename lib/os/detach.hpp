// A process that leaves everything behind that it was started with.
#pragma once

#include <optional>
#include <string>

#include "os/fd.hpp"

namespace spillring::os {

/// Goes on in a child: a session of its own, root directory, umask 077, standard input and output
/// at /dev/null, standard error at the end of `log`, no other descriptors. Returns there, with what
/// tell_ready() takes. In the caller it returns nothing, when the child was ready (`status` 0) or
/// has ended before that (`status` as it was). Throws `Error`.
std::optional<Fd> detach(const std::string& log, int& status);

/// Lets the caller of detach() go on.
void tell_ready(Fd ready) noexcept;

}  // namespace spillring::os
