// Python's Message.
#pragma once

#include <pybind11/pybind11.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "buffer.hpp"
#include "handle.hpp"
#include "spillring/consumer.hpp"
#include "spillring/message.hpp"
#include "spillring/queue.hpp"

namespace spillring::python {

using ConsumerHandle = Handle<spillring::Consumer, spillring::Message>;

/// What the group of a message still waits for.
enum class Duty : std::uint8_t {
  acknowledge,  ///< ack or nack: a member of a shared group
  settled,      ///< nothing, it was acknowledged on receipt
  none,         ///< nothing: a stream group
  copy,         ///< nothing, and the bytes are a copy
};

/// A message as Python sees it: a read-only buffer in the queue's memory. Python's views count as
/// exports; while there are any, the message cannot end.
class MessageObject {
 public:
  MessageObject(std::shared_ptr<ConsumerHandle> handle, spillring::Message message, Duty duty,
                std::string queue);
  MessageObject(PeekedMessage copy, std::string queue);
  MessageObject(const MessageObject&) = delete;
  MessageObject& operator=(const MessageObject&) = delete;
  ~MessageObject();

  [[nodiscard]] std::span<const std::byte> memory() const;
  [[nodiscard]] Views& views() { return views_; }
  void view_released() noexcept;

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::uint64_t seq() const { return seq_; }
  [[nodiscard]] unsigned deliveries() const { return deliveries_; }
  [[nodiscard]] std::uint64_t gap() const { return gap_; }
  [[nodiscard]] const std::string& queue() const { return queue_; }
  [[nodiscard]] pybind11::object timestamp() const;
  [[nodiscard]] pybind11::object ttl() const;
  [[nodiscard]] bool expired() const { return copy_ && copy_->expired; }
  [[nodiscard]] pybind11::object key() const;
  [[nodiscard]] pybind11::dict headers() const;
  [[nodiscard]] pybind11::bytes copy();
  [[nodiscard]] bool is_batch() const { return is_batch_; }
  /// Copies of the messages of an atomic batch, or of this one.
  [[nodiscard]] pybind11::list parts();
  [[nodiscard]] std::string repr() const;

  void ack();
  void nack(Timeout delay = no_wait);
  /// The end of a `with` block. After an exception the message is handed back; where views of it
  /// still exist, as soon as the last is gone, so that they do not hide the exception.
  void exit(bool failed);

 private:
  enum class State : std::uint8_t { open, acknowledged, returned, stale };

  void require_open() const;
  void end(State state);
  void finish(State state, const std::function<Result<void>(spillring::Message&)>& how);

  std::shared_ptr<ConsumerHandle> handle_;  // null: a copy
  spillring::Message message_;
  std::optional<PeekedMessage> copy_;
  Duty duty_;
  State state_ = State::open;
  bool return_after_views_ = false;
  Views views_;
  std::string queue_;
  std::size_t size_;
  std::uint64_t seq_;
  unsigned deliveries_;
  bool is_batch_;
  std::uint64_t gap_;
  std::chrono::nanoseconds timestamp_;  // since 1970
  Timeout ttl_;
};

void define_message(pybind11::module_& module);

}  // namespace spillring::python
