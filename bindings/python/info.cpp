#include "info.hpp"

#include <chrono>
#include <string_view>

#include "arguments.hpp"
#include "text/quantity.hpp"

namespace spillring::python {

namespace py = pybind11;

namespace {

py::object make(const char* type, const py::dict& fields) {
  return py::module_::import("spillring._info").attr(type)(**fields);
}

double seconds(Timeout timeout) { return std::chrono::duration<double>(timeout).count(); }

std::string_view state_word(QueueState state) {
  switch (state) {
    case QueueState::ok:
      return "ok";
    case QueueState::deleted:
      return "deleted";
    case QueueState::poisoned:
      return "poisoned";
    case QueueState::stopped:
      return "stopped";
  }
  return "unknown";
}

}  // namespace

py::object to_python(const QueueInfo& info) {
  py::dict fields;
  fields["name"] = info.name;
  fields["state"] = state_word(info.state);
  fields["capacity"] = info.options.capacity;
  fields["slots"] = info.options.slots;
  fields["full"] = word_for(info.options.full);
  fields["keep"] = word_for(info.options.keep);
  fields["stall_timeout"] = seconds(info.options.stall_timeout);
  fields["lease"] = info.options.lease == no_wait
                        ? py::object(py::none())
                        : py::object(py::float_(seconds(info.options.lease)));
  fields["ttl"] = info.options.ttl == no_wait ? py::object(py::none())
                                              : py::object(py::float_(seconds(info.options.ttl)));
  fields["group_expiry"] = info.options.group_expiry == no_wait
                               ? py::object(py::none())
                               : py::object(py::float_(seconds(info.options.group_expiry)));
  fields["max_deliveries"] = info.options.max_deliveries == 0
                                 ? py::object(py::none())
                                 : py::object(py::int_(info.options.max_deliveries));
  fields["dead_letter"] = info.options.dead_letter.empty()
                              ? py::object(py::none())
                              : py::object(py::str(info.options.dead_letter));
  fields["doomed"] = info.doomed;
  fields["dead_lettered"] = info.dead_lettered;
  fields["discarded"] = info.discarded;
  fields["dropped"] = info.dropped;
  fields["exclusive_producer"] = info.options.exclusive_producer;
  fields["prealloc"] = info.options.prealloc;
  fields["durability"] = word_for(info.options.durability);
  fields["sync"] =
      info.options.durability == Durability::memory
          ? "never"
          : text::human_sync(static_cast<std::uint64_t>(info.options.sync_interval.count()));
  fields["retain_age"] = info.options.retain_age == no_wait
                             ? py::object(py::none())
                             : py::object(py::float_(seconds(info.options.retain_age)));
  fields["retain_bytes"] = info.options.retain_bytes;
  fields["owner"] = info.owner;
  fields["owner_group"] = info.owner_group;
  fields["mode"] = info.options.mode;
  fields["earliest"] = info.earliest;
  fields["first"] = info.first;
  fields["next"] = info.next;
  fields["messages"] = info.messages;
  fields["bytes"] = info.bytes;
  fields["journaled"] = info.journaled;
  fields["journal_bytes"] = info.journal_bytes;
  fields["largest"] = info.largest;
  fields["ring_slots"] = info.ring_slots;
  fields["ring_bytes"] = info.ring_bytes;
  fields["rings"] = info.rings;
  fields["memory"] = info.memory;
  fields["producers"] = info.producers;
  fields["consumers"] = info.consumers;
  fields["groups"] = info.groups;
  fields["oldest_age"] =
      info.oldest_age ? py::object(py::float_(seconds(*info.oldest_age))) : py::object(py::none());
  fields["spilled"] = info.spilled;
  fields["spilled_bytes"] = info.spilled_bytes;
  fields["alarm"] = info.alarm == DiskAlarm::none
                        ? py::object(py::none())
                        : py::object(py::str(std::string(name(info.alarm))));
  fields["disk_free"] = info.disk_free;
  fields["disk_left"] = info.disk_left;
  return make("QueueInfo", fields);
}

py::object to_python(const GroupInfo& info) {
  py::dict fields;
  fields["name"] = info.name.empty() ? py::object(py::none()) : py::object(py::str(info.name));
  fields["kind"] = info.kind == GroupKind::shared ? "shared" : "stream";
  fields["floor"] = info.floor;
  fields["lag"] = info.lag;
  fields["members"] = info.members;
  fields["unacked"] = info.unacked;
  fields["lost"] = info.lost;
  fields["read_back"] = info.read_back;
  fields["read_back_bytes"] = info.read_back_bytes;
  fields["expired"] = info.expired;
  fields["dropped"] = info.dropped;
  fields["expires_in"] =
      info.expires_in ? py::object(py::float_(seconds(*info.expires_in))) : py::object(py::none());
  return make("GroupInfo", fields);
}

}  // namespace spillring::python
