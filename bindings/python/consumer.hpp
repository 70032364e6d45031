// Python's Consumer.
#pragma once

#include <pybind11/pybind11.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "handle.hpp"
#include "message.hpp"

namespace spillring::python {

/// The next message, or the code of why there is none. `settle`: acknowledged on the way out. With
/// the GIL, which it gives up only if it has to wait.
Result<spillring::Message> receive(ConsumerHandle& handle, Timeout timeout, bool settle);

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
