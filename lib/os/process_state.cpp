#include "os/process_state.hpp"

#include <fmt/format.h>

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

}  // namespace spillring::os
