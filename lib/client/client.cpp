#include "spillring/client.hpp"

#include <fmt/format.h>

#include "client/autostart.hpp"
#include "client/connection.hpp"
#include "client/consumer_core.hpp"
#include "client/membership.hpp"
#include "client/observer.hpp"
#include "client/producer_core.hpp"
#include "client/socket_path.hpp"
#include "os/clock.hpp"
#include "os/group_id.hpp"

namespace spillring {

using layout::Ask;

namespace {

void require_name(std::string_view name, const char* of_what) {
  if (valid_name(name)) return;
  throw Error(
      Code::invalid, fmt::format("'{}' is not a {} name", name, of_what),
      name.size() > max_name
          ? fmt::format("it has {} characters, at most {} are allowed", name.size(), max_name)
          : "a name has 1 to 120 characters of A-Z a-z 0-9 . _ - and begins with no dot",
      "choose another name");
}

layout::Request named(Ask ask, std::string_view name) {
  layout::Request request = control::request(ask);
  request.name.set(name);
  return request;
}

std::uint64_t nanoseconds(Timeout value) noexcept {
  return value.count() < 0 ? 0 : static_cast<std::uint64_t>(value.count());
}

std::uint32_t group_of(const std::string& name) {
  if (name.empty()) return layout::no_group;
  const auto id = os::group_id(name);
  if (!id) {
    throw Error(Code::invalid, fmt::format("there is no group '{}'", name),
                "owner_group is the name or the number of a Unix group", "see: getent group");
  }
  return *id;
}

std::uint32_t sync_ms_of(Timeout interval) noexcept {
  if (interval == sync_never) return layout::sync_never;
  const auto whole = std::chrono::ceil<std::chrono::milliseconds>(interval).count();
  return static_cast<std::uint32_t>(
      std::clamp<std::int64_t>(whole, 0, layout::sync_never - 1));  // which is refused
}

Timeout interval_of(std::uint32_t sync_ms) noexcept {
  return sync_ms == layout::sync_never ? sync_never : std::chrono::milliseconds(sync_ms);
}

layout::Request creation(std::string_view name, const QueueOptions& options) {
  layout::Request request = named(Ask::create, name);
  request.capacity = options.capacity;
  request.slots = options.slots;
  request.full = static_cast<std::uint8_t>(options.full);
  request.keep = static_cast<std::uint8_t>(options.keep);
  request.stall_timeout_ns = nanoseconds(options.stall_timeout);
  request.lease_ns = nanoseconds(options.lease);
  request.ttl_ns = nanoseconds(options.ttl);
  request.group_expiry_ns = nanoseconds(options.group_expiry);
  request.prealloc = options.prealloc ? 1 : 0;
  request.exclusive_producer = options.exclusive_producer ? 1 : 0;
  request.durability = static_cast<std::uint8_t>(options.durability);
  request.sync_ms = sync_ms_of(options.sync_interval);
  request.retain_ns = nanoseconds(options.retain_age);
  request.retain_bytes = options.retain_bytes;
  request.max_deliveries = options.max_deliveries;
  if (options.dead_letter.size() > layout::name_size) {
    throw Error(Code::invalid, "not a queue name", "the name of the dead-letter queue is too long");
  }
  request.dead_letter.set(options.dead_letter);
  request.mode = options.mode;
  request.owner_group = group_of(options.owner_group);
  return request;
}

layout::Request setting(const QueueChanges& changes) {
  layout::Request request = control::request(Ask::set);
  const auto add = [&](bool given, layout::Setting setting) {
    if (given) request.kind = static_cast<std::uint16_t>(request.kind | setting);
  };
  add(changes.stall_timeout.has_value(), layout::setting_stall_timeout);
  add(changes.lease.has_value(), layout::setting_lease);
  add(changes.ttl.has_value(), layout::setting_ttl);
  add(changes.group_expiry.has_value(), layout::setting_group_expiry);
  add(changes.sync_interval.has_value(), layout::setting_sync);
  add(changes.retain_age.has_value(), layout::setting_retain_age);
  add(changes.retain_bytes.has_value(), layout::setting_retain_bytes);
  request.stall_timeout_ns = nanoseconds(changes.stall_timeout.value_or(no_wait));
  request.lease_ns = nanoseconds(changes.lease.value_or(no_wait));
  request.ttl_ns = nanoseconds(changes.ttl.value_or(no_wait));
  request.group_expiry_ns = nanoseconds(changes.group_expiry.value_or(no_wait));
  request.sync_ms = sync_ms_of(changes.sync_interval.value_or(no_wait));
  request.retain_ns = nanoseconds(changes.retain_age.value_or(no_wait));
  request.retain_bytes = changes.retain_bytes.value_or(0);
  return request;
}

/// Nothing is older than now, whatever became of the clock.
Timeout age_of(std::uint64_t timestamp) noexcept {
  const std::uint64_t now = os::wall_clock();
  return Timeout(now > timestamp ? now - timestamp : 0);
}

QueueInfo info_of(const layout::QueueRecord& record) {
  QueueInfo info;
  info.name = record.name.view();
  info.state = static_cast<QueueState>(record.state);
  info.options.capacity = record.capacity;
  info.options.slots = record.slots;
  info.options.full = static_cast<Full>(record.full);
  info.options.keep = static_cast<Keep>(record.keep);
  info.options.stall_timeout = Timeout(record.stall_timeout_ns);
  info.options.lease = Timeout(record.lease_ns);
  info.options.ttl = Timeout(record.ttl_ns);
  info.options.group_expiry = Timeout(record.group_expiry_ns);
  info.options.prealloc = record.prealloc != 0;
  info.options.exclusive_producer = record.exclusive_producer != 0;
  info.options.durability = static_cast<Durability>(record.durability);
  info.options.sync_interval = interval_of(record.sync_ms);
  info.options.retain_age = Timeout(record.retain_ns);
  info.options.retain_bytes = record.retain_bytes;
  info.options.max_deliveries = record.max_deliveries;
  info.options.dead_letter = record.dead_letter.view();
  info.doomed = record.doomed;
  info.dead_lettered = record.dead_lettered;
  info.discarded = record.discarded;
  info.dropped = record.dropped;
  info.options.mode = record.mode;
  info.options.owner_group = std::to_string(record.owner_group);
  info.owner = record.owner;
  info.owner_group = record.owner_group;
  info.earliest = record.earliest;
  info.first = record.first;
  info.next = record.next;
  info.messages = record.messages;
  info.bytes = record.bytes;
  info.journaled = record.journaled;
  info.journal_bytes = record.journal_bytes;
  info.largest = record.largest;
  info.ring_slots = record.ring_slots;
  info.ring_bytes = record.ring_bytes;
  info.rings = record.rings;
  info.memory = record.memory;
  info.producers = record.producers;
  info.consumers = record.consumers;
  info.groups = record.groups;
  if (record.oldest != 0) info.oldest_age = age_of(record.oldest);
  info.spilled = record.spilled;
  info.spilled_bytes = record.spilled_bytes;
  info.alarm = static_cast<DiskAlarm>(record.alarm);
  info.disk_free = record.disk_free;
  info.disk_left = record.disk_left;
  return info;
}

std::optional<Timeout> expires_in(const layout::GroupRecord& record) {
  if (record.expires_in_ns == layout::no_sequence) return std::nullopt;
  return Timeout(record.expires_in_ns);
}

template <typename Record>
void require_records(const control::Answered& answer) {
  if (!answer.has_records<Record>()) throw Error(Code::corrupt, "an answer with odd records");
}

std::shared_ptr<client::QueueRef> reference(const std::shared_ptr<client::Connection>& connection,
                                            const layout::Request& request, std::string_view name) {
  const client::Answered answer = connection->call(request);
  return std::make_shared<client::QueueRef>(
      connection, std::string(name), client::QueueNumber{answer.reply.queue, answer.generation});
}

layout::QueueRecord record_of(client::QueueRef& queue,
                              const layout::Request& request = control::request(Ask::info)) {
  const client::Answered answer = queue.ask(request);
  require_records<layout::QueueRecord>(answer);
  if (answer.reply.records == 0) throw Error(Code::corrupt, "an answer without a record");
  return answer.record<layout::QueueRecord>(0);
}

/// The supervisor reads no journal for those who ask.
std::optional<Timeout> age_in_journal(client::QueueRef& queue, std::uint64_t first) try {
  const std::vector<PeekedMessage> oldest = client::Observer(queue).peek(1, first);
  return oldest.empty() ? std::nullopt : std::optional(age_of(oldest.front().timestamp_ns));
} catch (const Error&) {  // it may not be read, or has gone meanwhile
  return std::nullopt;
}

}  // namespace

Client::Client(const ConnectOptions& options)
    : connection_(std::make_shared<client::Connection>(client::choose_socket(options),
                                                       options.autostart, options.timeout)) {}

const std::string& Client::socket() const { return connection_->path(); }

Queue Client::open(std::string_view name) const {
  require_name(name, "queue");
  return Queue(reference(connection_, named(Ask::open, name), name));
}

Queue Client::create(std::string_view name, const QueueOptions& options) const {
  require_name(name, "queue");
  return Queue(reference(connection_, creation(name, options), name));
}

Queue Client::open_or_create(std::string_view name, const QueueOptions& options) const {
  // Another process may create or remove it in between.
  for (int attempt = 0;; ++attempt) {
    try {
      return open(name);
    } catch (const Error& error) {
      if (error.code() != Code::not_found) throw;
    }
    try {
      return create(name, options);
    } catch (const Error& error) {
      if (error.code() != Code::exists || attempt == 10) throw;
    }
  }
}

void Client::remove(std::string_view name) const {
  require_name(name, "queue");
  connection_->call(named(Ask::remove, name));
}

std::vector<QueueInfo> Client::list() const {
  std::vector<QueueInfo> queues;
  layout::Request request = control::request(Ask::list);
  for (;;) {
    const client::Answered answer = connection_->call(request);
    require_records<layout::QueueRecord>(answer);
    for (std::size_t i = 0; i < answer.reply.records; ++i) {
      queues.push_back(info_of(answer.record<layout::QueueRecord>(i)));
    }
    if (answer.reply.number == 0 || answer.reply.records == 0) return queues;
    request.name.set(queues.back().name);
  }
}

const std::string& Queue::name() const { return ref_->name(); }

std::uint64_t Queue::incarnation() const noexcept { return ref_->connection()->generation(); }

Producer Queue::producer(const ProducerOptions& options) const {
  client::Answered answer = ref_->ask(control::request(Ask::produce));
  return Producer(new client::ProducerCore(*ref_, answer, options));
}

Consumer Queue::consumer(std::string_view group, const ConsumerOptions& options) const {
  require_name(group, "group");
  return Consumer(client::join({.queue = ref_,
                                .group = std::string(group),
                                .kind = GroupKind::shared,
                                .prefetch = options.prefetch,
                                .interruptible = options.interruptible},
                               options.start));
}

Consumer Queue::subscriber(std::string_view group, const SubscriberOptions& options) const {
  if (!group.empty()) require_name(group, "group");
  return Consumer(client::join({.queue = ref_,
                                .group = std::string(group),
                                .kind = GroupKind::stream,
                                .interruptible = options.interruptible},
                               options.start));
}

void Queue::seek(std::string_view group, Start start) const {
  require_name(group, "group");
  client::seek(*ref_, group, start);
}

std::vector<PeekedMessage> Queue::peek(std::size_t most, std::uint64_t from) const {
  return client::Observer(*ref_).peek(most, from);
}

QueueInfo Queue::info() const {
  QueueInfo info = info_of(record_of(*ref_));
  if (!info.oldest_age && info.journaled != 0) info.oldest_age = age_in_journal(*ref_, info.first);
  return info;
}

QueueInfo Queue::set(const QueueChanges& changes) const {
  return info_of(record_of(*ref_, setting(changes)));
}

std::uint64_t Queue::messages() const { return record_of(*ref_).messages; }

std::vector<GroupInfo> Queue::groups() const {
  std::vector<GroupInfo> groups;
  layout::Request request = control::request(Ask::groups);
  for (;;) {
    const client::Answered answer = ref_->ask(request);
    require_records<layout::GroupRecord>(answer);
    for (std::size_t i = 0; i < answer.reply.records; ++i) {
      const auto record = answer.record<layout::GroupRecord>(i);
      groups.push_back({std::string(record.name.view()), static_cast<GroupKind>(record.kind),
                        record.floor, record.lag, record.members, record.unacked, record.lost,
                        record.read_back, record.read_back_bytes, record.expired,
                        expires_in(record), record.dropped});
      request.number = record.slot + 1U;
    }
    if (answer.reply.number == 0 || answer.reply.records == 0) return groups;
  }
}

std::vector<ClientInfo> Queue::clients() const {
  std::vector<ClientInfo> clients;
  layout::Request request = control::request(Ask::clients);
  for (;;) {
    const client::Answered answer = ref_->ask(request);
    require_records<layout::ClientRecord>(answer);
    for (std::size_t i = 0; i < answer.reply.records; ++i) {
      const auto record = answer.record<layout::ClientRecord>(i);
      ClientInfo info{record.pid,
                      record.user,
                      static_cast<ClientRole>(record.role),
                      std::string(record.group.view()),
                      record.lag,
                      record.unacked,
                      {}};
      if (record.hold != layout::no_sequence) info.hold = record.hold;
      clients.push_back(std::move(info));
      request.number = record.slot + 1U;
    }
    if (answer.reply.number == 0 || answer.reply.records == 0) return clients;
  }
}

void Queue::remove_group(std::string_view group, bool force) const {
  require_name(group, "group");
  layout::Request request = named(Ask::remove_group, group);
  request.kind = force ? 1 : 0;
  ref_->ask(request);
}

std::uint64_t Queue::purge() const { return ref_->ask(control::request(Ask::purge)).reply.number; }

}  // namespace spillring
