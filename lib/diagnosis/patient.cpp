#include "diagnosis/patient.hpp"

#include <filesystem>
#include <fstream>
#include <system_error>

#include "client/autostart.hpp"
#include "os/directory.hpp"

namespace spillring::diagnosis {

namespace {

Processes processes_in(const std::string& lock) {
  Processes found;
  std::ifstream file(lock);
  std::string name;
  pid_t pid = 0;
  while (file >> name >> pid) {
    if (name == "supervisor") found.supervisor = pid;
    if (name == "keeper") found.keeper = pid;
  }
  return found;
}

}  // namespace

Patient::Patient(const ConnectOptions& options)
    : socket(client::choose_socket(options)),
      directory(os::directory_of(socket.path)),
      lock(socket.path + ".lock"),
      processes(processes_in(lock)),
      daemon(client::find_daemon()),
      may_start(socket.own && options.autostart && client::autostart_allowed() && daemon) {
  std::error_code ignored;
  has_socket = std::filesystem::is_socket(socket.path, ignored);
  try {
    client.emplace(ConnectOptions{.socket = socket.path, .timeout = options.timeout});
  } catch (const Error& error) {
    refusal = error;
  }
}

}  // namespace spillring::diagnosis
