// Which supervisor is meant where nobody says.
#pragma once

#include <string>

namespace spillring::client {

/// `SPILLRING_SOCKET`, else the system's socket if it is there, else the user's own.
std::string default_socket();

/// The user's own socket: $XDG_RUNTIME_DIR/spillring/spillringd.sock, or below the state directory.
std::string user_socket();

}  // namespace spillring::client
