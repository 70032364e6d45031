#include "consumer.hpp"

#include <fmt/format.h>
#include <pybind11/stl.h>

#include <array>
#include <utility>

#include "arguments.hpp"
#include "errors.hpp"
#include "instance.hpp"
#include "method.hpp"

namespace spillring::python {

namespace py = pybind11;

namespace {

/// The next message if one is there.
Result<spillring::Message> take(spillring::Consumer& consumer, bool settle) {
  for (;;) {
    Result<spillring::Message> message = consumer.try_receive();
    if (!message || !settle) return message;
    const Result<void> settled = message->settle();
    if (settled) return message;
    if (settled.error() != Code::stale) return settled.error();
    // It was given to somebody else between the two; theirs now. The next one.
  }
}

Result<void> wait(spillring::Consumer& consumer, Timeout left) { return consumer.wait(left); }

}  // namespace

Result<spillring::Message> receive(ConsumerHandle& handle, Timeout timeout, bool settle) {
  return handle.obtain(
      Deadline(timeout), [settle](spillring::Consumer& consumer) { return take(consumer, settle); },
      wait);
}

Result<std::vector<spillring::Message>> receive_many(ConsumerHandle& handle, std::size_t most,
                                                     Timeout timeout, bool settle) {
  using Batch = std::vector<spillring::Message>;
  const auto attempt = [most, settle](spillring::Consumer& consumer) -> Result<Batch> {
    Batch batch;
    while (batch.size() < most) {
      Result<spillring::Message> message = take(consumer, settle);
      if (!message && batch.empty()) return message.error();
      if (!message) break;  // what is wrong will be found again
      batch.push_back(*std::move(message));
    }
    return batch;
  };
  return handle.obtain(Deadline(timeout), attempt, wait);
}

py::list wrapped(std::vector<spillring::Message> messages,
                 const std::shared_ptr<ConsumerHandle>& handle, Duty duty,
                 const std::string& queue) {
  py::list list(messages.size());
  for (std::size_t i = 0; i < messages.size(); ++i) {
    list[i] =
        instance_of(std::make_unique<MessageObject>(handle, std::move(messages[i]), duty, queue));
  }
  return list;
}

int fileno(ConsumerHandle& handle, const std::string& queue) {
  const auto descriptor = handle.alone([&]() -> Result<int> {
    if (handle.closed()) return Code::closed;
    return handle.owner().fd();
  });
  if (!descriptor) fail(descriptor.error(), queue);
  return *descriptor;
}

ConsumerObject::ConsumerObject(std::shared_ptr<ConsumerHandle> handle, std::string queue,
                               std::optional<std::string> group, Duty duty, Timeout idle)
    : handle_(std::move(handle)),
      queue_(std::move(queue)),
      group_(std::move(group)),
      duty_(duty),
      idle_(idle) {}

std::unique_ptr<MessageObject> ConsumerObject::wrap(spillring::Message message) const {
  return std::make_unique<MessageObject>(handle_, std::move(message), duty_, queue_);
}

py::object ConsumerObject::receive(py::handle timeout) {
  Result<spillring::Message> message =
      python::receive(*handle_, timeout_of(timeout, "timeout"), false);
  if (message) return instance_of(wrap(*std::move(message)));
  if (message.error() == Code::empty || message.error() == Code::timeout) return py::none();
  fail(message.error(), queue_);
}

py::list ConsumerObject::receive_many(std::size_t most, Timeout timeout) {
  auto messages = python::receive_many(*handle_, most, timeout, false);
  if (messages) return wrapped(*std::move(messages), handle_, duty_, queue_);
  if (messages.error() == Code::empty || messages.error() == Code::timeout) {
    return py::list();
  }
  fail(messages.error(), queue_);
}

std::unique_ptr<MessageObject> ConsumerObject::next() {
  Result<spillring::Message> message = python::receive(*handle_, idle_, false);
  if (message) return wrap(*std::move(message));
  switch (message.error()) {
    case Code::empty:
    case Code::timeout:
    case Code::closed:
      throw py::stop_iteration();
    default:
      fail(message.error(), queue_);
  }
}

std::uint64_t ConsumerObject::lag() {
  const auto lag = handle_->alone([this]() -> Result<std::uint64_t> {
    if (handle_->closed()) return Code::closed;
    return handle_->owner().lag();
  });
  if (!lag) fail(lag.error(), queue_);
  return *lag;
}

void ConsumerObject::seek(Start to) {
  switch (const Code code =
              handle_->apart([to](spillring::Consumer& consumer) { consumer.seek(to); })) {
    case Code::ok:
      return;
    case Code::busy:
      throw Error(Code::busy, fmt::format("this consumer of queue '{}' is in use", queue_),
                  "another thread waits on it", "give it a consumer of its own");
    default:
      fail(code, queue_);
  }
}

std::string ConsumerObject::repr() const {
  return fmt::format(
      "<spillring.Consumer of '{}', {}{}>", queue_,
      group_ ? fmt::format("{} group '{}'", duty_ == Duty::none ? "stream" : "shared", *group_)
             : std::string("broadcast"),
      handle_->closed() ? ", closed" : "");
}

namespace {

struct Next {
  static constexpr Signature signature{"__next__", {}};
  static constexpr const char* doc = "The next message.";
  static py::object call(ConsumerObject& consumer, Given /*given*/) {
    return instance_of(consumer.next());
  }
};

struct Receive {
  static constexpr std::array parameters{"timeout"};
  static constexpr Signature signature{"receive", parameters, 1};
  static constexpr const char* doc = R"(receive(timeout=None) -> Message | None

The next message; None if none came within `timeout` seconds (None: waits for ever, 0: does not wait).)";
  static py::object call(ConsumerObject& consumer, Given given) {
    return consumer.receive(given[0] == nullptr ? Py_None : given[0]);
  }
};

}  // namespace

