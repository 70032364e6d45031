#include "connection.hpp"

#include <fmt/format.h>

#include <map>
#include <utility>

#include "gil.hpp"
#include "spillring/error.hpp"

namespace spillring::python {

Connection::Connection(Client client)
    : is_embedded_(false), client_(std::move(client)), socket_(client_->socket()) {}

Connection::Connection(Embedded embedded)
    : is_embedded_(true),
      embedded_(std::move(embedded)),
      client_(embedded_->connect()),
      socket_(embedded_->socket()) {}

Connection::~Connection() {
  if (fork_.foreign()) {  // the supervisor's thread is in the parent only
    abandon(client_);
    abandon(embedded_);
    return;
  }
  without_gil([this] { stop(); });
}

std::shared_ptr<Connection> Connection::shared(const std::string& socket) {
  static auto* const connections = new std::map<std::string, std::weak_ptr<Connection>>;
  const auto known = [&] {
    auto connection = (*connections)[socket].lock();
    const bool usable = connection && !connection->closed() && !connection->fork_.foreign();
    return usable ? connection : nullptr;
  };
  if (auto connection = known()) return connection;
  auto fresh =
      without_gil([&] { return std::make_shared<Connection>(Client({.socket = socket})); });
  if (auto connection = known()) return connection;  // another thread was faster
  (*connections)[socket] = fresh;
  return fresh;
}

std::shared_ptr<Connection> Connection::here(std::shared_ptr<Connection> connection) {
  if (!connection->fork_.foreign() || connection->closed()) return connection;
  return shared(connection->socket());
}

void Connection::stop() noexcept {
  if (fork_.foreign()) return;
  client_.reset();
  embedded_.reset();
}

void Connection::check() const {
  fork_.check();
  if (closed()) {
    throw Error(Code::closed, fmt::format("the connection to '{}' is closed", socket_), {},
                "connect() again");
  }
}

Client Connection::client() const {
  check();
  return *client_;
}

void Connection::own(const std::shared_ptr<Closable>& handle) {
  if (closed()) handle->close();
  check();
  std::erase_if(handles_, [](const auto& known) { return known.expired(); });
  handles_.emplace_back(handle);
}

void Connection::close() {
  if (fork_.foreign()) return;
  const auto handles = std::exchange(handles_, {});
  auto client = std::exchange(client_, std::nullopt);
  auto embedded = std::exchange(embedded_, std::nullopt);
  for (const auto& known : handles) {
    if (const auto handle = known.lock()) handle->close();
  }
  without_gil([&] {
    client.reset();
    embedded.reset();
  });
}

}  // namespace spillring::python
