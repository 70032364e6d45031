// What this process was started with, and what the other processes of this program are started
// with.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "config.hpp"
#include "settings.hpp"

namespace spillring::daemon {

struct CommandLine {
  std::vector<std::pair<const Setting*, std::string>> given;  // they beat the file
  std::string config;                                         // empty: not named
  bool check_config = false;
  bool background = false;
  bool without_recovery = false;
  std::string role;  // empty: started by somebody else than this program
  std::string at;    // with a role: the socket, wherever the settings would have it by now
};

/// nullopt: it has been answered; `status` says how.
[[nodiscard]] std::optional<CommandLine> parse(int argc, char** argv, int& status);

/// The arguments for another process of this program, which serves the socket at `socket`.
[[nodiscard]] std::vector<std::string> arguments_for(const CommandLine& line,
                                                     const std::string& socket);

/// The file's text as it is now: the file that was named, or the one that belongs to the socket.
/// Throws `ConfigError`.
[[nodiscard]] Config config_of(const CommandLine& line);

/// All settings: from the command line, else the environment, else the file, else the default.
/// Throws `ConfigError`.
[[nodiscard]] Settings settings_of(const CommandLine& line, const Config& config);

}  // namespace spillring::daemon
