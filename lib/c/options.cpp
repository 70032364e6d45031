#include "c/options.hpp"

#include <fmt/format.h>

namespace spillring::c {

namespace {

std::string text_of(const char* text) { return text == nullptr ? std::string() : text; }

std::span<const std::byte> bytes_of(const void* data, std::size_t size) {
  return {static_cast<const std::byte*>(data), size};
}

template <typename Choice>
Choice choice_of(std::int32_t value, std::initializer_list<Choice> choices, const char* name) {
  if (value < 0 || static_cast<std::size_t>(value) >= choices.size()) {
    throw Error(Code::invalid, fmt::format("{} cannot be {}", name, value),
                fmt::format("it lies between 0 and {}", choices.size() - 1));
  }
  return *(choices.begin() + value);
}

}  // namespace

ConnectOptions options_of(const spillring_connect_options* given) {
  const spillring_connect_options known = known_part(given);
  ConnectOptions options;
  options.socket = text_of(known.socket);
  options.user = known.user != 0;
  options.autostart = known.no_autostart == 0;
  if (known.timeout_ns != 0) options.timeout = timeout_of(known.timeout_ns);
  return options;
}

QueueOptions options_of(const spillring_queue_options* given) {
  const spillring_queue_options known = known_part(given);
  QueueOptions options;
  if (known.capacity != 0) options.capacity = known.capacity;
  if (known.slots != 0) options.slots = known.slots;
  options.full = choice_of(
      known.full, {Full::standard, Full::block, Full::reject, Full::spill, Full::drop_oldest},
      "the full policy");
  options.keep = choice_of(known.keep, {Keep::unread, Keep::attached}, "the keep policy");
  options.durability =
      choice_of(known.durability, {Durability::memory, Durability::disk}, "the durability");
  options.prealloc = known.prealloc != 0;
  options.exclusive_producer = known.exclusive_producer != 0;
  options.sync_interval = timeout_of(known.sync_interval_ns);
  options.retain_age = timeout_of(known.retain_age_ns);
  options.retain_bytes = known.retain_bytes;
  if (known.stall_timeout_ns != 0) options.stall_timeout = timeout_of(known.stall_timeout_ns);
  options.lease = timeout_of(known.lease_ns);
  if (known.mode != 0) options.mode = known.mode;
  options.owner_group = text_of(known.owner_group);
  options.max_deliveries = known.max_deliveries;
  options.dead_letter = text_of(known.dead_letter);
  options.ttl = timeout_of(known.ttl_ns);
  options.group_expiry = timeout_of(known.group_expiry_ns);
  return options;
}

Start start_of(std::int32_t from, std::uint64_t value, Start standard) {
  return choice_of(
      from, {standard, Start::earliest(), Start::latest(), Start::at(value), Start::at_time(value)},
      "where it begins");
}

ConsumerOptions shared_options(const spillring_consumer_options* given) {
  const spillring_consumer_options known = known_part(given);
  ConsumerOptions options;
  if (known.prefetch != 0) options.prefetch = known.prefetch;
  options.start = start_of(known.from, known.from_value, options.start);
  options.interruptible = known.interruptible != 0;
  return options;
}

SubscriberOptions stream_options(const spillring_consumer_options* given) {
  const spillring_consumer_options known = known_part(given);
  SubscriberOptions options;
  options.start = start_of(known.from, known.from_value, options.start);
  options.interruptible = known.interruptible != 0;
  return options;
}

namespace {

spillring_queue_options shown(const QueueOptions& options) {
  spillring_queue_options shown{};
  shown.size = sizeof shown;
  shown.capacity = options.capacity;
  shown.slots = options.slots;
  shown.full = options.full == Full::block         ? SPILLRING_FULL_BLOCK
               : options.full == Full::reject      ? SPILLRING_FULL_REJECT
               : options.full == Full::drop_oldest ? SPILLRING_FULL_DROP_OLDEST
                                                   : SPILLRING_FULL_SPILL;
  shown.keep = static_cast<std::int32_t>(options.keep);
  shown.durability = static_cast<std::int32_t>(options.durability);
  shown.prealloc = options.prealloc ? 1 : 0;
  shown.exclusive_producer = options.exclusive_producer ? 1 : 0;
  shown.sync_interval_ns = options.sync_interval.count();
  shown.retain_age_ns = options.retain_age.count();
  shown.retain_bytes = options.retain_bytes;
  shown.stall_timeout_ns = options.stall_timeout.count();
  shown.lease_ns = options.lease.count();
  shown.mode = options.mode;
  shown.owner_group = options.owner_group.c_str();
  shown.max_deliveries = options.max_deliveries;
  shown.dead_letter = options.dead_letter.c_str();
  shown.ttl_ns = options.ttl.count();
  shown.group_expiry_ns = options.group_expiry.count();
  return shown;
}

spillring_queue_info shown(const QueueInfo& info, const spillring_queue_options& options) {
  spillring_queue_info shown_info{};
  shown_info.size = sizeof shown_info;
  shown_info.name = info.name.c_str();
  shown_info.options = &options;
  shown_info.state = static_cast<std::int32_t>(info.state);
  shown_info.alarm = static_cast<std::int32_t>(info.alarm);
  shown_info.earliest = info.earliest;
  shown_info.first = info.first;
  shown_info.next = info.next;
  shown_info.messages = info.messages;
  shown_info.doomed = info.doomed;
  shown_info.dead_lettered = info.dead_lettered;
  shown_info.discarded = info.discarded;
  shown_info.dropped = info.dropped;
  shown_info.bytes = info.bytes;
  shown_info.journaled = info.journaled;
  shown_info.journal_bytes = info.journal_bytes;
  shown_info.largest = info.largest;
  shown_info.ring_slots = info.ring_slots;
  shown_info.ring_bytes = info.ring_bytes;
  shown_info.rings = info.rings;
  shown_info.memory = info.memory;
  shown_info.producers = info.producers;
  shown_info.consumers = info.consumers;
  shown_info.groups = info.groups;
  shown_info.owner = info.owner;
  shown_info.owner_group = info.owner_group;
  shown_info.oldest_age_ns = info.oldest_age ? info.oldest_age->count() : -1;
  shown_info.spilled = info.spilled;
  shown_info.spilled_bytes = info.spilled_bytes;
  shown_info.disk_free = info.disk_free;
  shown_info.disk_left = info.disk_left;
  return shown_info;
}

}  // namespace

ShownQueue::ShownQueue(QueueInfo info)
    : info_(std::move(info)), options_(shown(info_.options)), shown_(shown(info_, options_)) {}

GivenMetadata::GivenMetadata(const spillring_metadata* given) {
  const spillring_metadata known = known_part(given);
  if (known.key != nullptr) metadata_.key = bytes_of(known.key, known.key_size);
  for (std::size_t i = 0; i < known.header_count; ++i) {
    const spillring_header& header = known.headers[i];
    headers_.push_back({header.name, bytes_of(header.value, header.value_size)});
  }
  metadata_.headers = headers_;
  metadata_.ttl = timeout_of(known.ttl_ns);
}

}  // namespace spillring::c
