#include "processor_time.hpp"

#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <string>

namespace spillring::bench {
namespace {

bool is_number(const std::string& text) {
  return text.find_first_not_of("0123456789") == std::string::npos;
}

/// 0 where it has ended.
pid_t parent_of(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/stat");
  std::string text;
  std::getline(file, text);
  const std::size_t name_end = text.rfind(')');  // then a space, the state, a space
  return name_end == std::string::npos ? 0 : std::stoi(text.substr(name_end + 4));
}

/// Each process's parent.
std::map<pid_t, pid_t> all_processes() {
  std::map<pid_t, pid_t> parents;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (is_number(name)) parents[std::stoi(name)] = parent_of(std::stoi(name));
  }
  return parents;
}

std::uint64_t used_by(pid_t process) {
  clockid_t clock = 0;
  timespec used{};
  if (::clock_getcpuclockid(process, &clock) != 0 || ::clock_gettime(clock, &used) != 0) return 0;
  return static_cast<std::uint64_t>(used.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(used.tv_nsec);
}

}  // namespace

ProcessorTime::ProcessorTime(const std::vector<pid_t>& measured) : measured_(measured.size()) {
  const auto parents = all_processes();
  for (const auto& [process, parent] : parents) {
    if (process == ::getpid()) continue;
    std::size_t owner = measured_;
    pid_t ancestor = process;
    while (ancestor != ::getpid() && parents.count(ancestor) != 0) {
      const auto found = std::find(measured.begin(), measured.end(), ancestor);
      if (found != measured.end()) owner = static_cast<std::size_t>(found - measured.begin());
      ancestor = parents.at(ancestor);
    }
    if (ancestor == ::getpid()) used_[process] = {owner, used_by(process)};
  }
}

std::vector<std::uint64_t> ProcessorTime::since(const ProcessorTime& before) const {
  std::vector<std::uint64_t> sums(measured_ + 1);
  for (const auto& [process, used] : used_) {
    const auto then = before.used_.find(process);
    const std::uint64_t earlier = then == before.used_.end() ? 0 : then->second.nanoseconds;
    sums.at(used.owner) += used.nanoseconds - std::min(used.nanoseconds, earlier);
  }
  return sums;
}

}  // namespace spillring::bench
