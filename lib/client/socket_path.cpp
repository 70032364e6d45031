#include "client/socket_path.hpp"

#include <pwd.h>
#include <unistd.h>

#include <cstdlib>

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

std::string system_socket() { return "/run/spillring/spillringd.sock"; }

std::string user_log() { return state_directory() + "/spillringd.log"; }

std::string default_socket() {
  if (std::string named = variable("SPILLRING_SOCKET"); !named.empty()) return named;
  const std::string system = system_socket();
  return ::access(system.c_str(), F_OK) == 0 ? system : user_socket();
}

}  // namespace spillring::client
