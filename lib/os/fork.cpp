#include "os/fork.hpp"

#include <pthread.h>

namespace spillring::os {

namespace {

std::atomic<std::uint32_t> generation{0};

// Registered when the library is loaded, so that no handle can be older than it.
[[maybe_unused]] const int registered = ::pthread_atfork(
    nullptr, nullptr, [] { generation.fetch_add(1, std::memory_order_relaxed); });

}  // namespace

std::uint32_t fork_generation() noexcept { return generation.load(std::memory_order_relaxed); }

}  // namespace spillring::os
