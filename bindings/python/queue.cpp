#include "queue.hpp"

#include <fmt/format.h>
#include <pybind11/stl.h>

#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "arguments.hpp"
#include "buffer.hpp"
#include "errors.hpp"
#include "info.hpp"
#include "instance.hpp"
#include "method.hpp"

namespace spillring::python {

namespace py = pybind11;

QueueObject::QueueObject(std::shared_ptr<Connection> connection, spillring::Queue queue)
    : connection_(std::move(connection)), queue_(std::move(queue)), name_(queue_.name()) {}

std::string QueueObject::repr() const {
  return fmt::format("<spillring.Queue '{}' at {}>", name_, connection_->socket());
}

void QueueObject::come_here() {
  if (!connection_->foreign()) return connection_->check();
  auto connection = Connection::here(connection_);
  const Client client = connection->client();
  auto queue = without_gil([&] { return client.open(name_); });
  if (!connection_->foreign()) return;  // another thread was faster
  abandon(queue_);
  queue_ = std::move(queue);
  connection_ = std::move(connection);
  sender_.reset();
  making_ = std::make_shared<std::mutex>();
  unconfirmed_.clear();
  getters_ = {};
}

std::shared_ptr<ConsumerHandle> QueueObject::share(spillring::Consumer consumer) const {
  auto handle = std::make_shared<ConsumerHandle>(connection_, std::move(consumer));
  connection_->own(handle);
  return handle;
}

std::shared_ptr<ConsumerHandle> QueueObject::getter(const std::string& group) {
  come_here();
  const std::uint64_t incarnation = queue_.incarnation();
  Getters former;  // ended last: that gives up the GIL
  if (getters_.incarnation != incarnation) {
    former = std::exchange(getters_, Getters{incarnation, {}});
  }
  const auto known = getters_.by_group.find(group);
  if (known != getters_.by_group.end()) return known->second;
  // It claims nothing ahead: what get() was not asked for belongs to whoever asks.
  auto handle = share(ask([&](const spillring::Queue& queue) {
    return queue.consumer(group, {.prefetch = 1, .interruptible = true});
  }));
  if (getters_.incarnation != incarnation) return handle;  // by now there is a later one
  return getters_.by_group.try_emplace(group, std::move(handle)).first->second;
}

/// What the next call finds anew: the queue, if a supervisor that had stopped is back; the group,
/// if it was removed with its members.
void QueueObject::prepare_to_recover(const std::string& group,
                                     const std::shared_ptr<ConsumerHandle>& handle, Code code) {
  if (code == Code::unavailable) look_for_supervisor();
  if (code != Code::deleted) return;
  const auto known = getters_.by_group.find(group);
  if (known != getters_.by_group.end() && known->second == handle) getters_.by_group.erase(known);
}

void QueueObject::look_for_supervisor() {
  try {
    ask([](const spillring::Queue& queue) { return queue.info(); });
  } catch (const Error&) {  // it is not: the caller says so
  }
}

std::unique_ptr<MessageObject> QueueObject::get(const std::string& group, Timeout timeout,
                                                bool ack) {
  const std::shared_ptr<ConsumerHandle> handle = getter(group);
  Result<spillring::Message> message = receive(*handle, timeout, ack);
  prepare_to_recover(group, handle, message.error());
  if (!message) fail(is_nothing(message.error()) ? Code::empty : message.error(), name_);
  return std::make_unique<MessageObject>(handle, *std::move(message),
                                         ack ? Duty::settled : Duty::acknowledge, name_);
}

py::list QueueObject::get_many(std::size_t most, const std::string& group, Timeout timeout) {
  const std::shared_ptr<ConsumerHandle> handle = getter(group);
  auto messages = receive_many(*handle, most, timeout, true);
  prepare_to_recover(group, handle, messages.error());
  if (!messages) fail(is_nothing(messages.error()) ? Code::empty : messages.error(), name_);
  return wrapped(*std::move(messages), handle, Duty::settled, name_);
}

std::unique_ptr<ConsumerObject> QueueObject::consume(std::string group, ConsumerOptions options,
                                                     Timeout idle) {
  options.interruptible = true;
  auto handle =
      share(ask([&](const spillring::Queue& queue) { return queue.consumer(group, options); }));
  return std::make_unique<ConsumerObject>(std::move(handle), name_, std::move(group),
                                          Duty::acknowledge, idle);
}

std::unique_ptr<ConsumerObject> QueueObject::subscribe(std::optional<std::string> group,
                                                       SubscriberOptions options) {
  options.interruptible = true;
  auto handle = share(ask([&](const spillring::Queue& queue) {
    return queue.subscriber(group.value_or(""), options);
  }));
  return std::make_unique<ConsumerObject>(std::move(handle), name_, std::move(group), Duty::none,
                                          forever);
}

namespace {

constexpr const char* default_group = "default";

std::string group_of(PyObject* given) {
  return given == nullptr ? default_group : name_of(given, "group");
}

bool ack_of(PyObject* given) { return given == nullptr || flag_of(given, "ack"); }

struct Get {
  static constexpr std::array parameters{"group", "timeout", "ack"};
  static constexpr Signature signature{"get", parameters};
  static constexpr const char* doc = R"(get(*, group="default", timeout=None, ack=True) -> Message

Takes the group's next message. Waits up to `timeout` seconds (None: for ever), then raises Empty.
The message is acknowledged at once, and its bytes stay until it and its views are gone; with
ack=False it is the caller's to acknowledge.)";

