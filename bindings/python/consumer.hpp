// Python's Consumer.
#pragma once

#include <pybind11/pybind11.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "handle.hpp"
#include "message.hpp"

namespace spillring::python {

/// The next message, or the code of why there is none. `settle`: acknowledged on the way out. With
/// the GIL, which it gives up only if it has to wait.
Result<spillring::Message> receive(ConsumerHandle& handle, Timeout timeout, bool settle);
/// Up to `most` messages: waits for the first, then takes what is there. As receive().
Result<std::vector<spillring::Message>> receive_many(ConsumerHandle& handle, std::size_t most,
                                                     Timeout timeout, bool settle);
/// The messages as a list for Python.
pybind11::list wrapped(std::vector<spillring::Message> messages,
                       const std::shared_ptr<ConsumerHandle>& handle, Duty duty,
                       const std::string& queue);
/// The descriptor that event loops poll. Throws.
int fileno(ConsumerHandle& handle, const std::string& queue);

class ConsumerObject {
 public:
  /// `group`: none for a subscription without a name. `idle`: how long iteration waits.
  ConsumerObject(std::shared_ptr<ConsumerHandle> handle, std::string queue,
                 std::optional<std::string> group, Duty duty, Timeout idle);
  ConsumerObject(const ConsumerObject&) = delete;
  ConsumerObject& operator=(const ConsumerObject&) = delete;
  /// Closes.
  ~ConsumerObject() { handle_->close(); }

  /// A Message, or None where none came in time.
  [[nodiscard]] pybind11::object receive(pybind11::handle timeout);
  [[nodiscard]] pybind11::list receive_many(std::size_t most, Timeout timeout);
  [[nodiscard]] int fileno() { return python::fileno(*handle_, queue_); }
  /// A Message; ends the iteration where none came in time or the consumer is closed.
  [[nodiscard]] std::unique_ptr<MessageObject> next();
  [[nodiscard]] std::uint64_t lag();
  void seek(Start to);
  void close() { handle_->close(); }

  [[nodiscard]] const std::string& queue() const { return queue_; }
  [[nodiscard]] const std::optional<std::string>& group() const { return group_; }
  [[nodiscard]] std::string repr() const;

 private:
  [[nodiscard]] std::unique_ptr<MessageObject> wrap(spillring::Message message) const;

  std::shared_ptr<ConsumerHandle> handle_;
  std::string queue_;
  std::optional<std::string> group_;
  Duty duty_;
  Timeout idle_;
};

void define_consumer(pybind11::module_& module);

}  // namespace spillring::python
