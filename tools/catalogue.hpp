// The catalogue of a state directory, read and never changed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace spillring::tools {

/// What the catalogue says of a queue.
struct CataloguedQueue {
  std::uint64_t id = 0;
  std::string name;
  bool complete = false;     ///< saved at a clean stop, and not run since
  bool follows = false;      ///< every message goes to its journal
  bool durable = false;      ///< and is synced there; where its groups are, before a file goes
  std::uint64_t needed = 0;  ///< the first number that somebody may still need; not below it
  std::uint64_t next = 0;    ///< complete, or follows: from `needed` to here all are in the journal
};

struct Catalogue {
  std::vector<CataloguedQueue> queues;  ///< by name
  std::string problem;                  ///< why not all of it could be read; empty: it could
};

/// Reads what can be read; throws nothing where that is little. Nothing is written to the directory
/// of a supervisor that has ended well.
[[nodiscard]] Catalogue read_catalogue(const std::string& path);

}  // namespace spillring::tools
