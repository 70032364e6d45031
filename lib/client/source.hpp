// What the bytes of loans and views lie in: a ring, or a block of the journal.
#pragma once

#include <cstdint>

namespace spillring::client {

struct Source {
  std::uint64_t users = 0;  // loans and views in it; only the handle's thread counts
  bool is_ring = true;
};

}  // namespace spillring::client