void define_consumer(py::module_& module) {
  py::class_<ConsumerObject> type(module, "Consumer", py::custom_type_setup(only_made_here),
                                  py::is_final(),
                                  R"(Receives a group's messages; an iterator of them.

Made by Queue.consume() and Queue.subscribe(). Threads may share it, and a message may be
acknowledged by another thread than the one that received it. close(), or the end of a with
statement, hands back what was claimed ahead and leaves the group; messages in use stay as they are
and can still be acknowledged.)");
  type.attr("__module__") = "spillring";
  FastMethod<ConsumerObject, Next>::define(type);
  FastMethod<ConsumerObject, Receive>::define(type);
  type.def("__iter__", [](py::object self) { return self; })
      .def(
          "receive_many",
          [](ConsumerObject& consumer, const py::object& n, const py::object& timeout) {
            return consumer.receive_many(integer_of(n, "n", 1), timeout_of(timeout, "timeout"));
          },
          py::arg("n"), py::arg("timeout") = py::none(),
          "receive_many(n, timeout=None) -> list[Message]\n\nUp to n messages: waits for the first "
          "as receive(), then takes what is there. Empty if none came in time.")
      .def("fileno", &ConsumerObject::fileno,
           R"(fileno() -> int

A descriptor for select, selectors, asyncio (loop.add_reader) and other event loops: it can be read
while a message may be there, until receive(timeout=0) has found none. Do not read from it or close
it. The first call in a process starts a thread, which sleeps for all consumers. See spillring.aio.)")
      .def(
          "seek",
          [](ConsumerObject& consumer, const py::object& to) { consumer.seek(start_of(to, "to")); },
          py::arg("to"),
          "seek(to) -> None\n\nGoes on elsewhere: at \"earliest\", \"latest\", a sequence or a "
          "datetime, as far as the queue still has\nmessages. It is the group that moves: this "
          "must "
          "be its only member, with no message in use, and no\nthread waiting on it.")
      .def_property_readonly("lag", &ConsumerObject::lag,
                             "How many sequences the group is behind the queue's end.")
      .def_property_readonly("queue", &ConsumerObject::queue, "The queue's name.")
      .def_property_readonly("group", &ConsumerObject::group,
                             "The group's name; None for a subscription without a name.")
      .def("close", &ConsumerObject::close,
           "close() -> None\n\nHands back what was claimed ahead and leaves the group. Messages in "
           "use stay as they are\nand can be acknowledged; the membership ends with the last of "
           "them.")
      .def("__enter__", [](py::object self) { return self; })
      .def("__exit__", [](ConsumerObject& consumer, const py::object&, const py::object&,
                          const py::object&) { consumer.close(); })
      .def("__repr__", &ConsumerObject::repr);
}

}  // namespace spillring::python
