// A received message, read in place.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "spillring/options.hpp"
#include "spillring/parts.hpp"
#include "spillring/result.hpp"

namespace spillring {

namespace client {
class ConsumerCore;
}

/// A view of a message in shared memory. Nothing is copied: the bytes stay as they are until this
/// object is gone, whatever happens to the queue, its producer or the supervisor.
///
/// A member of a shared group acknowledges it with `ack()` or hands it back with `nack()`; dropping
/// it unacknowledged is a nack. For a stream group both only end the view.
///
/// Thread-safety: belongs to its consumer; use both from one thread at a time. It may outlive the
/// `Consumer` object.
class Message {
 public:
  Message() = default;
  Message(Message&& other) noexcept { take(other); }
  Message& operator=(Message&& other) noexcept {
    if (this == &other) return *this;
    if (core_ != nullptr) drop();
    take(other);
    return *this;
  }
  Message(const Message&) = delete;
  ~Message() {
    if (core_ != nullptr) drop();
  }

  /// The payload, in place. Valid until ack, nack, release or destruction. Costs: nothing. Of an
  /// atomic batch: all of it, with its table; take `parts()`.
  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return {data_, size_}; }
  /// The payload as text.
  [[nodiscard]] std::string_view text() const noexcept {
    return {reinterpret_cast<const char*>(data_), size_};
  }
  /// True of an atomic batch (`BatchOptions::atomic`).
  [[nodiscard]] bool is_batch() const noexcept { return is_batch_; }
  /// The messages of a batch, in place; of any other message itself, as the only part. So who takes
  /// parts need not ask what it is.
  [[nodiscard]] Parts parts() const noexcept { return {bytes(), is_batch_}; }
  /// The key, in place; nullopt where the message was sent without one.
  [[nodiscard]] std::optional<std::span<const std::byte>> key() const;
  /// The headers, in place (names and values have the lifetime of `bytes()`).
  [[nodiscard]] std::vector<Header> headers() const;
  /// The message's number in its queue.
  [[nodiscard]] std::uint64_t seq() const noexcept { return seq_; }
  /// How often it was handed out, this time included; above 1 it is a redelivery. Always 1 in a
  /// stream group.
  [[nodiscard]] unsigned deliveries() const noexcept { return deliveries_; }
  /// How many messages its group has missed before it and was not told of yet: dropped by
  /// `Full::drop_oldest`, or lost with a damaged journal or a damaged ring (of which all numbers
  /// count). Each is told of once, to one member.
  [[nodiscard]] std::uint64_t gap() const noexcept { return gap_; }
  /// The time that it was sent with, to be delivered in; zero: none.
  [[nodiscard]] Timeout ttl() const noexcept;
  /// When it was published (wall clock of the producer, resolution of the kernel's tick).
  [[nodiscard]] std::chrono::system_clock::time_point timestamp() const noexcept;

  /// Finishes the message for its group and ends the view. `stale`: it was taken from this consumer
  /// meanwhile: given to another (lease), purged, or dropped. Does not block; a system call only to
  /// wake a waiting producer.
  Result<void> ack();
  /// As `ack()`, but the view stays until this object is gone.
  Result<void> settle();
  /// Hands the message back for redelivery and ends the view: at once, or not before `delay` has
  /// passed, in whole milliseconds, at most three days (else `invalid`, and nothing is done). After
  /// `QueueOptions::max_deliveries` it is not delivered again. `stale` as in `ack()`. `invalid` in
  /// a stream group, where nothing can be handed back (the view is ended all the same).
  Result<void> nack(Timeout delay = no_wait);
  /// True until ack, nack or a move.
  explicit operator bool() const noexcept { return core_ != nullptr; }

 private:
  friend class client::ConsumerCore;
  static constexpr std::uint64_t settled = 0;    // receipt of a message that owes nothing
  Message& operator=(const Message&) = default;  // for take()
  void take(Message& other) noexcept {
    *this = std::as_const(other);
    other.forget();
  }
  void drop() noexcept;
  void forget() noexcept {
    core_ = nullptr;
    data_ = nullptr;
    size_ = 0;
    meta_ = nullptr;
    meta_size_ = 0;
    is_batch_ = false;
  }

  client::ConsumerCore* core_ = nullptr;  // counts its messages; lives as long as any
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
  const std::byte* meta_ = nullptr;
  std::uint32_t meta_size_ = 0;
  std::uint16_t deliveries_ = 0;
  bool is_batch_ = false;
  std::uint64_t seq_ = 0;
  std::uint64_t timestamp_ = 0;
  std::uint64_t gap_ = 0;
  std::uint64_t receipt_ = settled;  // the exact group word of the claim
  void* source_ = nullptr;           // what these bytes lie in: a ring, or a block of the journal
};

}  // namespace spillring
