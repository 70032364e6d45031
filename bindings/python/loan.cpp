#include "loan.hpp"

#include <fmt/format.h>

#include <utility>

#include "arguments.hpp"
#include "errors.hpp"

namespace spillring::python {

namespace py = pybind11;

namespace {

constexpr const char* loan_view_cure =
    "drop them first: del the arrays and memoryviews made from it";

}  // namespace

LoanObject::LoanObject(std::shared_ptr<ProducerHandle> handle, spillring::Loan loan,
                       std::string queue)
    : handle_(std::move(handle)),
      loan_(std::move(loan)),
      queue_(std::move(queue)),
      size_(loan_.bytes().size()),
      seq_(loan_.seq()) {}

LoanObject::~LoanObject() {
  if (state_ != State::open) return;
  const bool forgotten = !cancel_after_views_ && !handle_->foreign();
  handle_->drop(std::move(loan_));
  if (forgotten &&
      PyErr_WarnFormat(PyExc_ResourceWarning, 1,
                       "loan %llu of queue '%s' was dropped unpublished and is cancelled; call "
                       "publish() or cancel(), or use it in a with statement",
                       static_cast<unsigned long long>(seq_), queue_.c_str()) != 0) {
    PyErr_WriteUnraisable(nullptr);
  }
}

const char* LoanObject::state_name() const {
  switch (state_) {
    case State::open:
      return handle_->foreign() ? "of the parent process" : "open";
    case State::published:
      return "published";
    case State::cancelled:
      return "cancelled";
    case State::stale:
      return "stale";
  }
  return "";
}

void LoanObject::refuse_ended() const {
  if (state_ == State::stale) fail(Code::stale, queue_);
  throw Error(Code::closed, fmt::format("loan {} of queue '{}' has ended", seq_, queue_),
              fmt::format("it was {}", state_name()));
}

std::span<std::byte> LoanObject::memory() const {
  handle_->check_fork();
  if (state_ != State::open) refuse_ended();
  return loan_.bytes();
}

std::uint64_t LoanObject::publish(py::handle size) {
  handle_->check_fork();
  if (state_ != State::open) refuse_ended();
  const std::size_t used = size.is_none() ? size_ : size_of(size, "size");
  if (used > size_) {
    throw Error(Code::invalid, fmt::format("size={}", used),
                fmt::format("the loan has {} bytes", size_));
  }
  views_.require_none("loan", loan_view_cure);
  state_ = State::published;
  // A second thread that comes here while this one waits for its turn finds the loan ended.
  spillring::Loan loan = std::move(loan_);
  const Result<std::uint64_t> sequence = handle_->alone([&] { return loan.publish(used); });
  if (!sequence) {
    state_ = State::stale;
    fail(sequence.error(), queue_);
  }
  return *sequence;
}

void LoanObject::cancel() {
  handle_->check_fork();
  if (state_ != State::open) return;
  views_.require_none("loan", loan_view_cure);
  state_ = State::cancelled;
  handle_->drop(std::move(loan_));
}

void LoanObject::exit(bool failed) {
  if (state_ != State::open) return;
  if (!failed) {
    publish(py::none());
  } else if (views_.any()) {
    cancel_after_views_ = true;
  } else {
    cancel();
  }
}

void LoanObject::view_released() noexcept {
  if (!cancel_after_views_ || views_.any() || state_ != State::open) return;
  state_ = State::cancelled;
  handle_->drop(std::move(loan_));
}

std::string LoanObject::repr() const {
  return fmt::format("<spillring.Loan {} of '{}', {} bytes, {}>", seq_, queue_, size_,
                     state_name());
}

void define_loan(py::module_& module) {
  py::class_<LoanObject> type(module, "Loan", py::custom_type_setup(Exporter<LoanObject>::install),
                              py::is_final(),
                              R"(Room for a message in the queue's memory: a writable buffer.

Fill it in place (memoryview(loan)[:] = ..., np.asarray(loan), file.readinto(loan)), then publish().
A with statement publishes at its end and cancels after an exception. Views of it have to be gone
by then. Others may wait behind a loan: publish soon, for after the queue's stall_timeout it may be
revoked, and publish() raises Stale.)");
  type.attr("__module__") = "spillring";
  type.def_property_readonly("seq", &LoanObject::seq,
                             "The number that the message has if it is published.")
      .def_property_readonly("queue", &LoanObject::queue, "The queue's name.")
      .def(
          "publish", [](LoanObject& loan, const py::object& size) { return loan.publish(size); },
          py::arg("size") = py::none(),
          "publish(size=None) -> int\n\nMakes the message visible, its first `size` bytes or all "
          "of it, and returns its "
          "sequence.\nRaises BufferError while views of it exist, and Stale if it was revoked.")
      .def("cancel", &LoanObject::cancel,
           "cancel() -> None\n\nGives the loan up; nobody sees it. Raises BufferError while views "
           "of it exist.")
      .def("__len__", &LoanObject::size)
      .def("__bool__", [](const LoanObject&) { return true; })  // also where it is empty
      .def("__repr__", &LoanObject::repr)
      .def("__enter__", [](py::object self) { return self; })
      .def("__exit__", [](LoanObject& loan, const py::object& error, const py::object&,
                          const py::object&) { loan.exit(!error.is_none()); });
}

}  // namespace spillring::python
