#include "client/autostart.hpp"

#include <dlfcn.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <optional>
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

/// Where the library is that this code is in; nothing where it is in the program itself.
std::optional<fs::path> library_folder(const fs::path& self) {
  Dl_info library{};
  if (::dladdr(reinterpret_cast<const void*>(&start_supervisor), &library) == 0) return {};
  const fs::path file = library.dli_fname == nullptr ? "" : library.dli_fname;
  std::error_code ignored;
  // The name of a program is what it was called by, and need not be a path.
  if (!file.is_absolute() || fs::equivalent(file, self, ignored)) return {};
  return file.parent_path();
}

/// The bin folders that may belong to a library: of a build and of an installed tree, whatever lies
/// between its lib and the library (x86_64-linux-gnu, python3.11/site-packages/spillring).
std::vector<fs::path> folders_of_library(const fs::path& folder) {
  std::vector<fs::path> found{folder / ".." / "bin", folder / ".." / ".." / "bin"};
  for (fs::path lib = folder; lib.has_relative_path(); lib = lib.parent_path()) {
    if (lib.filename() == "lib") {
      found.push_back(lib.parent_path() / "bin");
      break;
    }
  }
  return found;
}

/// What belongs to this library, because it has the same version; else beside the program that
/// runs, else on PATH.
std::vector<fs::path> candidates() {
  std::vector<fs::path> folders;
  std::error_code ignored;
  const fs::path self = fs::read_symlink("/proc/self/exe", ignored);
  if (const auto library = library_folder(self)) folders = folders_of_library(*library);
  folders.push_back(self.parent_path());
  const char* path = std::getenv("PATH");
  std::istringstream on_path(path == nullptr ? "/usr/local/bin:/usr/bin:/bin" : path);
  for (std::string folder; std::getline(on_path, folder, ':');) {
    if (folder.starts_with('/')) folders.emplace_back(folder);
  }
  return folders;
}

}  // namespace

bool autostart_allowed() {
  const char* said = std::getenv("SPILLRING_AUTOSTART");
  return said == nullptr || std::string_view(said) != "0";
}

std::optional<std::string> find_daemon() {
  for (const fs::path& folder : candidates()) {
    const fs::path candidate = folder / program;
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
