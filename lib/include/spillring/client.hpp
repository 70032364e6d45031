// A connection to a supervisor.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "spillring/queue.hpp"

namespace spillring {

struct ConnectOptions {
  /// Path of the supervisor's socket. Empty: `SPILLRING_SOCKET`, else the system's
  /// (/run/spillring/spillringd.sock) if it is there, else the user's own
  /// ($XDG_RUNTIME_DIR/spillring/spillringd.sock, or ~/.local/state/spillring/spillringd.sock).
  std::string socket;
  /// The user's own, although the system has one.
  bool user = false;
  /// Where the user's own is meant and does not run: start it, with one line on stderr. It ends
  /// after ten minutes without clients and messages. SPILLRING_AUTOSTART=0 forbids it.
  bool autostart = true;
  /// Longest wait for an answer of the supervisor.
  Timeout timeout = std::chrono::seconds(5);
};

/// A connection to a supervisor. Cheap to copy (copies share the connection). Thread-safe. Every
/// function blocks for at most the timeout and throws `Error`. Queues, producers and consumers keep
/// the connection alive; data flows without it. A supervisor that died is replaced by its keeper,
/// and nobody notices; where both are gone, the next call connects again, to whoever listens at the
/// socket by then. A call that was under way then gets `unavailable`: it may have been carried out.
class Client {
 public:
  /// Throws `Error`: unavailable (no supervisor there, and none to be started), version_mismatch,
  /// denied, invalid (a socket and `user`).
  explicit Client(const ConnectOptions& options = {});

  /// Opens a queue. `not_found`.
  [[nodiscard]] Queue open(std::string_view name) const;
  /// Creates a queue. `exists`, `invalid` (name or options), `no_memory`.
  [[nodiscard]] Queue create(std::string_view name, const QueueOptions& options = {}) const;
  /// Opens a queue, or creates it where there is none; the options of an existing one stay.
  [[nodiscard]] Queue open_or_create(std::string_view name, const QueueOptions& options = {}) const;
  /// Removes a queue and its messages. Whoever uses it gets `deleted`; views stay intact.
  /// `not_found`.
  void remove(std::string_view name) const;
  /// All queues, by name.
  [[nodiscard]] std::vector<QueueInfo> list() const;
  /// The socket in use.
  [[nodiscard]] const std::string& socket() const;

 private:
  friend class Embedded;
  std::shared_ptr<client::Connection> connection_;
};

/// `Client(options)`.
[[nodiscard]] inline Client connect(const ConnectOptions& options = {}) { return Client(options); }

/// Largest queue name, and what it may consist of.
inline constexpr std::size_t max_name = 120;
/// True for 1 to 120 characters of [A-Za-z0-9._-] that do not begin with a dot.
[[nodiscard]] bool valid_name(std::string_view name) noexcept;

}  // namespace spillring
