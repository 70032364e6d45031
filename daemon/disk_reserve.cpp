#include "disk_reserve.hpp"

#include <algorithm>
#include <utility>

#include "os/disk_space.hpp"

namespace spillring::daemon {

namespace {

// A small file system is not made useless.
constexpr std::uint64_t largest_part = 10;

}  // namespace

DiskReserve::DiskReserve(std::string directory, std::uint64_t bytes)
    : directory_(std::move(directory)), bytes_(bytes) {}

DiskReserve::Space DiskReserve::look() const {
  const os::DiskSpace space = os::disk_space(directory_);
  const std::uint64_t free = space.free - std::min(space.free, *claimed_);
  return {free, std::min(bytes_, space.total / largest_part)};
}

bool DiskReserve::permits(std::uint64_t bytes) const {
  return bytes_ == 0 || bytes <= look().left();
}

DiskReserve::Claim DiskReserve::claim(std::uint64_t bytes) const {
  *claimed_ += bytes;
  return {new std::uint64_t(bytes), [claimed = claimed_](const std::uint64_t* claim) {
            *claimed -= *claim;
            delete claim;
          }};
}

}  // namespace spillring::daemon
