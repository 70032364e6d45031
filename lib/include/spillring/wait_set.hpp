// Waiting for any of many consumers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "spillring/consumer.hpp"
#include "spillring/options.hpp"
#include "spillring/result.hpp"

namespace spillring {

/// Waits for any of many consumers, and of other descriptors (sockets, timers, signals). An epoll
/// instance over `Consumer::fd()`: level-triggered, any number, in turn. Sleeping costs no CPU,
/// however many there are.
///
///     spillring::WaitSet waits;
///     const auto orders_id = waits.add(orders);
///     while (auto ready = waits.wait()) {
///       for (const auto id : *ready) {
///         if (id == orders_id) handle(orders.try_receive());
///       }
///     }
///
/// Thread-safety: belongs to one thread at a time, as its consumers do. After fork() it is the
/// parent's.
class WaitSet {
 public:
  /// What was added; never the same twice.
  using Id = std::uint64_t;

  /// Throws `Error`.
  WaitSet();
  WaitSet(WaitSet&&) noexcept;
  WaitSet& operator=(WaitSet&&) noexcept;
  ~WaitSet();

  /// From now on `consumer` is waited for. It may be moved, and need not outlive this; a closed one
  /// is waited for no longer. Throws `Error` as `Consumer::fd`.
  Id add(Consumer& consumer);
  /// The same for a descriptor that can be polled: until there is something to read from it.
  /// Throws `Error` (invalid, exists).
  Id add_fd(int fd);
  /// Ends that; does nothing where it has ended.
  void remove(Id id) noexcept;

  /// Returns when at least one has something, and which: of a consumer, that `try_receive` may find
  /// a message, or says why there will be none. Errors: timeout (empty when `timeout` is zero),
  /// interrupted (a signal handler ran).
  Result<std::vector<Id>> wait(Timeout timeout = forever);

  /// To be polled itself: it can be read while `wait` would return at once.
  [[nodiscard]] int fd() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace spillring
