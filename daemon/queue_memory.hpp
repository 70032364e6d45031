// The segments of a queue beside its rings (docs/memory-layout.md).
#pragma once

#include "layout/bells.hpp"
#include "layout/groups.hpp"
#include "layout/manifest.hpp"
#include "segment.hpp"
#include "wait/bell.hpp"

namespace spillring::daemon {

struct QueueMemory {
  Segment manifest;
  Segment groups;
  Segment bells;

  [[nodiscard]] layout::Manifest& words() const noexcept {
    return *manifest.map.as<layout::Manifest>();
  }
  [[nodiscard]] layout::Groups& cursors() const noexcept {
    return *groups.map.as<layout::Groups>();
  }
  [[nodiscard]] layout::Bells& bell_words() const noexcept {
    return *bells.map.as<layout::Bells>();
  }
  /// All of them. By any thread.
  void ring_bells() const noexcept {
    wait::ring(bell_words().data);
    wait::ring(bell_words().room);
    wait::ring(bell_words().disk);
  }
};

}  // namespace spillring::daemon
