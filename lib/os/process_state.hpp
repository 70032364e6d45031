// What can be seen of another process.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

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

/// The processes that have this file open, by their numbers: those that this process may see.
std::vector<pid_t> users_of_file(const std::string& path);

/// The name of its program, as the kernel has it; "?" where it cannot be seen.
std::string command_of(pid_t pid);

}  // namespace spillring::os
