#include "bus.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "arguments.hpp"
#include "connection.hpp"
#include "gil.hpp"
#include "info.hpp"
#include "instance.hpp"
#include "queue.hpp"
#include "spillring/client.hpp"
#include "spillring/embedded.hpp"

namespace spillring::python {

namespace py = pybind11;

namespace {

/// A connection as Python sees it.
class BusObject {
 public:
  explicit BusObject(std::shared_ptr<Connection> connection) : connection_(std::move(connection)) {}

  /// Asks the supervisor through `call(client)`, without the GIL.
  template <typename Call>
  std::invoke_result_t<Call, const Client&> ask(Call call) {
    connection_ = Connection::here(connection_);
    const Client client = connection_->client();
    return without_gil([&] { return call(client); });
  }
  [[nodiscard]] std::unique_ptr<QueueObject> wrap(Queue queue) const {
    return std::make_unique<QueueObject>(connection_, std::move(queue));
  }
  void close() { connection_->close(); }
  [[nodiscard]] const std::string& socket() const { return connection_->socket(); }
  [[nodiscard]] std::string repr() const {
    return fmt::format("<spillring.Bus{} at {}{}>", connection_->is_embedded() ? " embedded" : "",
                       socket(), connection_->closed() ? ", closed" : "");
  }

 private:
  std::shared_ptr<Connection> connection_;
};

// Keywords of Bus.queue() as they came; None: not given.
struct QueueKeywords {
  py::object capacity, slots, full, durability, sync, keep, retain, stall_timeout, lease,
      exclusive_producer, prealloc, mode, owner_group, max_deliveries, dead_letter, ttl,
      group_expiry;

  // The name of one that was given; null if none was.
  [[nodiscard]] const char* any() const {
    const std::pair<const char*, const py::object&> all[] = {
        {"capacity", capacity},
        {"slots", slots},
        {"full", full},
        {"durability", durability},
        {"sync", sync},
        {"keep", keep},
        {"retain", retain},
        {"lease", lease},
        {"exclusive_producer", exclusive_producer},
        {"prealloc", prealloc},
        {"stall_timeout", stall_timeout},
        {"mode", mode},
        {"owner_group", owner_group},
        {"max_deliveries", max_deliveries},
        {"dead_letter", dead_letter},
        {"ttl", ttl},
        {"group_expiry", group_expiry},
    };
    for (const auto& [name, value] : all) {
      if (!value.is_none()) return name;
    }
    return nullptr;
  }

