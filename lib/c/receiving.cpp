// spillring.h: consumers, messages and waiting for many.
#include <algorithm>
#include <memory>

#include "c/failure.hpp"
#include "c/handles.hpp"
#include "c/options.hpp"

using namespace spillring;
using c::guarded;

namespace {

std::span<const std::byte> payload_of(const spillring_message& message) {
  return message.copy != nullptr ? std::span<const std::byte>(message.copy->payload)
                                 : message.message.bytes();
}

Parts parts_of(const spillring_message& message) {
  return message.copy != nullptr ? message.copy->parts() : message.message.parts();
}

using NamedHeaders = std::vector<std::pair<std::string, std::span<const std::byte>>>;

NamedHeaders headers_of(const spillring_message& message) {
  NamedHeaders named;
  if (message.copy != nullptr) {
    for (const auto& [name, value] : message.copy->headers) named.emplace_back(name, value);
  } else {
    for (const Header& header : message.message.headers()) {
      named.emplace_back(header.name, header.value);
    }
  }
  return named;
}

const NamedHeaders& kept_headers(const spillring_message& message) {
  if (!message.headers) message.headers = headers_of(message);
  return *message.headers;
}

}  // namespace

extern "C" {

spillring_code spillring_consumer_open(const spillring_queue* queue, const char* group,
                                       const spillring_consumer_options* options,
                                       spillring_consumer** consumer) {
  return guarded([&] {
    *consumer = new spillring_consumer{
        queue->queue.consumer(group == nullptr ? "default" : group, c::shared_options(options))};
  });
}

spillring_code spillring_subscriber_open(const spillring_queue* queue, const char* group,
                                         const spillring_consumer_options* options,
                                         spillring_consumer** consumer) {
  return guarded([&] {
    *consumer = new spillring_consumer{
        queue->queue.subscriber(group == nullptr ? "" : group, c::stream_options(options))};
  });
}

void spillring_consumer_free(spillring_consumer* consumer) { delete consumer; }

spillring_code spillring_receive(spillring_consumer* consumer, int64_t timeout_ns,
                                 spillring_message** message) {
  return guarded([&] {
    auto received = consumer->consumer.receive(c::timeout_of(timeout_ns));
    if (!received) return c::code_of(received);
    *message = new spillring_message{*std::move(received)};
    return SPILLRING_OK;
  });
}

spillring_code spillring_receive_batch(spillring_consumer* consumer, size_t most,
                                       int64_t timeout_ns, spillring_message** messages,
                                       size_t* count) {
  return guarded([&] {
    auto batch = consumer->consumer.receive_batch(most, c::timeout_of(timeout_ns));
    if (!batch) return c::code_of(batch);
    std::vector<std::unique_ptr<spillring_message>> handles;
    handles.reserve(batch->size());
    for (Message& message : *batch) {
      handles.emplace_back(new spillring_message{.message = std::move(message)});
    }
    std::ranges::transform(handles, messages, [](auto& handle) { return handle.release(); });
    *count = handles.size();
    return SPILLRING_OK;
  });
}

spillring_code spillring_wait(spillring_consumer* consumer, int64_t timeout_ns) {
  return guarded([&] { return consumer->consumer.wait(c::timeout_of(timeout_ns)); });
}

spillring_code spillring_consumer_fd(spillring_consumer* consumer, int* fd) {
  return guarded([&] { *fd = consumer->consumer.fd(); });
}

spillring_code spillring_consumer_seek(spillring_consumer* consumer, spillring_from from,
                                       uint64_t value) {
  return guarded([&] { consumer->consumer.seek(c::start_of(from, value, Start::earliest())); });
}

uint64_t spillring_consumer_lag(const spillring_consumer* consumer) {
  return consumer->consumer.lag();
}

const void* spillring_message_data(const spillring_message* message) {
  return payload_of(*message).data();
}

size_t spillring_message_size(const spillring_message* message) {
  return payload_of(*message).size();
}

int32_t spillring_message_is_batch(const spillring_message* message) {
  const bool is_batch =
      message->copy != nullptr ? message->copy->is_batch : message->message.is_batch();
  return is_batch ? 1 : 0;
}

size_t spillring_message_part_count(const spillring_message* message) {
  return parts_of(*message).size();
}

spillring_bytes spillring_message_part(const spillring_message* message, size_t index) {
  const auto part = parts_of(*message)[index];
  return {part.data(), part.size()};
}

uint64_t spillring_message_sequence(const spillring_message* message) {
  return message->copy != nullptr ? message->copy->seq : message->message.seq();
}

uint64_t spillring_message_gap(const spillring_message* message) {
  return message->copy != nullptr ? 0 : message->message.gap();
}

uint32_t spillring_message_deliveries(const spillring_message* message) {
  return message->copy != nullptr ? 0 : message->message.deliveries();
}

int64_t spillring_message_timestamp_ns(const spillring_message* message) {
  if (message->copy != nullptr) return static_cast<std::int64_t>(message->copy->timestamp_ns);
  return std::chrono::nanoseconds(message->message.timestamp().time_since_epoch()).count();
}

int64_t spillring_message_ttl_ns(const spillring_message* message) {
  return (message->copy != nullptr ? message->copy->ttl : message->message.ttl()).count();
}

int32_t spillring_message_expired(const spillring_message* message) {
  return message->copy != nullptr && message->copy->expired ? 1 : 0;
}

const void* spillring_message_key(const spillring_message* message, size_t* size) {
  static constexpr std::byte empty{};
  std::optional<std::span<const std::byte>> key;
  if (message->copy == nullptr) {
    key = message->message.key();
  } else if (message->copy->key) {
    key = *message->copy->key;
  }
  *size = key ? key->size() : 0;
  if (!key) return nullptr;
  return key->empty() ? &empty : key->data();
}

size_t spillring_message_header_count(const spillring_message* message) {
  return kept_headers(*message).size();
}

spillring_header spillring_message_header(const spillring_message* message, size_t index) {
  const auto& [name, value] = kept_headers(*message)[index];
  return {name.c_str(), value.data(), value.size()};
}

spillring_code spillring_message_ack(spillring_message* message) {
  const std::unique_ptr<spillring_message> ended(message);
  return guarded([&] { return message->message.ack(); });
}

spillring_code spillring_message_settle(spillring_message* message) {
  return guarded([&] { return message->message.settle(); });
}

spillring_code spillring_message_nack(spillring_message* message) {
  const std::unique_ptr<spillring_message> ended(message);
  return guarded([&] { return message->message.nack(); });
}

spillring_code spillring_message_nack_later(spillring_message* message, int64_t delay_ns) {
  const std::unique_ptr<spillring_message> ended(message);
  return guarded([&] { return message->message.nack(Timeout(delay_ns)); });
}

void spillring_message_free(spillring_message* message) { delete message; }

spillring_code spillring_peek(const spillring_queue* queue, size_t most, uint64_t from,
                              void (*each)(const spillring_message* message, void* context),
                              void* context) {
  return guarded([&] {
    for (const PeekedMessage& copy : queue->queue.peek(most, from)) {
      const spillring_message message{.copy = &copy};
      each(&message, context);
    }
  });
}

spillring_code spillring_wait_set_open(spillring_wait_set** set) {
  return guarded([&] { *set = new spillring_wait_set{}; });
}

void spillring_wait_set_free(spillring_wait_set* set) { delete set; }

spillring_code spillring_wait_set_add(spillring_wait_set* set, spillring_consumer* consumer,
                                      uint64_t* id) {
  return guarded([&] { *id = set->waits.add(consumer->consumer); });
}

spillring_code spillring_wait_set_add_fd(spillring_wait_set* set, int fd, uint64_t* id) {
  return guarded([&] { *id = set->waits.add_fd(fd); });
}

void spillring_wait_set_remove(spillring_wait_set* set, uint64_t id) { set->waits.remove(id); }

spillring_code spillring_wait_set_wait(spillring_wait_set* set, int64_t timeout_ns, uint64_t* ids,
                                       size_t most, size_t* count) {
  return guarded([&] {
    const auto ready = set->waits.wait(c::timeout_of(timeout_ns));
    if (ready) {
      *count = std::min(most, ready->size());  // those left out are told again
      std::copy_n(ready->begin(), *count, ids);
    }
    return c::code_of(ready);
  });
}

int spillring_wait_set_fd(const spillring_wait_set* set) { return set->waits.fd(); }
}
