// A listening socket that the service manager made and passes on (sd_listen_fds(3)).
#pragma once

#include <optional>
#include <string>

#include "os/fd.hpp"

namespace spillring::os {

struct PassedListener {
  Fd socket;  // non-blocking
  std::string path;
};

/// The one that was passed to this process, if any; to be asked once, before anything else is
/// opened. Throws `Error` (invalid): what was passed is not one socket of the right kind.
std::optional<PassedListener> take_passed_listener();

}  // namespace spillring::os
