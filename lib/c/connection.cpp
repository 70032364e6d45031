// spillring.h: connections, supervisors, queues and what they say.
#include <memory>

#include "c/failure.hpp"
#include "c/handles.hpp"
#include "c/options.hpp"
#include "spillring/diagnosis.hpp"

using namespace spillring;
using c::guarded;

namespace {

/// A text that must be there.
const char* required(const char* text, const char* what) {
  if (text == nullptr) throw Error(Code::invalid, std::string(what) + " is NULL");
  return text;
}

}  // namespace

extern "C" {

spillring_code spillring_connect(const spillring_connect_options* options,
                                 spillring_client** client) {
  return guarded([&] { *client = new spillring_client{Client(c::options_of(options))}; });
}

const char* spillring_client_socket(const spillring_client* client) {
  return client->client.socket().c_str();
}

void spillring_client_free(spillring_client* client) { delete client; }

spillring_code spillring_embedded_start(const spillring_embedded_options* options,
                                        spillring_embedded** embedded) {
  return guarded([&] {
    const spillring_embedded_options known = c::known_part(options);
    Embedded::Options own;
    if (known.socket != nullptr) own.socket = known.socket;
    if (known.state_dir != nullptr) own.state_dir = known.state_dir;
    *embedded = new spillring_embedded{Embedded(own)};
  });
}

spillring_code spillring_embedded_connect(const spillring_embedded* embedded,
                                          spillring_client** client) {
  return guarded([&] { *client = new spillring_client{embedded->embedded.connect()}; });
}

const char* spillring_embedded_socket(const spillring_embedded* embedded) {
  return embedded->embedded.socket().c_str();
}

void spillring_embedded_free(spillring_embedded* embedded) { delete embedded; }

spillring_code spillring_diagnose(const spillring_connect_options* options,
                                  void (*each)(const spillring_finding* finding, void* context),
                                  void* context) {
  return guarded([&] {
    for (const Finding& found : diagnose(c::options_of(options))) {
      const spillring_finding finding{sizeof finding,
                                      static_cast<std::int32_t>(found.verdict),
                                      0,
                                      found.check.c_str(),
                                      found.what.c_str(),
                                      found.why.c_str(),
                                      found.hint.c_str()};
      each(&finding, context);
    }
  });
}

spillring_code spillring_queue_open(const spillring_client* client, const char* name,
                                    spillring_queue** queue) {
  return guarded([&] {
    *queue = new spillring_queue{client->client.open(required(name, "the queue's name"))};
  });
}

spillring_code spillring_queue_create(const spillring_client* client, const char* name,
                                      const spillring_queue_options* options,
                                      spillring_queue** queue) {
  return guarded([&] {
    *queue = new spillring_queue{
        client->client.create(required(name, "the queue's name"), c::options_of(options))};
  });
}

spillring_code spillring_queue_open_or_create(const spillring_client* client, const char* name,
                                              const spillring_queue_options* options,
                                              spillring_queue** queue) {
  return guarded([&] {
    *queue = new spillring_queue{
        client->client.open_or_create(required(name, "the queue's name"), c::options_of(options))};
  });
}

spillring_code spillring_queue_remove(const spillring_client* client, const char* name) {
  return guarded([&] { client->client.remove(required(name, "the queue's name")); });
}

const char* spillring_queue_name(const spillring_queue* queue) {
  return queue->queue.name().c_str();
}

uint64_t spillring_queue_incarnation(const spillring_queue* queue) {
  return queue->queue.incarnation();
}

void spillring_queue_free(spillring_queue* queue) { delete queue; }

spillring_code spillring_queues(const spillring_client* client,
                                void (*each)(const spillring_queue_info* info, void* context),
                                void* context) {
  return guarded([&] {
    for (const QueueInfo& queue : client->client.list()) {
      const c::ShownQueue shown(queue);
      each(&shown.info(), context);
    }
  });
}

spillring_code spillring_queue_get_info(spillring_queue* queue, spillring_queue_info* info) {
  return guarded([&] {
    queue->shown.emplace(queue->queue.info());
    c::fill(info, queue->shown->info());
  });
}

spillring_code spillring_queue_messages(const spillring_queue* queue, uint64_t* messages) {
  return guarded([&] { *messages = queue->queue.messages(); });
}

spillring_code spillring_queue_set(const spillring_queue* queue,
                                   const spillring_queue_changes* changes) {
  return guarded([&] {
    const spillring_queue_changes known = c::known_part(changes);
    QueueChanges wanted;
    const auto take = [](const std::int64_t* given, std::optional<Timeout>& into) {
      if (given != nullptr) into = c::timeout_of(*given);
    };
    take(known.stall_timeout_ns, wanted.stall_timeout);
    take(known.lease_ns, wanted.lease);
    take(known.sync_interval_ns, wanted.sync_interval);
    take(known.retain_age_ns, wanted.retain_age);
    take(known.ttl_ns, wanted.ttl);
    take(known.group_expiry_ns, wanted.group_expiry);
    if (known.retain_bytes != nullptr) wanted.retain_bytes = *known.retain_bytes;
    queue->queue.set(wanted);
  });
}

spillring_code spillring_queue_purge(const spillring_queue* queue, uint64_t* purged) {
  return guarded([&] {
    const std::uint64_t count = queue->queue.purge();
    if (purged != nullptr) *purged = count;
  });
}

spillring_code spillring_groups(const spillring_queue* queue,
                                void (*each)(const spillring_group_info* info, void* context),
                                void* context) {
  return guarded([&] {
    for (const GroupInfo& group : queue->queue.groups()) {
      spillring_group_info info{};
      info.size = sizeof info;
      info.name = group.name.c_str();
      info.stream = group.kind == GroupKind::stream ? 1 : 0;
      info.floor = group.floor;
      info.lag = group.lag;
      info.members = group.members;
      info.unacked = group.unacked;
      info.lost = group.lost;
      info.read_back = group.read_back;
      info.read_back_bytes = group.read_back_bytes;
      info.expired = group.expired;
      info.dropped = group.dropped;
      info.expires_in_ns = group.expires_in ? group.expires_in->count() : -1;
      each(&info, context);
    }
  });
}

spillring_code spillring_group_remove(const spillring_queue* queue, const char* group) {
  return guarded([&] { queue->queue.remove_group(required(group, "the group's name")); });
}

spillring_code spillring_group_remove_with_members(const spillring_queue* queue,
                                                   const char* group) {
  return guarded([&] { queue->queue.remove_group(required(group, "the group's name"), true); });
}

spillring_code spillring_group_seek(const spillring_queue* queue, const char* group,
                                    spillring_from from, uint64_t value) {
  return guarded([&] {
    queue->queue.seek(required(group, "the group's name"),
                      c::start_of(from, value, Start::earliest()));
  });
}

spillring_code spillring_clients(const spillring_queue* queue,
                                 void (*each)(const spillring_client_info* info, void* context),
                                 void* context) {
  return guarded([&] {
    for (const ClientInfo& client : queue->queue.clients()) {
      spillring_client_info info{};
      info.size = sizeof info;
      info.pid = client.pid;
      info.user = client.user;
      info.role = static_cast<std::int32_t>(client.role);
      info.holds = client.hold ? 1 : 0;
      info.group = client.group.c_str();
      info.lag = client.lag;
      info.unacked = client.unacked;
      info.hold = client.hold.value_or(0);
      each(&info, context);
    }
  });
}
}
