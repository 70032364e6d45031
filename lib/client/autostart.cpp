#include "client/autostart.hpp"

#include <dlfcn.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <string_view>
#include <vector>

#include "client/socket_path.hpp"
#include "os/process.hpp"
#include "spillring/error.hpp"

namespace spillring::client {

namespace {

namespace fs = std::filesystem;

constexpr const char* program = "spillringd";
constexpr const char* leaves_after = "600";  // seconds without clients and messages
constexpr int another_was_first = 73;        // daemon/main.cpp

/// Beside the program that runs, in the bin that belongs to this library's lib, else on PATH.
std::vector<fs::path> candidates() {
  std::vector<fs::path> found;
  std::error_code ignored;
  const fs::path self = fs::read_symlink("/proc/self/exe", ignored);
  found.push_back(self.parent_path() / program);
  Dl_info library{};
  if (::dladdr(reinterpret_cast<const void*>(&start_supervisor), &library) != 0 &&
      library.dli_fname != nullptr) {
    const fs::path folder = fs::absolute(library.dli_fname, ignored).parent_path();
    found.push_back(folder / ".." / "bin" / program);
    found.push_back(folder / ".." / ".." / "bin" / program);
  }
  const char* path = std::getenv("PATH");
  std::istringstream folders(path == nullptr ? "/usr/local/bin:/usr/bin:/bin" : path);
  for (std::string folder; std::getline(folders, folder, ':');) {
    if (folder.starts_with('/')) found.push_back(fs::path(folder) / program);
  }
  return found;
}

}  // namespace

bool autostart_allowed() {
  const char* said = std::getenv("SPILLRING_AUTOSTART");
  return said == nullptr || std::string_view(said) != "0";
}

std::optional<std::string> find_daemon() {
  for (const fs::path& candidate : candidates()) {
    if (::access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return std::nullopt;
}

void start_supervisor(const std::string& socket) {
  const auto found = find_daemon();
  if (!found) {
    throw Error(Code::unavailable, "there is no supervisor at " + socket,
                "none runs, and spillringd is not on PATH to start one",
                "install spillringd, or name a socket with SPILLRING_SOCKET");
  }
  const int status =
      os::run(*found, {program, "--background", "--socket", socket, "--idle-exit", leaves_after});
  if (status == another_was_first) return;
  if (status != 0) {
    throw Error(Code::unavailable, "the supervisor could not be started at " + socket,
                fmt::format("spillringd ended with status {}", status),
                "its log says why: " + user_log());
  }
  std::fputs(fmt::format("spillring: started a supervisor of your own at {}\n", socket).c_str(),
             stderr);
}

}  // namespace spillring::client
