// A segment as the supervisor holds it: both descriptors and a writable mapping.
#pragma once

#include <string>
#include <utility>

#include "accounts.hpp"
#include "os/memory.hpp"

namespace spillring::daemon {

struct Segment {
  Segment() = default;
  /// Allocates and maps `size` bytes. Throws `Error` (no_memory, busy).
  Segment(const std::string& name, std::size_t bytes)
      : Segment(os::create_memory(name, os::whole_pages(bytes)), bytes) {}
  /// Maps one that was kept. Throws `Error`.
  Segment(os::Fd memory, std::size_t bytes)
      : size(os::whole_pages(bytes)),
        writable(std::move(memory)),
        read_only(os::reopen_read_only(writable)),
        map(writable, size, os::Rights::read_write) {}

  std::size_t size = 0;
  os::Fd writable;
  os::Fd read_only;
  os::Mapping map;
  Accounts::Charge charge;  // on the account of the queue's owner
};

}  // namespace spillring::daemon
