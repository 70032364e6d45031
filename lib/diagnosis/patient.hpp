// What the checks look at.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "client/socket_path.hpp"
#include "spillring/client.hpp"
#include "spillring/error.hpp"

namespace spillring::diagnosis {

/// The processes that a supervisor's lock file names; 0: it does not say, or may not be read.
struct Processes {
  pid_t supervisor = 0;
  pid_t keeper = 0;
};

/// The set-up, as one look at it has found it. Nothing is started for it.
struct Patient {
  explicit Patient(const ConnectOptions& options);

  client::SocketChoice socket;
  std::string directory;
  std::string lock;
  bool has_socket = false;
  Processes processes;
  std::optional<std::string> daemon;  ///< the spillringd that would be started
  bool may_start = false;             ///< the first use starts a supervisor
  std::optional<Client> client;       ///< there is a supervisor that answers
  std::optional<Error> refusal;       ///< why there is none
};

}  // namespace spillring::diagnosis
