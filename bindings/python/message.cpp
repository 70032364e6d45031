#include "message.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "arguments.hpp"
#include "errors.hpp"
#include "method.hpp"

namespace spillring::python {

namespace py = pybind11;

namespace {

constexpr const char* message_view_cure = "drop them first, or work on m.copy() or bytes(m)";

py::object key_of(std::optional<std::span<const std::byte>> key) {
  return key ? py::object(copied(*key)) : py::none();
}

void add_header(py::dict& headers, std::string_view name, std::span<const std::byte> value) {
  const auto text = py::reinterpret_steal<py::str>(
      PyUnicode_DecodeUTF8(name.data(), static_cast<Py_ssize_t>(name.size()), "surrogateescape"));
  if (!text) throw py::error_already_set();
  headers[text] = copied(value);
}

}  // namespace

MessageObject::MessageObject(std::shared_ptr<ConsumerHandle> handle, spillring::Message message,
                             Duty duty, std::string queue)
    : handle_(std::move(handle)),
      message_(std::move(message)),
      duty_(duty),
      queue_(std::move(queue)),
      size_(message_.bytes().size()),
      seq_(message_.seq()),
      deliveries_(message_.deliveries()),
      is_batch_(message_.is_batch()),
      gap_(message_.gap()),
      timestamp_(message_.timestamp().time_since_epoch()),
      ttl_(message_.ttl()) {}

MessageObject::MessageObject(PeekedMessage copy, std::string queue)
    : copy_(std::move(copy)),
      duty_(Duty::copy),
      queue_(std::move(queue)),
      size_(copy_->payload.size()),
      seq_(copy_->seq),
      deliveries_(0),
      is_batch_(copy_->is_batch),
      gap_(0),
      timestamp_(static_cast<std::int64_t>(copy_->timestamp_ns)),
      ttl_(copy_->ttl) {}

MessageObject::~MessageObject() {
  if (state_ != State::open || !handle_) return;
  const bool forgotten = duty_ == Duty::acknowledge && !return_after_views_ && !handle_->foreign();
  handle_->drop(std::move(message_));
  if (forgotten &&
      PyErr_WarnFormat(PyExc_ResourceWarning, 1,
                       "message %llu of queue '%s' was dropped unacknowledged and is handed back; "
                       "call ack() or nack(), or use it in a with statement",
                       static_cast<unsigned long long>(seq_), queue_.c_str()) != 0) {
    PyErr_WriteUnraisable(nullptr);
  }
}

void MessageObject::require_open() const {
  if (handle_) handle_->check_fork();
  if (state_ != State::open) {
    throw Error(Code::closed, fmt::format("message {} of queue '{}' has ended", seq_, queue_),
                "its bytes may be gone", "copy what you need before ack() or nack()");
  }
}

std::span<const std::byte> MessageObject::memory() const {
  require_open();
  return copy_ ? std::span<const std::byte>(copy_->payload) : message_.bytes();
}

py::object MessageObject::timestamp() const {
  const py::module_ datetime = py::module_::import("datetime");
  const auto utc = datetime.attr("timezone").attr("utc");
  const auto microseconds = std::chrono::duration_cast<std::chrono::microseconds>(timestamp_);
  return datetime.attr("datetime")(1970, 1, 1, py::arg("tzinfo") = utc) +
         datetime.attr("timedelta")(py::arg("microseconds") = microseconds.count());
}

py::object MessageObject::ttl() const {
  if (ttl_ == no_wait) return py::none();
  return py::float_(std::chrono::duration<double>(ttl_).count());
}

py::object MessageObject::key() const {
  require_open();
  return key_of(copy_ ? std::optional<std::span<const std::byte>>(copy_->key) : message_.key());
}

py::dict MessageObject::headers() const {
  require_open();
  py::dict headers;
  if (copy_) {
    for (const auto& [name, value] : copy_->headers) add_header(headers, name, value);
  } else {
    for (const Header& header : message_.headers()) add_header(headers, header.name, header.value);
  }
  return headers;
}

py::bytes MessageObject::copy() {
  const std::span<const std::byte> bytes = memory();
  views_.add();  // it must not end while the GIL is given up
  py::bytes copy = copied(bytes);
  views_.remove();
  view_released();
  return copy;
}

py::list MessageObject::parts() {
  const Parts parts(memory(), is_batch_);
  py::list list;
  views_.add();  // it must not end while the GIL is given up
  for (const auto part : parts) list.append(copied(part));
  views_.remove();
  view_released();
  return list;
}

std::string MessageObject::repr() const {
  constexpr std::size_t shown = 24;
  std::string about;
  switch (state_) {
    case State::open:
      if (handle_ && handle_->foreign()) {
        about = "of the parent process";
      } else {
        const auto bytes = memory();
        about = py::repr(copied(bytes.first(std::min(bytes.size(), shown)))).cast<std::string>();
        if (bytes.size() > shown) about += "...";
      }
      break;
    case State::acknowledged:
      about = "acknowledged";
      break;
    case State::returned:
      about = "handed back";
      break;
    case State::stale:
      about = "stale";
      break;
  }
  return fmt::format("<spillring.Message {} of '{}', {} bytes: {}>", seq_, queue_, size_, about);
}

// The view goes away; whatever the group had to know, it knows.
void MessageObject::end(State state) {
  views_.require_none("message", message_view_cure);
  state_ = state;
  if (handle_) handle_->drop(std::move(message_));
}

void MessageObject::finish(State state,
                           const std::function<Result<void>(spillring::Message&)>& how) {
  views_.require_none("message", message_view_cure);
  state_ = state;
  // A second thread that comes here while this one waits for its turn finds the message ended.
  spillring::Message message = std::move(message_);
  const Result<void> done = handle_->alone([&] { return how(message); });
  if (!done) {
    state_ = State::stale;
    fail(done.error(), queue_);
  }
}

void MessageObject::ack() {
  if (handle_) handle_->check_fork();
  switch (state_) {
    case State::acknowledged:
      return;
    case State::returned:
      throw Error(Code::invalid, fmt::format("message {}", seq_), "it was handed back with nack()");
    case State::stale:
      fail(Code::stale, queue_);
    case State::open:
      break;
  }
  switch (duty_) {
    case Duty::copy:
      throw Error(Code::invalid, fmt::format("message {}", seq_),
                  "it was peeked at; there is nothing to acknowledge");
    case Duty::settled:
      return end(State::acknowledged);
    case Duty::none:
    case Duty::acknowledge:
      return finish(State::acknowledged, [](auto& message) { return message.ack(); });
  }
}

void MessageObject::nack(Timeout delay) {
  if (handle_) handle_->check_fork();
  const auto refuse_because = [this](const char* why, const char* hint) {
    throw Error(Code::invalid, fmt::format("message {} cannot be handed back", seq_), why, hint);
  };
  switch (state_) {
    case State::returned:
      return;
    case State::acknowledged:
      refuse_because("it was acknowledged", "");
      break;
    case State::stale:
      fail(Code::stale, queue_);
    case State::open:
      break;
  }
  switch (duty_) {
    case Duty::copy:
      refuse_because("it was peeked at, not received", "");
      break;
    case Duty::settled:
      refuse_because("get() acknowledged it", "get(ack=False) leaves that to you");
      break;
    case Duty::none:
      refuse_because("a stream group has a position and no redelivery",
                     "consume() makes a member of a shared group");
      break;
    case Duty::acknowledge:
      finish(State::returned, [delay](auto& message) { return message.nack(delay); });
  }
}

void MessageObject::exit(bool failed) {
  if (state_ != State::open || duty_ == Duty::copy) return;
  if (!failed) return ack();
  if (views_.any()) {
    return_after_views_ = true;
  } else if (duty_ == Duty::acknowledge) {
    nack();
  } else {
    end(State::acknowledged);
  }
}

void MessageObject::view_released() noexcept {
  if (!return_after_views_ || views_.any() || state_ != State::open) return;
  state_ = duty_ == Duty::acknowledge ? State::returned : State::acknowledged;
  handle_->drop(std::move(message_));
}

namespace {

struct Ack {
  static constexpr Signature signature{"ack", {}};
  static constexpr const char* doc = R"(ack() -> None

Finishes the message for its group and ends the view. Raises BufferError while views of it exist,
and Stale where it was given to another consumer meanwhile.)";
  static py::object call(MessageObject& message, Given /*given*/) {
    message.ack();
    return py::none();
  }
};

}  // namespace

