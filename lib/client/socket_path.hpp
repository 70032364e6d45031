// Which supervisor is meant where nobody says.
#pragma once

#include <string>

#include "spillring/client.hpp"

namespace spillring::client {

struct SocketChoice {
  std::string path;
  std::string because;  ///< the reason, to be read after "because"
  bool own = false;     ///< the user's own, which may be started where it does not run
};

/// What `options` ask for: a path, or the user's own; else `SPILLRING_SOCKET`, else the system's
/// socket if it is there, else the user's own. Throws `Error` (invalid).
SocketChoice choose_socket(const ConnectOptions& options);

/// /run/spillring/spillringd.sock.
std::string system_socket();

/// $XDG_CONFIG_HOME/spillring, or ~/.config/spillring: the user's own settings.
std::string configuration_directory();

/// The configuration file of the supervisor at `socket` where none is named: the system's for the
/// system's socket, the user's own for the user's own. Empty: any other socket has none, or the
/// file is not there.
std::string configuration_of(const std::string& socket);

/// $XDG_STATE_HOME/spillring, or ~/.local/state/spillring.
std::string state_directory();

/// The user's own socket: $XDG_RUNTIME_DIR/spillring/spillringd.sock, or below the state directory.
std::string user_socket();

/// What a supervisor in the background has to say, in the user's state directory.
std::string user_log();

}  // namespace spillring::client
