// How much memory may still be taken.
#pragma once

#include <cstdint>

namespace spillring::os {

/// Bytes that this process may allocate before the system, or a control group it is in, runs out:
/// the least of what each of them says. An allocation beyond it would not fail, it would be killed.
std::uint64_t available_memory();

/// The same for the control groups alone; UINT64_MAX: none of them has a limit.
std::uint64_t memory_left_by_control_groups();

}  // namespace spillring::os
