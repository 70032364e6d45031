#include "os/process_state.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <system_error>

namespace spillring::os {

namespace {

/// The soft limit of open files; UINT64_MAX where there is none.
std::uint64_t limit_of(pid_t pid) {
  constexpr std::string_view name = "Max open files";
  std::ifstream file(fmt::format("/proc/{}/limits", pid));
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(name)) continue;
    std::istringstream rest(line.substr(name.size()));
    std::uint64_t limit = 0;
    return rest >> limit ? limit : UINT64_MAX;
  }
  return UINT64_MAX;
}

/// Entries of a directory, as far as they can be read.
template <typename Call>
void for_each_entry(const std::string& directory, const Call& call) {
  std::error_code error;
  std::filesystem::directory_iterator entries(directory, error);
  for (const std::filesystem::directory_iterator none; !error && entries != none;
       entries.increment(error)) {
    call(entries->path());
  }
}

bool is_open_in(pid_t pid, const struct stat& file) {
  bool found = false;
  for_each_entry(fmt::format("/proc/{}/fd", pid), [&](const std::filesystem::path& path) {
    struct stat opened {};
    found = found || (::stat(path.c_str(), &opened) == 0 && opened.st_dev == file.st_dev &&
                      opened.st_ino == file.st_ino);
  });
  return found;
}

}  // namespace

ProcessState state_of(pid_t pid) {
  std::ifstream file(fmt::format("/proc/{}/stat", pid));
  std::string text;
  std::getline(file, text);
  // "PID (COMMAND) STATE ...", and the command may contain anything.
  const std::size_t end = text.rfind(") ");
  if (end == std::string::npos || end + 2 >= text.size()) return ProcessState::unseen;
  switch (text[end + 2]) {
    case 'Z':
    case 'X':
      return ProcessState::unseen;
    case 'T':
    case 't':
      return ProcessState::stopped;
    default:
      return ProcessState::runs;
  }
}

std::optional<DescriptorUse> descriptor_use(pid_t pid) {
  std::error_code error;
  std::filesystem::directory_iterator entries(fmt::format("/proc/{}/fd", pid), error);
  if (error) return std::nullopt;
  DescriptorUse use{0, limit_of(pid)};
  for (const std::filesystem::directory_iterator none; !error && entries != none;
       entries.increment(error)) {
    ++use.used;
  }
  return use;
}

std::vector<pid_t> users_of_file(const std::string& path) {
  std::vector<pid_t> users;
  struct stat file {};
  if (::stat(path.c_str(), &file) != 0) return users;
  for_each_entry("/proc", [&](const std::filesystem::path& entry) {
    const std::string name = entry.filename();
    pid_t pid = 0;
    const auto [rest, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (error == std::errc{} && rest == name.data() + name.size() && is_open_in(pid, file)) {
      users.push_back(pid);
    }
  });
  std::sort(users.begin(), users.end());
  return users;
}

std::string command_of(pid_t pid) {
  std::string name;
  std::ifstream file(fmt::format("/proc/{}/comm", pid));
  return std::getline(file, name) ? name : "?";
}

}  // namespace spillring::os
