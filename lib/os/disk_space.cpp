#include "os/disk_space.hpp"

#include <sys/statvfs.h>

#include "os/failure.hpp"

namespace spillring::os {

DiskSpace disk_space(const std::string& path) {
  struct statvfs status {};
  if (::statvfs(path.c_str(), &status) != 0)
    fail("cannot ask how full the disk of " + path + " is");
  return {status.f_blocks * status.f_frsize, status.f_bavail * status.f_frsize};
}

}  // namespace spillring::os
