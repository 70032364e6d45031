// Python's Loan.
#pragma once

#include <pybind11/pybind11.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "buffer.hpp"
#include "handle.hpp"
#include "spillring/producer.hpp"

namespace spillring::python {

using ProducerHandle = Handle<spillring::Producer, spillring::Loan>;

/// A loan as Python sees it: a writable buffer in the queue's memory. Python's views count as
/// exports; while there are any, the loan cannot end.
class LoanObject {
 public:
  LoanObject(std::shared_ptr<ProducerHandle> handle, spillring::Loan loan, std::string queue);
  LoanObject(const LoanObject&) = delete;
  LoanObject& operator=(const LoanObject&) = delete;
  ~LoanObject();

  [[nodiscard]] std::span<std::byte> memory() const;
  [[nodiscard]] Views& views() { return views_; }
  void view_released() noexcept;

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::uint64_t seq() const { return seq_; }
  [[nodiscard]] const std::string& queue() const { return queue_; }
  [[nodiscard]] std::string repr() const;

  /// `size`: None for all of it.
  std::uint64_t publish(pybind11::handle size);
  void cancel();
  /// The end of a `with` block. After an exception the loan is cancelled; where views of it still
  /// exist, as soon as the last is gone, so that they do not hide the exception.
  void exit(bool failed);

 private:
  enum class State : std::uint8_t { open, published, cancelled, stale };

  [[nodiscard]] const char* state_name() const;
  [[noreturn]] void refuse_ended() const;

  std::shared_ptr<ProducerHandle> handle_;
  spillring::Loan loan_;
  State state_ = State::open;
  bool cancel_after_views_ = false;
  Views views_;
  std::string queue_;
  std::size_t size_;
  std::uint64_t seq_;
};

void define_loan(pybind11::module_& module);

}  // namespace spillring::python
