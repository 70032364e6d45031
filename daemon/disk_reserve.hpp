// What stays free on the file system of the state directory, whatever the journals want: for the
// catalogue, for what is in memory at a clean stop, and for everybody else on that disk.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace spillring::daemon {

class DiskReserve {
 public:
  /// `bytes` of the file system that the directory is on, but never more than a tenth of it.
  DiskReserve(std::string directory, std::uint64_t bytes);

  struct Space {
    std::uint64_t free = 0;
    std::uint64_t reserved = 0;
    /// What journals may have of it.
    [[nodiscard]] std::uint64_t left() const noexcept {
      return free > reserved ? free - reserved : 0;
    }
  };
  /// As it is now. Throws `Error`.
  [[nodiscard]] Space look() const;
  /// True if `bytes` more leave the reserve alone. Without a reserve the disk itself says so.
  [[nodiscard]] bool permits(std::uint64_t bytes) const;

  /// A file that somebody is about to make: counted until the claim ends.
  using Claim = std::shared_ptr<const std::uint64_t>;
  [[nodiscard]] Claim claim(std::uint64_t bytes) const;

 private:
  std::string directory_;
  std::uint64_t bytes_;
  std::shared_ptr<std::uint64_t> claimed_ = std::make_shared<std::uint64_t>(0);
};

}  // namespace spillring::daemon