  [[nodiscard]] QueueOptions options() const {
    QueueOptions options;
    if (!capacity.is_none()) options.capacity = bytes_of(capacity, "capacity");
    if (!slots.is_none()) options.slots = integer_of(slots, "slots", 1);
    if (!full.is_none()) options.full = full_of(full);
    if (!durability.is_none()) options.durability = durability_of(durability);
    if (!sync.is_none()) options.sync_interval = sync_of(sync);
    if (!keep.is_none()) options.keep = keep_of(keep);
    if (!retain.is_none()) {
      const Retention retention = retention_of(retain);
      options.retain_age = retention.age;
      options.retain_bytes = retention.bytes;
    }
    if (!stall_timeout.is_none()) {
      options.stall_timeout = duration_of(stall_timeout, "stall_timeout");
    }
    if (!lease.is_none()) options.lease = duration_of(lease, "lease");
    if (!ttl.is_none()) options.ttl = duration_of(ttl, "ttl");
    if (!group_expiry.is_none()) options.group_expiry = duration_of(group_expiry, "group_expiry");
    if (!exclusive_producer.is_none()) {
      options.exclusive_producer = flag_of(exclusive_producer, "exclusive_producer");
    }
    if (!prealloc.is_none()) options.prealloc = flag_of(prealloc, "prealloc");
    if (!max_deliveries.is_none()) {
      options.max_deliveries =
          static_cast<unsigned>(integer_of(max_deliveries, "max_deliveries", 1, UINT32_MAX));
    }
    if (!dead_letter.is_none()) options.dead_letter = name_of(dead_letter, "queue");
    if (!mode.is_none()) {
      options.mode = static_cast<unsigned>(integer_of(mode, "mode", 0, UINT32_MAX));
    }
    if (!owner_group.is_none()) {
      options.owner_group =
          py::isinstance<py::int_>(owner_group)
              ? std::to_string(integer_of(owner_group, "owner_group", 0, UINT32_MAX))
              : text_of(owner_group, "owner_group");
    }
    return options;
  }
};

std::unique_ptr<QueueObject> open_queue(BusObject& bus, const py::object& name, bool create,
                                        const QueueKeywords& keywords) {
  const std::string queue = name_of(name, "queue");
  const QueueOptions options = keywords.options();
  if (create) {
    return bus.wrap(bus.ask([&](const Client& c) { return c.open_or_create(queue, options); }));
  }
  if (const char* const given = keywords.any()) {
    throw Error(Code::invalid, fmt::format("option '{}' of queue '{}'", given, queue),
                "it is an option of a queue to be created", "pass create=True too");
  }
  return bus.wrap(bus.ask([&](const Client& c) { return c.open(queue); }));
}

std::string path_of(py::handle value) {
  const auto path = py::reinterpret_steal<py::object>(PyOS_FSPath(value.ptr()));
  if (!path) throw py::error_already_set();
  PyObject* encoded = nullptr;
  if (PyUnicode_FSConverter(path.ptr(), &encoded) == 0) throw py::error_already_set();
  return py::reinterpret_steal<py::bytes>(encoded);
}

BusObject connect(const py::object& socket, bool user, const py::object& timeout, bool autostart) {
  ConnectOptions options;
  if (!socket.is_none()) options.socket = path_of(socket);
  options.user = user;
  options.autostart = autostart;
  options.timeout = timeout_of(timeout, "timeout");
  return BusObject(without_gil([&] { return std::make_shared<Connection>(Client(options)); }));
}

// Embedded supervisors, which have a thread and a directory to be removed.
std::vector<std::weak_ptr<Connection>>& embedded_connections() {
  static auto* const connections = new std::vector<std::weak_ptr<Connection>>;
  return *connections;
}

// Those that are left when Python has ended, in the hands of daemon threads that it stopped.
void stop_embedded() {
  for (const auto& known : embedded_connections()) {
    if (const auto connection = known.lock()) connection->stop();
  }
}

BusObject embedded(const py::object& state_dir) {
  Embedded::Options options;
  if (!state_dir.is_none()) options.state_dir = path_of(state_dir);
  auto connection = without_gil([&] { return std::make_shared<Connection>(Embedded(options)); });
  std::erase_if(embedded_connections(), [](const auto& known) { return known.expired(); });
  embedded_connections().emplace_back(connection);
  return BusObject(std::move(connection));
}

void define_type(py::module_& module) {
  py::class_<BusObject> type(module, "Bus", py::custom_type_setup(only_made_here), py::is_final(),
                             R"(A connection to a supervisor. Made by connect() or embedded().

Threads may share it. It can be pickled, as the supervisor's socket, and in a forked child it connects
anew. close(), or the end of a with statement, closes all that was made through it;
messages and loans in use stay as they are and can be ended. An embedded supervisor stops with its
queues.)");
  type.attr("__module__") = "spillring";
  type.def(
          "queue",
          [](BusObject& bus, const py::object& name, const py::object& create,
             const py::object& capacity, const py::object& slots, const py::object& full,
             const py::object& durability, const py::object& sync, const py::object& keep,
             const py::object& retain, const py::object& stall_timeout, const py::object& lease,
             const py::object& exclusive_producer, const py::object& prealloc,
             const py::object& mode, const py::object& owner_group,
             const py::object& max_deliveries, const py::object& dead_letter, const py::object& ttl,
             const py::object& group_expiry, const py::kwargs& rest) {
            refuse(rest, "queue");
            return open_queue(bus, name, flag_of(create, "create"),
                              {capacity, slots, full, durability, sync, keep, retain, stall_timeout,
                               lease, exclusive_producer, prealloc, mode, owner_group,
                               max_deliveries, dead_letter, ttl, group_expiry});
          },
          py::arg("name"), py::kw_only(), py::arg("create") = false,
          py::arg("capacity") = py::none(), py::arg("slots") = py::none(),
          py::arg("full") = py::none(), py::arg("durability") = py::none(),
          py::arg("sync") = py::none(), py::arg("keep") = py::none(),
          py::arg("retain") = py::none(), py::arg("stall_timeout") = py::none(),
          py::arg("lease") = py::none(), py::arg("exclusive_producer") = py::none(),
          py::arg("prealloc") = py::none(), py::arg("mode") = py::none(),
          py::arg("owner_group") = py::none(), py::arg("max_deliveries") = py::none(),
          py::arg("dead_letter") = py::none(), py::arg("ttl") = py::none(),
          py::arg("group_expiry") = py::none(),
          R"(queue(name, *, create=False, ...) -> Queue

Opens a queue; with create=True makes it first where there is none, with these options (those of an
existing queue stay as they are):

capacity="16MiB"    most bytes in memory, a number or text such as "64MiB"; a limit, not a price
slots=65536         most messages in memory; rounded up to a power of two
full=None           what put() gets when there is no room: "block" waits, "reject" raises Full,
                    "spill" moves the oldest messages to the disk, from where they come back in
                    order, "drop-oldest" drops them: msg.gap and groups() say how many were
                    missed; None: "spill" where the supervisor has a state directory, else "block"
durability="memory" "disk": every message goes to the disk too; put(durable=True) and flush() wait
                    until it is there. Needs a supervisor with a state directory
sync="each"         how often the disk is made to have what was sent, with durability="disk": for
                    each who waits, at most every so many seconds (or "100ms"), or "never": then
                    what is confirmed outlives every process, but not a power cut
keep="unread"       keeps what some named group has not read; "attached": only what groups need
                    that have consumers now
retain=None         how much of what all groups have read stays on the disk, to be read again:
                    an age, a size or both: "24h", "10GiB", "7d,10GiB"
stall_timeout=1.0   seconds after which a loan that others wait for is revoked
lease=None          seconds after which a message that a consumer holds, and others wait for, is
                    given to another; None: never
exclusive_producer=False
                    True: one producer at a time. The Queue object that puts first has the place
                    until it is gone, its Bus is closed, or its process dies; a put() through
                    another one raises an Error ("busy"), which says what process has it
prealloc=False      starts at full size instead of growing to it, with all its pages in the table of
                    each process that attaches: its first call takes some 0.2 s longer for a GiB
mode=0o600          who may use it, as a file's mode: read = consume, write = publish
owner_group=None    the Unix group that the mode speaks of, a name or a number; None: one's own
max_deliveries=None how often a group delivers a message at most, up to 250; None: without end, or
                    5 with a dead_letter
dead_letter=None    the queue, which must be there, that a message goes to that was delivered as
                    often and is handed back again, or whose time is over; None: it is discarded
ttl=None            seconds in which a message is delivered that is sent without a time of its own;
                    after that, nobody gets it; None: no matter how long
group_expiry=None   seconds without consumers after which a named group is removed, with its
                    position; None: never)")
      .def(
          "queues",
          [](BusObject& bus) {
            py::list queues;
            for (const QueueInfo& info : bus.ask([](const Client& c) { return c.list(); })) {
              queues.append(to_python(info));
            }
            return queues;
          },
          "queues() -> list[QueueInfo]\n\nAll queues, by name.")
      .def(
          "delete",
          [](BusObject& bus, const py::object& name) {
            const std::string queue = name_of(name, "queue");
            bus.ask([&](const Client& c) { c.remove(queue); });
          },
          py::arg("name"),
          "delete(name) -> None\n\nRemoves a queue and its messages. Whoever uses it gets Deleted; "
          "views stay intact.")
      .def_property_readonly("socket", &BusObject::socket,
                             "Path of the supervisor's socket, for connect() in other processes.")
      .def("close", &BusObject::close,
           "close() -> None\n\nCloses all that was made through this Bus. Any number of times.")
      .def("__reduce__",
           [](const BusObject& bus) {
             return py::make_tuple(py::module_::import("spillring._opening").attr("open_bus"),
                                   py::make_tuple(bus.socket()));
           })
      .def("__enter__", [](py::object self) { return self; })
      .def("__exit__", [](BusObject& bus, const py::object&, const py::object&,
                          const py::object&) { bus.close(); })
      .def("__repr__", &BusObject::repr);
}

}  // namespace

void define_bus(py::module_& module) {
  define_type(module);
  module.def(
      "connect",
      [](const py::object& socket, bool user, const py::object& timeout, bool autostart,
         const py::kwargs& rest) {
        refuse(rest, "connect");
        return connect(socket, user, timeout, autostart);
      },
      py::arg("socket") = py::none(), py::kw_only(), py::arg("user").noconvert() = false,
      py::arg("timeout") = 5, py::arg("autostart").noconvert() = true,
      R"(connect(socket=None, *, user=False, timeout=5, autostart=True) -> Bus

Connects to a supervisor. socket: its path; None: $SPILLRING_SOCKET, else the system's if it is
there, else the user's own. user: the user's own although the system has one. timeout: seconds to
wait for any of its answers. autostart: start the user's own where it does not run, with one line on
stderr; SPILLRING_AUTOSTART=0 forbids it. Raises Unavailable.)");
  module.def(
      "embedded",
      [](const py::object& state_dir, const py::kwargs& rest) {
        refuse(rest, "embedded");
        return embedded(state_dir);
      },
      py::arg("state_dir") = py::none(),
      R"(embedded(state_dir=None) -> Bus

Runs a supervisor inside this process. Other processes reach it through the Bus's socket. Its queues
are gone with it, or are kept in state_dir, a directory for one supervisor at a time, until the next
one is started there.)");
  Py_AtExit(stop_embedded);
}

}  // namespace spillring::python
