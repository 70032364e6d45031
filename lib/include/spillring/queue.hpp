// A named queue as a client sees it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "spillring/consumer.hpp"
#include "spillring/options.hpp"
#include "spillring/producer.hpp"

namespace spillring {

namespace client {
class Connection;
class QueueRef;
}  // namespace client

/// A copy of a message, taken without consuming it.
struct PeekedMessage {
  std::uint64_t seq = 0;
  std::uint64_t timestamp_ns = 0;  ///< wall clock, nanoseconds since 1970
  std::vector<std::byte> payload;
  std::optional<std::vector<std::byte>> key;
  std::vector<std::pair<std::string, std::vector<std::byte>>> headers;
  Timeout ttl = no_wait;  ///< what it was sent with; zero: none
  bool expired = false;   ///< its time is over: nobody will get it
  bool is_batch = false;  ///< an atomic batch: take `parts()`

  /// As `Message::parts`; of this object.
  [[nodiscard]] Parts parts() const noexcept { return {payload, is_batch}; }
};

/// A queue that was opened or created by a `Client`. Cheap to copy; keeps the connection alive.
/// All of its functions ask the supervisor: they block up to the client's timeout and throw `Error`
/// (unavailable, deleted, not_found, no_memory, busy, invalid, ...). Thread-safe.
class Queue {
 public:
  [[nodiscard]] const std::string& name() const;
  /// Another number once the client has reached another supervisor, after the former had ended
  /// together with its keeper. What is asked here goes to the queue of this name there; producers
  /// and consumers that were made before stay with the former queue, as long as that memory lives.
  [[nodiscard]] std::uint64_t incarnation() const noexcept;
  /// A new producer.
  [[nodiscard]] Producer producer(const ProducerOptions& options = {}) const;
  /// A new member of the shared group `group`, which is created if there is none. `exists`: a
  /// stream group has that name.
  [[nodiscard]] Consumer consumer(std::string_view group = "default",
                                  const ConsumerOptions& options = {}) const;
  /// The reader of the stream group `group`, created if there is none; others of that group stand
  /// by. An empty name: a subscription of its own that lives as long as this consumer (broadcast).
  [[nodiscard]] Consumer subscriber(std::string_view group = {},
                                    const SubscriberOptions& options = {}) const;
  /// Copies up to `most` published messages from `from` on (0: the oldest somebody still needs),
  /// changing nothing. Messages that go away meanwhile are left out.
  [[nodiscard]] std::vector<PeekedMessage> peek(std::size_t most = 1, std::uint64_t from = 0) const;
  /// May read the journal for the age of the oldest message.
  [[nodiscard]] QueueInfo info() const;
  /// `info().messages`, without the rest.
  [[nodiscard]] std::uint64_t messages() const;
  [[nodiscard]] std::vector<GroupInfo> groups() const;
  /// Who is attached: a process with two consumers is there twice.
  [[nodiscard]] std::vector<ClientInfo> clients() const;
  /// Removes a group and its position. `not_found`; `busy` while it has members, unless `force`:
  /// then each call of its members is `deleted` from now on, and so ends who waits. What they hold
  /// they may go on reading; acknowledging it is `stale`.
  void remove_group(std::string_view group, bool force = false) const;
  /// Moves a group, which must have no members, forwards or back, as far as the queue still has
  /// messages. `not_found`; `busy` while it has members (`Consumer::seek` moves that of its own).
  void seek(std::string_view group, Start start) const;
  /// Changes options, at once for everybody, and for good. Returns the queue as it is then.
  /// `invalid`: that cannot be had, or not of this queue. The owner's, as purging.
  QueueInfo set(const QueueChanges& changes) const;  // NOLINT(modernize-use-nodiscard)
  /// Moves every group to the queue's end. What members hold becomes `stale`, their bytes stay.
  /// Returns how many sequences were passed over by the group furthest behind.
  std::uint64_t purge() const;  // NOLINT(modernize-use-nodiscard)

 private:
  friend class Client;
  explicit Queue(std::shared_ptr<client::QueueRef> ref) : ref_(std::move(ref)) {}
  std::shared_ptr<client::QueueRef> ref_;
};

}  // namespace spillring
