#include "os/available_memory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <string>
#include <string_view>

namespace spillring::os {

namespace {

constexpr std::uint64_t unlimited = std::numeric_limits<std::uint64_t>::max();

/// The number a file of one line holds; `unlimited` for "max", and where there is none.
std::uint64_t number_in(const std::string& path) {
  std::ifstream file(path);
  std::uint64_t value = 0;
  return file >> value ? value : unlimited;
}

std::uint64_t of_system() {
  std::ifstream file("/proc/meminfo");
  std::string key;
  std::uint64_t kilobytes = 0;
  std::string unit;
  while (file >> key >> kilobytes >> unit) {
    if (key == "MemAvailable:") return kilobytes * 1024;
  }
  return unlimited;
}

/// How one version of control groups names things.
struct Version {
  std::string_view line;  // how its line of /proc/self/cgroup begins, behind the first colon
  std::string_view mount;
  std::string_view limit;
  std::string_view used;
  std::string_view inactive;  // page cache that the kernel gives up before it kills anybody
};
constexpr Version versions[] = {
    {":", "/sys/fs/cgroup", "memory.max", "memory.current", "inactive_file"},
    {"memory:", "/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes",
     "total_inactive_file"},
};

std::uint64_t reclaimable_of(const std::string& folder, std::string_view inactive) {
  std::ifstream file(folder + "/memory.stat");
  std::string key;
  std::uint64_t value = 0;
  while (file >> key >> value) {
    if (key == inactive) return value;
  }
  return 0;
}

std::uint64_t of_control_group(const std::string& folder, const Version& version) {
  const std::uint64_t limit = number_in(fmt::format("{}/{}", folder, version.limit));
  const std::uint64_t used = number_in(fmt::format("{}/{}", folder, version.used));
  if (limit == unlimited || used == unlimited) return unlimited;
  const std::uint64_t kept = used - std::min(used, reclaimable_of(folder, version.inactive));
  return limit > kept ? limit - kept : 0;
}

/// The least of a control group and all those it lies in. In a container the path may be the
/// host's: folders that are not there have no limit, and the mount's own is asked as well.
std::uint64_t of_branch(std::string path, const Version& version) {
  std::uint64_t least = unlimited;
  while (true) {
    least = std::min(least, of_control_group(fmt::format("{}{}", version.mount, path), version));
    if (path.empty()) return least;
    path.resize(path.rfind('/'));
  }
}

}  // namespace

// Lines are "0::/path" (version 2) or "4:memory:/path" (version 1).
std::uint64_t memory_left_by_control_groups() {
  std::ifstream file("/proc/self/cgroup");
  std::uint64_t least = unlimited;
  for (std::string line; std::getline(file, line);) {
    const std::string_view entry = std::string_view(line).substr(line.find(':') + 1);
    for (const Version& version : versions) {
      if (!entry.starts_with(version.line)) continue;
      const std::string_view path = entry.substr(version.line.size());
      if (path.starts_with('/')) least = std::min(least, of_branch(std::string(path), version));
    }
  }
  return least;
}

std::uint64_t available_memory() { return std::min(of_system(), memory_left_by_control_groups()); }

}  // namespace spillring::os
