// The memory of a queue, mapped once for all handles that were made through one Queue object.
//
// A handle asks the supervisor for its segments and is handed descriptors of its own. Handles of
// one kind are handed the same memory with the same rights, so a thousand consumers of a queue need
// no thousand mappings of it, which would be as many entries in the processor's table of pages: a
// sleeper's look at its queue then waits for memory at each word.
//
// A mapping ends with the last handle that uses it. In a forked child nobody comes here: the
// connection is refused to it before (os/fork.hpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "os/memory.hpp"

namespace spillring::client {

/// Thread-safe.
class Mappings {
 public:
  using Shared = std::shared_ptr<const os::Mapping>;

  /// As the constructors of os::Mapping.
  Shared map(const os::Fd& memory, std::size_t size, os::Rights rights);
  Shared map(const os::Fd& memory, std::size_t head, std::size_t tail, os::Rights rights);

 private:
  /// What is mapped, and how. What came with another size than it has is not taken for it.
  struct Memory {
    std::uint64_t inode;  // not another one's while it is mapped
    std::size_t head;
    std::size_t tail;
    os::Rights rights;
    bool operator==(const Memory&) const = default;
  };
  struct Known {
    Memory memory;
    std::weak_ptr<const os::Mapping> mapping;
  };
  Shared find_or_make(const Memory& memory, const std::function<os::Mapping()>& make);

  std::mutex mutex_;
  std::vector<Known> known_;
};

}  // namespace spillring::client
