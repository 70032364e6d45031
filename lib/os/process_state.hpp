// What can be seen of another process.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>

namespace spillring::os {

enum class ProcessState : std::uint8_t {
  unseen,  ///< it has ended, or is in a PID namespace that cannot be seen from here
  runs,
  stopped,  ///< by a signal or a debugger
};

ProcessState state_of(pid_t pid);

struct DescriptorUse {
  std::uint64_t used = 0;
  std::uint64_t limit = 0;  ///< UINT64_MAX: none
};

/// nullopt: this process may not see it.
std::optional<DescriptorUse> descriptor_use(pid_t pid);

}  // namespace spillring::os
