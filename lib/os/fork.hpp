// A handle must not work in a child that was forked: its identity in shared memory is the parent's.
#pragma once

#include <atomic>
#include <cstdint>

namespace spillring::os {

/// How many forks lie between the first process and this one. A handle remembers the value from when
/// it was made; another value means that it belongs to a parent. No system call.
std::uint32_t fork_generation() noexcept;

}  // namespace spillring::os
