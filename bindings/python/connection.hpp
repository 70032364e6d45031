// What the queues and handles of one Bus have in common.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fork.hpp"
#include "spillring/client.hpp"
#include "spillring/embedded.hpp"

namespace spillring::python {

/// What a connection closes when it is closed itself.
class Closable {
 public:
  Closable() = default;
  Closable(const Closable&) = delete;
  Closable& operator=(const Closable&) = delete;
  virtual ~Closable() = default;
  /// Any number of times. With the GIL, which it gives up meanwhile.
  virtual void close() = 0;
};

/// A client, the supervisor behind it where it is an embedded one, and the handles made through it.
/// Queues and handles keep it. All functions with the GIL.
class Connection {
 public:
  explicit Connection(Client client);
  explicit Connection(Embedded embedded);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  /// What is left open is closed by its owners; the embedded supervisor stops.
  ~Connection();

  /// The connection of this process to a socket that the queues share which came by pickle or by
  /// fork(), made if need be. Gives up the GIL meanwhile. Throws as `Client`.
  [[nodiscard]] static std::shared_ptr<Connection> shared(const std::string& socket);
  /// `connection`; in a child that was forked since it was made, `shared` of the same socket.
  [[nodiscard]] static std::shared_ptr<Connection> here(std::shared_ptr<Connection> connection);

  /// Throws `closed` or `forked`.
  void check() const;
  /// A copy, which stays usable while another thread closes the connection. Throws as `check`.
  [[nodiscard]] Client client() const;
  [[nodiscard]] const std::string& socket() const { return socket_; }
  [[nodiscard]] bool is_embedded() const { return is_embedded_; }
  [[nodiscard]] bool closed() const { return !client_; }
  /// Made by the parent of this process.
  [[nodiscard]] bool foreign() const noexcept { return fork_.foreign(); }

  /// Has `handle` closed with the connection. Throws `closed` where that has happened already.
  void own(const std::shared_ptr<Closable>& handle);
  /// Closes all handles, then stops the embedded supervisor.
  void close();
  /// Stops the embedded supervisor when there is no Python any more. The one function without GIL.
  void stop() noexcept;

 private:
  const ForkGuard fork_;
  const bool is_embedded_;
  std::optional<Embedded> embedded_;
  std::optional<Client> client_;
  std::string socket_;
  std::vector<std::weak_ptr<Closable>> handles_;
};

}  // namespace spillring::python
