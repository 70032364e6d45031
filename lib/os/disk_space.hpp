// How much a file system has left.
#pragma once

#include <cstdint>
#include <string>

namespace spillring::os {

struct DiskSpace {
  std::uint64_t total = 0;
  std::uint64_t free = 0;  // for anybody: what is set aside for root does not count
};

/// Of the file system that `path` is on. Throws `Error`.
[[nodiscard]] DiskSpace disk_space(const std::string& path);

}  // namespace spillring::os
