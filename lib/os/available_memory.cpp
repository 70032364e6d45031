#include "os/available_memory.hpp"

#include <algorithm>
#include <fstream>
#include <limits>
#include <string>

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

/// Page cache that the kernel gives up before it kills anybody.
std::uint64_t reclaimable_of(const std::string& folder) {
  std::ifstream file(folder + "/memory.stat");
  std::string key;
  std::uint64_t value = 0;
  while (file >> key >> value) {
    if (key == "inactive_file") return value;
  }
  return 0;
}

/// Of this process's control group (version 2) and all those it lies in.
std::uint64_t of_control_groups() {
  std::ifstream file("/proc/self/cgroup");
  std::string line;
  while (std::getline(file, line)) {
    if (!line.starts_with("0::")) continue;
    std::uint64_t least = unlimited;
    for (std::string path = line.substr(3); !path.empty(); path.resize(path.rfind('/'))) {
      const std::string folder = "/sys/fs/cgroup" + path;
      const std::uint64_t limit = number_in(folder + "/memory.max");
      std::uint64_t used = number_in(folder + "/memory.current");
      if (limit != unlimited && used != unlimited) {
        used -= std::min(used, reclaimable_of(folder));
        least = std::min(least, limit > used ? limit - used : 0);
      }
    }
    return least;
  }
  return unlimited;
}

}  // namespace

std::uint64_t available_memory() { return std::min(of_system(), of_control_groups()); }

}  // namespace spillring::os
