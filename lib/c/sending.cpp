// spillring.h: producers and loans.
#include <memory>
#include <vector>

#include "c/failure.hpp"
#include "c/handles.hpp"
#include "c/options.hpp"

using namespace spillring;
using c::guarded;

namespace {

std::span<const std::byte> bytes_of(const void* data, std::size_t size) {
  return {static_cast<const std::byte*>(data), size};
}

spillring_code told(const Result<std::uint64_t>& sent, std::uint64_t* sequence) {
  if (sent && sequence != nullptr) *sequence = *sent;
  return c::code_of(sent);
}

}  // namespace

extern "C" {

spillring_code spillring_producer_open(const spillring_queue* queue,
                                       const spillring_producer_options* options,
                                       spillring_producer** producer) {
  return guarded([&] {
    const spillring_producer_options known = c::known_part(options);
    *producer = new spillring_producer{queue->queue.producer(
        {.interruptible = known.interruptible != 0, .ttl = c::timeout_of(known.ttl_ns)})};
  });
}

void spillring_producer_free(spillring_producer* producer) { delete producer; }

spillring_code spillring_send(spillring_producer* producer, const void* data, size_t size,
                              int64_t timeout_ns, const spillring_metadata* metadata,
                              uint64_t* sequence) {
  return guarded([&] {
    const c::GivenMetadata given(metadata);
    return told(
        producer->producer.send(bytes_of(data, size), c::timeout_of(timeout_ns), given.view()),
        sequence);
  });
}

spillring_code spillring_try_send(spillring_producer* producer, const void* data, size_t size,
                                  const spillring_metadata* metadata, uint64_t* sequence) {
  return guarded([&] {
    const c::GivenMetadata given(metadata);
    return told(producer->producer.try_send(bytes_of(data, size), given.view()), sequence);
  });
}

spillring_code spillring_send_batch(spillring_producer* producer, const spillring_bytes* messages,
                                    size_t count, int64_t timeout_ns,
                                    const spillring_batch_options* options, spillring_sent* sent) {
  return guarded([&] {
    const spillring_batch_options known = c::known_part(options);
    const c::GivenMetadata given(known.metadata);
    std::vector<std::span<const std::byte>> views;
    views.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
      views.push_back(bytes_of(messages[i].data, messages[i].size));
    }
    const Result<Sent> done = producer->producer.send_batch(
        views, c::timeout_of(timeout_ns), {.atomic = known.atomic != 0, .metadata = given.view()});
    if (done && sent != nullptr) *sent = {done->count, done->first, done->last};
    return c::code_of(done);
  });
}

spillring_code spillring_wait_for_room(spillring_producer* producer, size_t size,
                                       int64_t timeout_ns) {
  return guarded([&] { return producer->producer.wait_for_room(size, c::timeout_of(timeout_ns)); });
}

uint64_t spillring_published(const spillring_producer* producer) {
  return producer->producer.published();
}

spillring_code spillring_flush(spillring_producer* producer, int64_t timeout_ns) {
  return guarded([&] { return producer->producer.flush(c::timeout_of(timeout_ns)); });
}

spillring_code spillring_confirm(spillring_producer* producer, uint64_t sequence,
                                 int64_t timeout_ns) {
  return guarded([&] { return producer->producer.confirm(sequence, c::timeout_of(timeout_ns)); });
}

int32_t spillring_disk_alarm(const spillring_producer* producer) {
  return static_cast<std::int32_t>(producer->producer.disk_alarm());
}

spillring_code spillring_loan_open(spillring_producer* producer, size_t size, size_t alignment,
                                   int64_t timeout_ns, const spillring_metadata* metadata,
                                   spillring_loan** loan) {
  return guarded([&] {
    const c::GivenMetadata given(metadata);
    auto claimed = producer->producer.loan(size, c::timeout_of(timeout_ns),
                                           {.metadata = given.view(), .alignment = alignment});
    if (!claimed) return c::code_of(claimed);
    *loan = new spillring_loan{*std::move(claimed)};
    return SPILLRING_OK;
  });
}

void* spillring_loan_data(const spillring_loan* loan) { return loan->loan.bytes().data(); }

size_t spillring_loan_size(const spillring_loan* loan) { return loan->loan.bytes().size(); }

uint64_t spillring_loan_sequence(const spillring_loan* loan) { return loan->loan.seq(); }

spillring_code spillring_loan_publish(spillring_loan* loan, size_t size, uint64_t* sequence) {
  return guarded([&] {
    const Result<std::uint64_t> published = loan->loan.publish(size);
    if (published.error() != Code::invalid) delete loan;
    return told(published, sequence);
  });
}

void spillring_loan_cancel(spillring_loan* loan) { delete loan; }
}