void define_message(py::module_& module) {
  py::class_<MessageObject> type(
      module, "Message", py::custom_type_setup(Exporter<MessageObject>::install), py::is_final(),
      R"(A received message: a read-only buffer in shared memory.

bytes(m), memoryview(m), np.frombuffer(m, 'f4') and all that takes a buffer work on it; only
bytes(m) and m.copy() copy. The bytes do not change while a view of them exists, and a view keeps
its message. seq, queue, deliveries, is_batch, gap, ttl and timestamp stay after ack(); key, headers
and the bytes do not.

A message of a shared group is acknowledged with ack() or handed back with nack(). A with statement
does the one at its end and the other after an exception. A message that is dropped without either
is handed back, with a ResourceWarning.)");
  type.attr("__module__") = "spillring";
  FastMethod<MessageObject, Ack>::define(type);
  type.def_property_readonly("seq", &MessageObject::seq, "The message's number in its queue.")
      .def_property_readonly("queue", &MessageObject::queue, "The queue's name.")
      .def_property_readonly("key", &MessageObject::key,
                             "The key, bytes; None where it was sent without one.")
      .def_property_readonly("headers", &MessageObject::headers,
                             "The headers, a dict of str to bytes.")
      .def_property_readonly("timestamp", &MessageObject::timestamp,
                             "When it was sent: an aware datetime in UTC.")
      .def_property_readonly("deliveries", &MessageObject::deliveries,
                             "How often it was handed out, this time included; above 1 it is a "
                             "redelivery. 0 if it was peeked at.")
      .def_property_readonly("gap", &MessageObject::gap,
                             "How many messages its group has missed before it, dropped by "
                             "full='drop-oldest' or lost; each is told of once.")
      .def_property_readonly("ttl", &MessageObject::ttl,
                             "Seconds that it was sent with, to be delivered in; None: no matter "
                             "how long.")
      .def_property_readonly("expired", &MessageObject::expired,
                             "True if it was peeked at and its time is over: nobody will get it.")
      .def(
          "nack",
          [](MessageObject& message, const py::object& delay) {
            message.nack(delay_of(delay, "delay"));
          },
          py::arg("delay") = 0,
          "nack(delay=0) -> None\n\nHands the message back for redelivery, at once or after so "
          "many "
          "seconds\n(at most three days), and ends the view. After max_deliveries it is not "
          "delivered again.\n"
          "Raises as ack().")
      .def("copy", &MessageObject::copy, "copy() -> bytes\n\nThe payload as bytes of its own.")
      .def_property_readonly("is_batch", &MessageObject::is_batch,
                             "True of an atomic batch: put_many(..., atomic=True).")
      .def("parts", &MessageObject::parts,
           "parts() -> list[bytes]\n\nCopies of the messages of an atomic batch; of any other "
           "message its payload, as the only one.\nbytes(m) of a batch is all of it as it lies in "
           "memory, with its table.")
      .def("__len__", &MessageObject::size)
      .def("__bool__", [](const MessageObject&) { return true; })  // also where it is empty
      .def("__repr__", &MessageObject::repr)
      .def("__enter__", [](py::object self) { return self; })
      .def("__exit__", [](MessageObject& message, const py::object& error, const py::object&,
                          const py::object&) { message.exit(!error.is_none()); });
}

}  // namespace spillring::python
