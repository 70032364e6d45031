// Stands in for lib/wait/spin.hpp: spinning is to look again and again, and between two looks
// anything may happen. One look stands for all; what happens meanwhile is the explorer's choice.
#pragma once

#include "os/clock.hpp"

namespace spillring::wait {

inline void pause() noexcept {}

class Spin {
 public:
  template <typename Done>
  bool until(Done done, os::Instant /*until*/) noexcept {
    return done();
  }
};

}  // namespace spillring::wait