  static py::object call(QueueObject& queue, Given given) {
    const Timeout timeout = given[1] == nullptr ? forever : timeout_of(given[1], "timeout");
    return instance_of(queue.get(group_of(given[0]), timeout, ack_of(given[2])));
  }
};

struct GetNowait {
  static constexpr std::array parameters{"group", "ack"};
  static constexpr Signature signature{"get_nowait", parameters};
  static constexpr const char* doc = R"(get_nowait(*, group="default", ack=True) -> Message

get() that raises Empty instead of waiting.)";

  static py::object call(QueueObject& queue, Given given) {
    return instance_of(queue.get(group_of(given[0]), no_wait, ack_of(given[1])));
  }
};

void define_receiving(py::class_<QueueObject>& type) {
  FastMethod<QueueObject, Get>::define(type);
  FastMethod<QueueObject, GetNowait>::define(type);
  type.def(
          "get_many",
          [](QueueObject& queue, const py::object& n, const py::object& group,
             const py::object& timeout, const py::kwargs& rest) {
            refuse(rest, "get_many");
            return queue.get_many(integer_of(n, "n", 1), name_of(group, "group"),
                                  timeout_of(timeout, "timeout"));
          },
          py::arg("n"), py::kw_only(), py::arg("group") = "default",
          py::arg("timeout") = py::none(),
          R"(get_many(n, *, group="default", timeout=None) -> list[Message]

Takes up to n of the group's messages, acknowledged at once: waits for the first as get(), which
raises Empty if none comes, then takes what is there.)")
      .def(
          "_fileno",
          [](QueueObject& queue, const py::object& group) {
            return queue.fileno(name_of(group, "group"));
          },
          "_fileno(group) -> int\n\nConsumer.fileno() of what get() receives with.")
      .def(
          "consume",
          [](QueueObject& queue, const py::object& group, const py::object& prefetch,
             const py::object& start, const py::object& timeout, const py::kwargs& rest) {
            refuse(rest, "consume");
            const auto ahead = integer_of(prefetch, "prefetch", 1, UINT32_MAX);
            return queue.consume(
                name_of(group, "group"),
                {.prefetch = static_cast<unsigned>(ahead), .start = start_of(start)},
                timeout_of(timeout, "timeout"));
          },
          py::arg("group") = "default", py::kw_only(), py::arg("prefetch") = 64,
          py::arg("start") = "earliest", py::arg("timeout") = py::none(),
          R"(consume(group="default", *, prefetch=64, start="earliest", timeout=None) -> Consumer

Becomes a member of a shared group, in which each message goes to one member and is acknowledged or
delivered again. The first member makes the group, which begins at `start`: "earliest", "latest", a
sequence or a datetime. prefetch: how many messages to claim ahead. timeout: seconds without a message after
which iteration ends (None: never).)")
      .def(
          "subscribe",
          [](QueueObject& queue, const py::object& group, const py::object& start,
             const py::kwargs& rest) {
            refuse(rest, "subscribe");
            std::optional<std::string> name;
            if (!group.is_none()) name = name_of(group, "group");
            return queue.subscribe(std::move(name), {.start = start_of(start)});
          },
          py::arg("group") = py::none(), py::kw_only(), py::arg("start") = "latest",
          R"(subscribe(group=None, *, start="latest") -> Consumer

Reads all messages from `start` on: "earliest", "latest", a sequence or a datetime. A named group keeps its
position and has one reader at a time, others stand by; without a name each subscriber gets
everything for as long as it lives (publish/subscribe).)");
}

/// None: it stays.
QueueChanges changes_of(const py::object& lease, const py::object& stall_timeout,
                        const py::object& sync, const py::object& retain, const py::object& ttl,
                        const py::object& group_expiry) {
  QueueChanges changes;
  if (!group_expiry.is_none()) changes.group_expiry = timeout_of(group_expiry, "group_expiry");
  if (!ttl.is_none()) changes.ttl = timeout_of(ttl, "ttl");          // zero: no matter how long
  if (!lease.is_none()) changes.lease = timeout_of(lease, "lease");  // zero: none
  if (!stall_timeout.is_none()) changes.stall_timeout = duration_of(stall_timeout, "stall_timeout");
  if (!sync.is_none()) changes.sync_interval = sync_of(sync);
  if (retain.is_none()) return changes;
  const bool none = py::isinstance<py::str>(retain) && text_of(retain, "retain") == "none";
  const Retention retention = none ? Retention{} : retention_of(retain);
  changes.retain_age = retention.age;
  changes.retain_bytes = retention.bytes;
  return changes;
}

void define_administration(py::class_<QueueObject>& type) {
  type.def(
          "set",
          [](QueueObject& queue, const py::object& lease, const py::object& stall_timeout,
             const py::object& sync, const py::object& retain, const py::object& ttl,
             const py::object& group_expiry, const py::kwargs& rest) {
            refuse(rest, "set");
            const QueueChanges changes =
                changes_of(lease, stall_timeout, sync, retain, ttl, group_expiry);
            return to_python(queue.ask([&](const spillring::Queue& q) { return q.set(changes); }));
          },
          py::kw_only(), py::arg("lease") = py::none(), py::arg("stall_timeout") = py::none(),
          py::arg("sync") = py::none(), py::arg("retain") = py::none(), py::arg("ttl") = py::none(),
          py::arg("group_expiry") = py::none(),
          R"(set(*, lease=None, stall_timeout=None, sync=None, retain=None, ttl=None, group_expiry=None)
-> QueueInfo

Changes options of the queue, at once for everybody attached, and for good; those left out stay.
They are as in Bus.queue(); lease=0, ttl=0 and group_expiry=0: none, retain="none": no history. Returns the queue as it is then.)")
      .def(
          "peek",
          [](QueueObject& queue, const py::object& n, const py::object& seq,
             const py::kwargs& rest) {
            refuse(rest, "peek");
            const std::size_t most = integer_of(n, "n");
            const std::uint64_t from = seq.is_none() ? 0 : integer_of(seq, "seq");
            auto copies = queue.ask([&](const spillring::Queue& q) { return q.peek(most, from); });
            py::list messages;
            for (PeekedMessage& copy : copies) {
              messages.append(
                  instance_of(std::make_unique<MessageObject>(std::move(copy), queue.name())));
            }
            return messages;
          },
          py::arg("n") = 1, py::kw_only(), py::arg("seq") = py::none(),
          R"(peek(n=1, *, seq=None) -> list[Message]

Copies of up to n messages from sequence `seq` on (None: the oldest that somebody still needs);
nothing changes for anybody.)")
      .def(
          "info",
          [](QueueObject& queue) {
            return to_python(queue.ask([](const spillring::Queue& q) { return q.info(); }));
          },
          "info() -> QueueInfo\n\nThe queue as it is at this moment.")
      .def(
          "groups",
          [](QueueObject& queue) {
            py::list groups;
            for (const GroupInfo& group :
                 queue.ask([](const spillring::Queue& q) { return q.groups(); })) {
              groups.append(to_python(group));
            }
            return groups;
          },
          "groups() -> list[GroupInfo]\n\nThe groups as they are at this moment.")
      .def(
          "remove_group",
          [](QueueObject& queue, const py::object& group, const py::object& force,
             const py::kwargs& rest) {
            refuse(rest, "remove_group");
            const std::string name = name_of(group, "group");
            const bool with_members = flag_of(force, "force");
            queue.ask([&](const spillring::Queue& q) { q.remove_group(name, with_members); });
          },
          py::arg("name"), py::kw_only(), py::arg("force") = false,
          R"(remove_group(name, *, force=False) -> None

Removes a group and its position. It must have no members, unless force is given: then all that they
call raises Deleted from now on. What they hold they may go on reading; its ack() raises Stale.)")
      .def(
          "purge",
          [](QueueObject& queue) {
            return queue.ask([](const spillring::Queue& q) { return q.purge(); });
          },
          R"(purge() -> int

Moves every group to the queue's end. What consumers hold keeps its bytes; its ack() raises Stale.
Returns how many sequences the group furthest behind passed over.)")
      .def("__len__",
           [](QueueObject& queue) {
             return queue.ask([](const spillring::Queue& q) { return q.messages(); });
           })
      .def("__reduce__",
           [](const QueueObject& queue) {
             return py::make_tuple(py::module_::import("spillring._opening").attr("open_queue"),
                                   py::make_tuple(queue.socket(), queue.name()));
           })
      .def("__bool__", [](const QueueObject&) { return true; });  // also where it is empty
}

}  // namespace

void define_queue(py::module_& module) {
  py::class_<QueueObject> type(module, "Queue", py::custom_type_setup(only_made_here),
                               py::is_final(),
                               R"(A named queue. Made by Bus.queue().

Threads may share it. It can be pickled, as the supervisor's socket and the name, and in a forked
child it opens itself anew: hand it to processes as an argument. put() and get() go on while no supervisor answers; what asks it raises
Unavailable then. Once another supervisor was reached, by any call of this Bus, all of this is about
the queue of this name there; consumers, messages and loans made before stay with the former.)");
  type.attr("__module__") = "spillring";
  type.def_property_readonly("name", &QueueObject::name, "The queue's name.")
      .def("__repr__", &QueueObject::repr);
  define_sending(type);
  define_receiving(type);
  define_administration(type);
  module.def(
      "_open",
      [](const std::string& socket, const std::string& name) {
        auto connection = Connection::shared(socket);
        const Client client = connection->client();
        auto queue = without_gil([&] { return client.open(name); });
        return std::make_unique<QueueObject>(std::move(connection), std::move(queue));
      },
      "_open(socket, name) -> Queue\n\nA queue that came by pickle.");
}

}  // namespace spillring::python
