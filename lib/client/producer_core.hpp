// What is behind a Producer and its loans.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "client/attachment.hpp"
#include "client/ring_chain.hpp"
#include "os/prefetch.hpp"
#include "ring/claim.hpp"
#include "ring/extent.hpp"
#include "spillring/producer.hpp"
#include "wait/spin.hpp"

namespace spillring::client {

class ProducerCore {
 public:
  ProducerCore(const QueueRef& queue, Answered& answer, const ProducerOptions& options);
  ProducerCore(const ProducerCore&) = delete;
  ProducerCore& operator=(const ProducerCore&) = delete;
  ~ProducerCore();

  Result<Loan> loan(std::size_t size, Timeout timeout, const LoanOptions& options);
  Result<std::uint64_t> send(std::span<const std::byte> bytes, Timeout timeout,
                             const Metadata& metadata);
  using Messages = std::span<const std::span<const std::byte>>;
  Result<Sent> send_batch(Messages messages, Timeout timeout, const BatchOptions& options);
  /// Waits for room beside whatever else the handle does.
  Result<void> wait_for_room(std::size_t size, Timeout timeout);

  [[nodiscard]] std::uint64_t published() const noexcept { return last_published_; }
  [[nodiscard]] DiskAlarm disk_alarm() const noexcept;
  /// Waits until what has this number is on the disk, beside whatever else the handle does.
  Result<void> confirm(std::uint64_t s, Timeout timeout);
  Result<void> flush(Timeout timeout) { return confirm(last_published_, timeout); }

  Result<std::uint64_t> publish(Loan& loan, std::size_t size);
  void cancel(Loan& loan) noexcept;

  /// The Producer object is gone; the core goes with its last loan.
  void close() noexcept;

  [[nodiscard]] const std::string& queue() const noexcept { return attachment_.queue_name(); }

 private:
  /// How a message lies in the ring.
  struct Shape {
    std::uint64_t size = 0;      // payload
    std::uint64_t metadata = 0;  // encoded
    std::uint64_t alignment = layout::extent_unit;
    bool in_descriptor = false;
    Timeout ttl = forever;
    [[nodiscard]] std::uint64_t lead() const noexcept;    // metadata in whole units
    [[nodiscard]] std::uint64_t extent() const noexcept;  // what is claimed
  };
  Result<Shape> shape_of(std::size_t size, const LoanOptions& options) const noexcept;
  /// How long a message is delivered that was sent with `ttl`.
  [[nodiscard]] Timeout time_for(Timeout ttl) const noexcept;
  /// It can be set.
  [[nodiscard]] std::uint64_t ttl_of_queue() const noexcept {
    return __atomic_load_n(&attachment_.manifest().ttl_ns, __ATOMIC_RELAXED);
  }
  /// What a descriptor says of a message.
  struct Description {
    std::uint64_t start;
    std::size_t size;
    std::uint32_t metadata_size;
    std::uint32_t flags;
  };
  /// In the newest ring. `sealed` stands for a condemned one, too: what was claimed there stays
  /// behind, and nothing may be written to it.
  [[nodiscard]] ring::Claim try_claim(std::uint64_t extent) noexcept {
    return try_claim(newest_->view, mark_, extent);
  }
  [[nodiscard]] ring::Claim try_claim(const ring::RingView& ring, const Mark& mark,
                                      std::uint64_t extent) noexcept;
  /// `stale`: in a condemned ring as well, whether it was read before or not.
  static ring::PublishStatus publish(const ring::RingView& ring, const Mark& mark,
                                     std::uint64_t s) noexcept;
  /// Claims what a message without metadata and time needs, if it can be had at once.
  [[nodiscard]] ring::Claim claim_plain(std::size_t size) noexcept;
  static void describe(layout::Descriptor& descriptor, const Description& description,
                       std::uint64_t time) noexcept;
  Result<std::uint64_t> publish_in(const Ring& ring, std::uint64_t s,
                                   const Description& description) noexcept;
  Result<std::uint64_t> publish_and_end(Loan& loan, std::size_t size) noexcept;
  Result<std::uint64_t> send_claimed(std::span<const std::byte> bytes,
                                     const ring::Claim& claim) noexcept;
  Result<Sent> send_each(Messages messages, Timeout timeout, const Metadata& metadata);
  Result<Sent> send_as_one(Messages messages, Timeout timeout, const Metadata& metadata);
  Code send_run(Messages messages, Sent& sent) noexcept;
  Result<Loan> loan_any(std::size_t size, Timeout timeout, const LoanOptions& options);
  static void prefetch_after(const ring::RingView& ring, std::uint64_t s,
                             const Description& description) noexcept;
  Result<Loan> lend(const ring::Claim& claim, const Description& description, std::byte* payload);
  Result<Loan> lend(const ring::Claim& claim, const Shape& shape, const Metadata& metadata);
  void call_attention(const ring::Claim& claim) noexcept;
  void tell_follower(std::uint64_t first, std::uint64_t last) noexcept;
  /// `timeout`: not yet. `in_doubt`: it was in a ring that was condemned, or before it.
  [[nodiscard]] Code on_disk(std::uint64_t s) const noexcept;
  /// Whether the disk can still get what it does not have. `timeout`: so it seems.
  [[nodiscard]] Code disk_condition() const;
  Result<void> advance();
  /// Unmaps what the queue has let go of and no loan is in. By whoever the handle belongs to.
  void unmap_old_rings() noexcept;
  /// After a claim found no room: reclaims, or says what to wait for.
  bool gain_room(const ring::RingView& ring, const ring::Claim& claim,
                 std::uint64_t extent) noexcept;
  /// Drops the oldest, where that is what the queue does, and nothing else is left to do.
  bool drop_oldest(const ring::RingView& ring, ring::ClaimStatus status,
                   std::uint64_t extent) const noexcept;
  /// Whether more may still come of what `status` found wanting: a larger ring, or room by
  /// spilling.
  [[nodiscard]] bool can_grow(ring::ClaimStatus status) const noexcept;
  /// Whether a larger ring, which would leave the cache, is asked for only where readers are slow.
  [[nodiscard]] bool stays_for_readers(const ring::RingView& ring,
                                       std::uint64_t extent) const noexcept;
  void ask_for_room(std::uint64_t extent) noexcept;
  /// True once waiting has an end: room for `extent` and `spare` of the ring beside, a newer ring,
  /// or a queue that is no more.
  [[nodiscard]] bool worth_a_try(const Ring& ring, std::uint64_t extent,
                                 unsigned spare) const noexcept;
  /// Who is patient asks for a larger ring only after a moment. `before_nap` is called now and
  /// then, at least once a second.
  template <typename BeforeNap>
  Result<void> sleep_for_room(const Ring& ring, std::uint64_t extent, os::Instant until,
                              bool is_patient, BeforeNap before_nap);
  /// What the ring's limit has to reach before there is so much room.
  [[nodiscard]] std::uint64_t limit_to_wait_for(const Ring& ring, std::uint64_t extent,
                                                unsigned spare) const noexcept;
  void end_loan(Loan& loan) noexcept;

