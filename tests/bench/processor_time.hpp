// The processors' time that the harness's processes have used.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <vector>

namespace spillring::bench {

/// At one moment: of each measured process and all that it has begun, and of all others that the
/// harness has begun: supervisors, keepers, brokers.
class ProcessorTime {
 public:
  explicit ProcessorTime(const std::vector<pid_t>& measured);

  /// Nanoseconds that went by between `before` and this: of each measured process in their order,
  /// and at last of the others.
  [[nodiscard]] std::vector<std::uint64_t> since(const ProcessorTime& before) const;

 private:
  struct Used {
    std::size_t owner;  // index of a measured process; as many as there are: none
    std::uint64_t nanoseconds;
  };
  std::size_t measured_;
  std::map<pid_t, Used> used_;
};

}  // namespace spillring::bench
