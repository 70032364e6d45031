// A member of a group.
#pragma once

#include <cstdint>
#include <vector>

#include "spillring/message.hpp"
#include "spillring/options.hpp"
#include "spillring/result.hpp"

namespace spillring {

/// Receives messages for a group: a member of a shared group, or the reader of a stream group.
/// Made by `Queue::consumer` and `Queue::subscriber`. One handle belongs to one thread at a time.
class Consumer {
 public:
  Consumer(Consumer&& other) noexcept : core_(std::exchange(other.core_, nullptr)) {}
  Consumer& operator=(Consumer&& other) noexcept {
    std::swap(core_, other.core_);
    return *this;
  }
  /// Closes.
  ~Consumer() { close(); }

  /// The next message. Waits: spins briefly, then sleeps on a futex; no system call while messages
  /// keep coming. Errors: timeout (empty when `timeout` is zero), interrupted, closed, deleted,
  /// poisoned, corrupt, forked, unavailable (a new ring is needed and no supervisor answers).
  Result<Message> receive(Timeout timeout = forever);
  /// The next message if one is there: `receive(no_wait)`. Errors: as `receive`.
  Result<Message> try_receive() { return receive(no_wait); }
  /// Up to `most` messages: waits for the first, then takes what is there.
  Result<std::vector<Message>> receive_batch(std::size_t most, Timeout timeout = forever);

  /// Returns when a message may be there, or as `receive` fails. Touches nothing that `receive`,
  /// `ack` or `nack` use: it may run while another thread does those on this handle.
  Result<void> wait(Timeout timeout = forever);

  /// A descriptor for epoll, poll, Asio and other event loops: it can be read while a message may
  /// be there, and until `receive` has found none (`empty` or `timeout`). Level-triggered; a
  /// `Message` received does not clear it, so take one or take all. Do not read from it, write to
  /// it or close it: it is this consumer's until `close`. The first call starts a thread of this
  /// client, which sleeps for all of its consumers; from then on a `receive` that finds nothing
  /// makes two system calls. Throws `Error` (closed, forked; unsupported: Linux before 5.16).
  [[nodiscard]] int fd();

  /// Goes on elsewhere: forwards or back, as far as the queue still has messages (history, with
  /// `QueueOptions::retain_age` or `retain_bytes`). It is the group that moves, so this must be its
  /// only member, with no message in use, and no thread in `wait`; a subscription without a name
  /// moves by itself. What was claimed ahead is given back. Asks the supervisor; throws `Error`
  /// (busy, closed, unavailable, ...).
  void seek(Start start);

  /// Sequences between the group's floor and the queue's end, at this moment; 0 where the queue is
  /// gone.
  [[nodiscard]] std::uint64_t lag() const;
  /// The queue's name.
  [[nodiscard]] const std::string& queue() const;
  /// Hands back what was claimed ahead and leaves the group. Messages still in the caller's hands
  /// stay as they are and can be acknowledged; the membership ends with the last of them.
  void close() noexcept;

 private:
  friend class Queue;
  explicit Consumer(client::ConsumerCore* core) noexcept : core_(core) {}
  client::ConsumerCore* core_ = nullptr;
};

}  // namespace spillring