  Attachment attachment_;
  RingChain rings_;
  ProducerOptions options_;
  Ring* newest_ = nullptr;
  Mark mark_;  // of it
  ring::Room room_;
  wait::Spin spin_;
  os::Instant last_asked_ = 0;
  std::uint64_t last_published_ = 0;
  std::uint64_t last_told_ = 0;    // value of Manifest::follow_from that the supervisor was told of
  std::uint64_t last_mark_ = 0;    // of Manifest::alert_sequence that the supervisor was told of
  const std::size_t plain_below_;  // so much payload without metadata of its own can be claimed
  // What is published may go at once: keep = attached, without groups; or the oldest are dropped.
  const bool keeps_nothing_;
  std::uint64_t loans_ = 0;
  bool closed_ = false;
};

// -- what is done with every message

inline bool is_plain(const Metadata& metadata) noexcept {
  return !metadata.key && metadata.headers.empty() && metadata.ttl == no_wait;
}

inline ring::Claim ProducerCore::try_claim(const ring::RingView& ring, const Mark& mark,
                                           std::uint64_t extent) noexcept {
  ring::Claim claim = ring::claim(ring, attachment_.owner(), extent, room_);
  // Behind the swap: where the ring was condemned before that, its readers may be past this number,
  // and its bytes be in their hands.
  if (mark.is_set()) [[unlikely]] {
    claim.status = ring::ClaimStatus::sealed;
  }
  return claim;
}

inline ring::PublishStatus ProducerCore::publish(const ring::RingView& ring, const Mark& mark,
                                                 std::uint64_t s) noexcept {
  const ring::PublishStatus status = ring::publish(ring, s);
  // Behind the swap: what is `ok` was published before the supervisor says what is lost.
  if (mark.is_set()) [[unlikely]] {
    return ring::PublishStatus::stale;
  }
  return status;
}

inline void ProducerCore::describe(layout::Descriptor& descriptor, const Description& description,
                                   std::uint64_t time) noexcept {
  descriptor.start = description.start;
  descriptor.timestamp = time;
  descriptor.size = static_cast<std::uint32_t>(description.size);
  descriptor.metadata_size = description.metadata_size;
  descriptor.flags = description.flags;
  descriptor.reserved = 0;
}

/// What messages of the same size will write soon was last read by somebody else: without this, the
/// locked instructions wait for each of its lines in turn.
inline void ProducerCore::prefetch_after(const ring::RingView& ring, std::uint64_t s,
                                         const Description& description) noexcept {
  constexpr std::uint64_t ahead = 4;  // messages; measured: 1 to 4 do, 8 is too far
  os::prefetch_to_write(&ring.claim(s + ahead));
  os::prefetch_to_write(&ring.descriptor(s + ahead));
  if ((description.flags & layout::payload_inline) == 0) {
    os::prefetch_to_write(
        ring.bytes(description.start + ahead * ring::whole_units(description.size)));
  }
}

}  // namespace spillring::client
