// A client's handle for writing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "spillring/options.hpp"
#include "spillring/result.hpp"

namespace spillring {

namespace client {
class ProducerCore;
}

/// Bytes in the queue's memory, claimed and not yet published. Fill them in place, then
/// `publish()`. Dropping a loan cancels it. A loan that is in somebody's way must be published
/// within the queue's `stall_timeout`; after that its publish is `stale`.
///
/// Thread-safety: belongs to its producer. It may outlive the `Producer` object.
class Loan {
 public:
  Loan() = default;
  Loan(Loan&& other) noexcept { take(other); }
  Loan& operator=(Loan&& other) noexcept {
    if (this == &other) return *this;
    cancel();
    take(other);
    return *this;
  }
  Loan(const Loan&) = delete;
  ~Loan() {
    if (core_ != nullptr) cancel();
  }

  /// The bytes to fill; uninitialised. Valid until publish, cancel or destruction.
  [[nodiscard]] std::span<std::byte> bytes() const noexcept { return {data_, size_}; }
  /// The number the message has if it is published.
  [[nodiscard]] std::uint64_t seq() const noexcept { return seq_; }

  /// Makes the message visible; exactly once if `ok`. Returns its sequence. `size` may be smaller
  /// than the loan (larger: `invalid`, and the loan stays). `stale`: it was revoked and is never
  /// delivered; or its ring was given up as damaged, and nobody can say. The loan ends. Does not
  /// block; a system call only when somebody sleeps.
  Result<std::uint64_t> publish(std::size_t size);
  Result<std::uint64_t> publish() { return publish(size_); }
  /// Gives the number up; readers skip it silently. Does nothing on an empty loan.
  void cancel() noexcept;
  /// True until publish, cancel or a move.
  explicit operator bool() const noexcept { return core_ != nullptr; }

 private:
  friend class client::ProducerCore;
  Loan& operator=(const Loan&) = default;  // for take()
  void take(Loan& other) noexcept {
    *this = std::as_const(other);
    other.forget();
  }
  void forget() noexcept {
    core_ = nullptr;
    data_ = nullptr;
    size_ = 0;
  }

  client::ProducerCore* core_ = nullptr;  // counts its loans; lives as long as any
  void* ring_ = nullptr;                  // the ring it was claimed in
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
  std::uint64_t seq_ = 0;
  std::uint64_t start_ = 0;          // where `data_` is, as the ring counts
  std::uint32_t metadata_size_ = 0;  // of what is before it
  std::uint32_t flags_ = 0;          // layout::DescriptorFlags
};

/// Writes to a queue. Made by `Queue::producer`. One handle belongs to one thread at a time; make
/// one for each thread, any number may write to a queue.
class Producer {
 public:
  Producer(Producer&& other) noexcept : core_(std::exchange(other.core_, nullptr)) {}
  Producer& operator=(Producer&& other) noexcept {
    std::swap(core_, other.core_);
    return *this;
  }
  /// Closes.
  ~Producer() { close(); }

  /// Claims `size` bytes in the queue's memory, waiting for room up to `timeout` where the full
  /// policy is `block`. Errors: full, timeout, interrupted, too_large, invalid (metadata, ttl or
  /// alignment), closed, deleted, poisoned, corrupt, forked, unavailable.
  Result<Loan> loan(std::size_t size, Timeout timeout = forever, const LoanOptions& options = {});
  /// Sends a copy of `bytes`; returns the message's sequence. Waits and fails as `loan`, and
  /// `stale` as `Loan::publish`.
  Result<std::uint64_t> send(std::span<const std::byte> bytes, Timeout timeout = forever,
                             const Metadata& metadata = {});
  /// `send` that never waits for room: `full` instead. (It may wait briefly for a queue to grow
  /// that has not reached its capacity.)
  Result<std::uint64_t> try_send(std::span<const std::byte> bytes, const Metadata& metadata = {});

  /// Sends copies of many messages, in their order. Cheaper than one by one: who sleeps is woken,
  /// and the clock read, once for up to 64 of them, so they have the time of the first.
  ///
  /// Each is a message of its own, and others may send in between. Waits for room as `send`, up to
  /// `timeout` in all; where that ends, or anything else is in the way, it returns how many went,
  /// as write(2) does, and fails only if none did: send the rest, to go on or to learn why. What
  /// was not counted was not sent.
  ///
  /// `BatchOptions::atomic`: all or none of them, whoever dies, as one message. Also `invalid`:
  /// there are none.
  Result<Sent> send_batch(std::span<const std::span<const std::byte>> messages,
                          Timeout timeout = forever, const BatchOptions& options = {});

  /// Returns when there may be room for a message of `size` bytes, or as `loan` fails. Touches
  /// nothing that the other functions use: it may run while another thread calls those on this
  /// handle.
  Result<void> wait_for_room(std::size_t size, Timeout timeout = forever);

  /// The greatest sequence that this handle has published; 0: none.
  [[nodiscard]] std::uint64_t published() const noexcept;
  /// Returns `ok` when the disk has all that this handle has published: it is there after a power
  /// cut. Many who wait share one fdatasync. Only of a queue with `Durability::disk` (else
  /// `unsupported`). `timeout`: not yet; what was published is in the queue, and on its way.
  /// `in_doubt`: it is in the queue's memory, but the supervisor has ended for good, so nobody can
  /// say; or the ring that it was in was found damaged. Other errors: interrupted, closed, deleted,
  /// forked. Does not ask who has consumed what.
  Result<void> flush(Timeout timeout = forever);
  /// The same for one sequence, and those before it, whoever published them. Touches nothing that
  /// the other functions use: it may run while another thread calls those on this handle. With
  /// `no_wait` it is one load: a way to learn of it later.
  Result<void> confirm(std::uint64_t seq, Timeout timeout = forever);

  /// Why a queue that spills is full all the same: the disk takes nothing. One load.
  [[nodiscard]] DiskAlarm disk_alarm() const noexcept;

  /// The queue's name.
  [[nodiscard]] const std::string& queue() const;
  /// Ends the handle. Loans still in the caller's hands stay as they are and can be published; the
  /// handle's place is given back with the last of them.
  void close() noexcept;

 private:
  friend class Queue;
  explicit Producer(client::ProducerCore* core) noexcept : core_(core) {}
  client::ProducerCore* core_ = nullptr;
};

}  // namespace spillring
