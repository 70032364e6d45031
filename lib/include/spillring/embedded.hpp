// A supervisor inside this process.
#pragma once

#include <memory>
#include <string>

#include "spillring/client.hpp"

namespace spillring {

/// Runs the same supervisor as `spillringd` on a thread of this process: for tests, and for an
/// application that wants queues between its own processes without a daemon. Its queues are gone
/// with it. Other processes reach it by `socket()`. Link `spillring::embedded`.
class Embedded {
 public:
  struct Options {
    /// Path of the socket. Empty: in a private directory that is removed at the end.
    std::string socket = {};
    /// Directory in which queues outlive this object: made if need be, for one supervisor at a
    /// time. Empty: they end with it, and cannot spill.
    std::string state_dir = {};
    /// Bytes of a journal segment.
    std::uint64_t segment_size = 64 * MiB;
    /// Bytes that journals leave free on the disk; never more than a tenth of it.
    std::uint64_t disk_reserve = 256 * MiB;
    /// Most bytes of the disk for one queue's journal; 0: no limit.
    std::uint64_t max_journal_per_queue = 0;
    /// For tests that prove what recovery is for: deaths are noticed, but nothing is repaired.
    bool without_recovery = false;
  };

  Embedded();
  /// Throws `Error` where the socket cannot be made.
  explicit Embedded(const Options& options);
  Embedded(Embedded&&) noexcept;
  Embedded& operator=(Embedded&&) noexcept;
  /// Stops the supervisor: every handle of it gets `unavailable` or goes on without it.
  ~Embedded();

  /// A client of this supervisor.
  [[nodiscard]] Client connect() const;
  [[nodiscard]] const std::string& socket() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace spillring
