// A queue as opened by a client.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "client/connection.hpp"
#include "client/mappings.hpp"

namespace spillring::client {

/// A queue's number, and the line whose supervisor gave it.
struct QueueNumber {
  std::uint64_t id = 0;
  Generation generation = 0;
};

/// A name, and the number that the supervisor has given the queue of that name. At another
/// supervisor the number is another queue's, or nobody's: the queue is looked up by its name first.
/// Thread-safe.
class QueueRef {
 public:
  QueueRef(std::shared_ptr<Connection> connection, std::string name, QueueNumber number)
      : connection_(std::move(connection)), name_(std::move(name)), number_(number) {}

  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] const std::shared_ptr<Connection>& connection() const noexcept {
    return connection_;
  }
  /// Outlives this object with the handles that use it.
  [[nodiscard]] const std::shared_ptr<Mappings>& mappings() const noexcept { return mappings_; }

  /// Asks about the queue; `request.queue` is filled in. Throws as `Connection::call`; not_found:
  /// another supervisor has no queue of that name.
  Answered ask(layout::Request request);

 private:
  [[nodiscard]] QueueNumber number() const;
  void look_up();

  std::shared_ptr<Connection> connection_;
  std::string name_;
  std::shared_ptr<Mappings> mappings_ = std::make_shared<Mappings>();
  mutable std::mutex mutex_;  // of number_; never held while somebody is asked
  QueueNumber number_;
};

}  // namespace spillring::client
