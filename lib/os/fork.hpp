// A handle must not work in a child that was forked: its identity in shared memory is the parent's.
#pragma once

#include <atomic>
#include <cstdint>

#include "os/fd.hpp"

namespace spillring::os {

namespace detail {
extern std::atomic<std::uint32_t> forks;  // raised in the child
}

/// How many forks lie between the first process and this one. A handle remembers the value from
/// when it was made; another value means that it belongs to a parent. No system call.
inline std::uint32_t fork_generation() noexcept {
  return detail::forks.load(std::memory_order_relaxed);
}

/// While it exists, forked children do not share `fd`: theirs is replaced by /dev/null. So the end
/// of a connection is seen although a child lives on.
class NotInherited {
 public:
  explicit NotInherited(const Fd& fd);
  NotInherited(const NotInherited&) = delete;
  NotInherited& operator=(const NotInherited&) = delete;
  ~NotInherited();

 private:
  int fd_;
};

}  // namespace spillring::os
