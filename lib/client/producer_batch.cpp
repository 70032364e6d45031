// Sending many messages at a time: each on its own, or all as one.
#include <algorithm>
#include <cstring>

#include "client/producer_core.hpp"
#include "layout/batch.hpp"
#include "wait/bell.hpp"

namespace spillring::client {

namespace {

// Who sleeps is woken after so many messages or bytes; it would wait for all of them else.
constexpr std::size_t most_in_run = 64;
constexpr std::size_t most_bytes_in_run = 64 * KiB;

void count(Sent& sent, std::uint64_t s) noexcept {
  if (sent.count++ == 0) sent.first = s;
  sent.last = s;
}

/// What is left of a time to wait that ends then.
Timeout left_until(os::Instant until) noexcept {
  if (until == os::never) return forever;
  return std::max(Timeout(until - os::now()), no_wait);
}

}  // namespace

Result<Sent> ProducerCore::send_batch(Messages messages, Timeout timeout,
                                      const BatchOptions& options) {
  return options.atomic ? send_as_one(messages, timeout, options.metadata)
                        : send_each(messages, timeout, options.metadata);
}

Result<Sent> ProducerCore::send_as_one(Messages messages, Timeout timeout,
                                       const Metadata& metadata) {
  if (messages.empty()) return Code::invalid;
  const auto size = layout::encoded_batch_size(messages);
  if (!size) return Code::too_large;
  Result<Loan> room = loan_any(*size, timeout, {.metadata = metadata, .alignment = 0});
  if (!room) return room.error();
  layout::encode_batch(messages, room->bytes().data());
  room->flags_ |= layout::batch;
  const Result<std::uint64_t> published = room->publish();
  if (!published) return published.error();
  return Sent{messages.size(), *published, *published};
}

Result<Sent> ProducerCore::send_each(Messages messages, Timeout timeout, const Metadata& metadata) {
  Sent sent;
  const bool plain = is_plain(metadata);
  os::Instant until = 0;  // read from the clock only when there is something to wait for
  while (sent.count != messages.size()) {
    const std::size_t before = sent.count;
    Code code = plain ? send_run(messages.subspan(before), sent) : Code::ok;
    if (code == Code::ok && sent.count == before) {
      // What stood in the way is found again, and told, or waited for.
      if (until == 0) until = os::deadline(timeout);
      const Result<std::uint64_t> one =
          send(messages[before], timeout <= no_wait ? no_wait : left_until(until), metadata);
      if (one) count(sent, *one);
      code = one.error();
    }
    if (code == Code::ok) continue;
    if (sent.count == 0) return code;
    break;
  }
  return sent;
}

/// As many as there is room for at once, up to a run's length. `ok`, though there may have been
/// none.
///
/// Each is claimed and published as any message. The looks at the bell and at who follows come
/// once, after the last: a look comes after each publish, and a full fence in between
/// (wait/bell.hpp, W1); who dies before it is somebody for whom the supervisor rings.
Code ProducerCore::send_run(Messages messages, Sent& sent) noexcept {
  if (attachment_.condition() != Code::ok || ttl_of_queue() != 0) return Code::ok;
  const ring::RingView& ring = newest_->view;
  const std::uint64_t time = os::wall_clock();
  ring::Claim last;  // that succeeded
  std::uint64_t first = 0;
  std::uint64_t to = 0;  // the last that was published
  std::size_t published = 0;
  std::size_t bytes = 0;
  auto status = ring::PublishStatus::ok;
  for (const auto& message : messages.first(std::min(messages.size(), most_in_run))) {
    const std::size_t size = message.size();
    if (size >= plain_below_ || bytes >= most_bytes_in_run) break;
    const bool in_descriptor = size <= layout::inline_size;
    const ring::Claim claim = try_claim(in_descriptor ? 0 : ring::whole_units(size));
    if (claim.status != ring::ClaimStatus::claimed) break;
    last = claim;
    if (first == 0) first = claim.sequence;
    layout::Descriptor& descriptor = ring.descriptor(claim.sequence);
    if (size != 0) {
      std::memcpy(in_descriptor ? descriptor.bytes : ring.bytes(claim.start), message.data(), size);
    }
    const Description description{claim.start, size, 0,
                                  in_descriptor ? std::uint32_t{layout::payload_inline} : 0U};
    describe(descriptor, description, time);
    status = publish(ring, mark_, claim.sequence);
    if (status != ring::PublishStatus::ok) break;
    prefetch_after(ring, claim.sequence, description);
    to = claim.sequence;
    ++published;
    bytes += size;
  }
  if (first == 0) return Code::ok;
  if (published != 0) {
    wait::ring(attachment_.bells().data);
    last_published_ = std::max(last_published_, to);
    if (sent.count == 0) sent.first = first;
    sent.count += published;
    sent.last = to;
  }
  tell_follower(first, last.sequence);
  call_attention(last);
  if (status != ring::PublishStatus::ok || keeps_nothing_) wait::ring(attachment_.bells().room);
  if (status == ring::PublishStatus::ok) return Code::ok;
  return status == ring::PublishStatus::stale ? Code::stale : attachment_.report_damage();
}

}  // namespace spillring::client
