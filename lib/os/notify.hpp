// What a service tells the manager that started it (sd_notify(3)).
#pragma once

#include <string_view>

namespace spillring::os {

/// Sends "READY=1" and the like, one assignment a line, to the socket that $NOTIFY_SOCKET names.
/// Without one it does nothing; a manager that does not listen is nobody's problem. Never blocks.
void notify(std::string_view state) noexcept;

/// From now on neither this process nor those that it starts have a manager to tell.
void forget_manager() noexcept;

}  // namespace spillring::os
