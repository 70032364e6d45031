#include "client/socket_path.hpp"

#include <unistd.h>

#include <cstdlib>

namespace spillring::client {

namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string{} : std::string(value);
}

}  // namespace

std::string user_socket() {
  const std::string file = "/spillring/spillringd.sock";
  if (const std::string runtime = variable("XDG_RUNTIME_DIR"); !runtime.empty()) {
    return runtime + file;
  }
  if (const std::string state = variable("XDG_STATE_HOME"); !state.empty()) return state + file;
  return variable("HOME") + "/.local/state" + file;
}

std::string default_socket() {
  if (std::string named = variable("SPILLRING_SOCKET"); !named.empty()) return named;
  const std::string system = "/run/spillring/spillringd.sock";
  return ::access(system.c_str(), F_OK) == 0 ? system : user_socket();
}

}  // namespace spillring::client
