#include "client/socket_path.hpp"

#include <pwd.h>
#include <unistd.h>

#include <cstdlib>

#include "spillring/error.hpp"

namespace spillring::client {

namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string{} : std::string(value);
}

std::string home() {
  if (std::string named = variable("HOME"); !named.empty()) return named;
  const passwd* user = ::getpwuid(::getuid());
  return user == nullptr || user->pw_dir == nullptr ? "/" : user->pw_dir;
}

}  // namespace

std::string state_directory() {
  const std::string state = variable("XDG_STATE_HOME");
  return (state.empty() ? home() + "/.local/state" : state) + "/spillring";
}

std::string user_socket() {
  const std::string runtime = variable("XDG_RUNTIME_DIR");
  return (runtime.empty() ? state_directory() : runtime + "/spillring") + "/spillringd.sock";
}

std::string configuration_directory() {
  const std::string named = variable("XDG_CONFIG_HOME");
  return (named.empty() ? home() + "/.config" : named) + "/spillring";
}

std::string configuration_of(const std::string& socket) {
  std::string file;
  if (socket == system_socket()) file = "/etc/spillring/spillringd.toml";
  if (socket == user_socket()) file = configuration_directory() + "/spillringd.toml";
  return ::access(file.c_str(), F_OK) == 0 ? file : std::string{};
}

std::string system_socket() { return "/run/spillring/spillringd.sock"; }

std::string user_log() { return state_directory() + "/spillringd.log"; }

SocketChoice choose_socket(const ConnectOptions& options) {
  if (options.user && !options.socket.empty()) {
    throw Error(Code::invalid, "a socket and the user's own supervisor do not go together",
                "each says something else about the same thing", "leave one of them out");
  }
  const std::string own = user_socket();
  if (options.user) return {own, "your own supervisor was asked for", true};
  if (!options.socket.empty()) return {options.socket, "it was asked for", false};
  if (std::string named = variable("SPILLRING_SOCKET"); !named.empty()) {
    return {named, "SPILLRING_SOCKET names it", named == own};
  }
  const std::string system = system_socket();
  if (::access(system.c_str(), F_OK) == 0) return {system, "it is the system's", false};
  return {own, "it is your own, and the system has none", true};
}

}  // namespace spillring::client
