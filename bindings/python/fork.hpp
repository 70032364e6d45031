// What was made before a fork belongs to the parent.
#pragma once

#include <new>
#include <utility>

namespace spillring::python {

/// Remembers the process it was made in. A forked child has copies of its parent's objects and of
/// its parent's locks, some of them locked by threads that it does not have: it must neither use
/// the ones nor wait for the others.
class ForkGuard {
 public:
  ForkGuard() noexcept;

  /// True in a child of the process in which this was made. Async-signal-safe, no system call.
  [[nodiscard]] bool foreign() const noexcept;
  /// Throws `Error` with `Code::forked` if `foreign()`.
  void check() const;

 private:
  unsigned generation_;
};

/// Leaves what is the parent's as it is: never destroyed, never touched.
template <typename Thing>
void abandon(Thing& thing) noexcept {
  static_cast<void>(new (std::nothrow) Thing(std::move(thing)));
}

/// Starts counting forks. Once, when the module is imported.
void watch_forks();

}  // namespace spillring::python
