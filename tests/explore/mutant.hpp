// Which mutant of the protocols' sources is tried: `mutants` writes sources in which every function
// that it changes has all its forms, and takes the one of this number. 0: as it is. What a mutant
// has changed is in reached().
#pragma once

#include <cstdlib>

namespace explore {

inline const unsigned mutant = [] {
  const char* const number = std::getenv("SPILLRING_MUTANT");
  return number == nullptr ? 0U : static_cast<unsigned>(std::strtoul(number, nullptr, 10));
}();

/// Whether an execution has come to what was changed.
inline bool was_reached = false;

template <typename T>
T reached(T value) noexcept {
  was_reached = true;
  return value;
}
inline void reached() noexcept { was_reached = true; }

}  // namespace explore
