#include "state_directory.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "arguments.hpp"
#include "client/socket_path.hpp"
#include "text/toml.hpp"

namespace spillring::tools {
namespace {

/// What the file says of it; empty: nothing.
std::string configured_in(const std::string& file) {
  const auto refuse = [&](std::string_view why) {
    return Failure(Exit::bad_data, fmt::format("the configuration file '{}' cannot be read", file),
                   std::string(why),
                   "spillringd --check-config says more; --state-dir does without it");
  };
  if (file.empty()) return {};
  try {
    return toml::parse_file(file)["state_dir"].value_or(std::string{});
  } catch (const toml::parse_error& error) {
    throw refuse(error.description());
  } catch (const text::UnreadableToml& error) {
    throw refuse(error.what());
  }
}

/// As the supervisor finds it when it starts (daemon/command_line.cpp).
std::string standard_directory(const Settings& settings) {
  const auto choice = client::choose_socket({.socket = settings.socket, .user = settings.user});
  if (std::string named = configured_in(client::configuration_of(choice.path)); !named.empty()) {
    return named;
  }
  if (choice.path == client::user_socket()) return client::state_directory();
  throw usage_failure(
      "which state directory is meant is not known",
      fmt::format("the supervisor is that at {}, because {}, and no configuration file names its "
                  "state directory",
                  choice.path, choice.because),
      "name it with --state-dir, or take your own with --user");
}

void require_readable(const std::string& directory) {
  if (access((directory + "/").c_str(), R_OK | X_OK) == 0) return;
  const bool denied = errno == EACCES;
  throw Failure(denied ? Exit::denied : Exit::no_input,
                fmt::format("the state directory '{}' cannot be read", directory),
                std::generic_category().message(errno),
                denied ? "it belongs to the user whom the supervisor runs as: ls -ld"
                       : "name another with --state-dir");
}

}  // namespace

CLI::Option* add_state_directory(CLI::App& app, std::string& target) {
  return add_text(app, "--state-dir", target, "DIR",
                  "the state directory (that of the supervisor\nwhich would be asked)");
}

std::string state_directory_of(const std::string& named, const Settings& settings) {
  std::string directory = named.empty() ? standard_directory(settings) : named;
  require_readable(directory);
  return directory;
}

}  // namespace spillring::tools
