// A queue to explore: its segments, real handles to it, what its supervisor does, and what the
// application knows of its messages.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "client/producer_core.hpp"
#include "client/shared_consumer.hpp"
#include "client/stream_consumer.hpp"
#include "machine.hpp"
#include "ring/claim.hpp"
#include "ring/reclaim.hpp"
#include "spillring/options.hpp"

namespace explore {

using spillring::Message;
namespace client = spillring::client;
namespace group = spillring::group;
namespace layout = spillring::layout;
namespace os = spillring::os;
namespace ring = spillring::ring;
namespace wait = spillring::wait;

struct QueueOptions {
  std::uint32_t max_deliveries = 0;
  spillring::Full full = spillring::Full::block;
  std::uint32_t can_grow = 0;  // layout::CanGrow: a larger ring may come, once
};

class Queue {
 public:
  static constexpr std::uint64_t slots = layout::min_slots;
  static constexpr std::uint64_t arena = layout::min_capacity;
  static constexpr std::uint64_t window = 4;

  Queue(Machine& machine, const QueueOptions& options);

  // -- built before anything is executed
  client::ProducerCore& producer();
  client::ConsumerCore& shared(unsigned prefetch = 1);
  client::ConsumerCore& stream();
  /// So many messages go through, so that what follows goes round the ring's end.
  void pass(unsigned messages, client::ConsumerCore& through, std::size_t size = 64);
  /// The next ring will begin about there: what it is made of is there already.
  void prepare_next_ring(std::uint64_t first);
  static constexpr std::uint32_t shared_group = 0;
  static constexpr std::uint32_t stream_group = 1;
  static constexpr std::uint32_t late_group = 2;

  // -- the supervisor's, as the daemon does it
  void retire(std::uint32_t slot) noexcept;                  // daemon/queue.cpp
  void join_late_group(std::uint64_t& begin) noexcept;       // daemon/groups.cpp
  void remove_group(std::uint32_t slot) noexcept;            // likewise
  void purge(std::uint64_t to) noexcept;                     // likewise, and daemon/dropping.cpp
  void replace_ring() noexcept;                              // daemon/service.cpp
  void keep_ring() noexcept;                                 // likewise, where that fails
  void let_go() noexcept;                                    // likewise
  void make_room() noexcept;                                 // likewise, and daemon/dropping.cpp
  void copy(std::uint64_t to) noexcept;                      // daemon/ring_to_journal.cpp
  void set_condition(layout::Condition condition) noexcept;  // daemon/queue.cpp
  void condemn_newest() noexcept;                            // daemon/condemning.cpp
  void ring_bells() noexcept;

  [[nodiscard]] layout::Manifest& manifest() noexcept { return *manifest_; }
  [[nodiscard]] layout::Groups& groups() noexcept { return *groups_; }
  [[nodiscard]] layout::Bells& bells() noexcept { return *bells_; }
  [[nodiscard]] const ring::RingView& first_ring() const noexcept { return rings_[0]; }
  [[nodiscard]] const ring::RingView& newest_ring() const noexcept { return rings_[newest_]; }
  [[nodiscard]] group::SharedGroup& members() noexcept { return members_; }
  /// Whether a handle has said that it has unmapped the ring of that name.
  [[nodiscard]] bool is_unmapped(std::uint64_t name) const noexcept { return unmapped_ == name; }
  /// From now on nobody is given a ring.
  void refuse_rings() noexcept { refuses_rings_ = true; }
  /// Of a queue that drops.
  [[nodiscard]] ring::Dropped dropped() const noexcept;
  void check_purged() noexcept;
  /// Whether the supervisor does that once more: somebody has asked it to look, or it could not
  /// tell.
  [[nodiscard]] bool checks_again() const noexcept { return asked_ != 0 || unchecked_; }

 private:
  [[nodiscard]] bool unsettle_what_was_said() noexcept;
  void recount(std::uint32_t slot) noexcept;
  void add_ring(std::uint64_t first) noexcept;
  [[nodiscard]] std::optional<std::uint64_t> messages_below(std::uint64_t s) noexcept;
  bool purge_counting(std::uint32_t slot, std::uint64_t to, std::uint64_t messages) noexcept;
  void carry_skipped(unsigned ring) noexcept;
  [[nodiscard]] os::Atomic<std::uint64_t>& place_of(std::uint64_t name) noexcept;
  [[nodiscard]] bool is_out_of_room() noexcept;
  [[nodiscard]] bool is_settled_before_newest() noexcept;
  void drop_in_newest() noexcept;
  client::Answered attach(std::uint16_t slot, std::uint32_t group);
  client::Answered answer(const layout::Request& request);
  void add_group(std::uint32_t slot, std::uint64_t words);
  [[nodiscard]] const std::shared_ptr<client::QueueRef>& ref() const noexcept { return ref_; }

  Machine& machine_;
  layout::Manifest* manifest_;
  layout::Groups* groups_;
  layout::Bells* bells_;
  layout::Word* words_;
  static constexpr unsigned most_rings = 4;
  std::array<ring::RingView, most_rings> rings_;  // those that there are: [oldest_, newest_]
  std::array<std::byte*, most_rings> segments_{};
  unsigned newest_ = 0;
  unsigned oldest_ = 0;
  group::SharedGroup members_;
  std::uint16_t next_slot_ = 1;
  std::uint64_t asked_ = 0;
  std::uint64_t wanted_ = 0;
  bool unchecked_ = false;
  std::uint64_t unmapped_ = 0;
  bool refuses_rings_ = false;
  std::array<client::ConsumerCore*, 8> consumers_{};
  std::shared_ptr<client::QueueRef> ref_;
};

/// What the application has sent and got. It looks the same whatever the order in which roles
/// wrote to it, as long as each wrote the same: the search relies on that.
class Ledger {
 public:
  static constexpr std::size_t most = 160;
  /// Publishes one message of `size` bytes, or gives up where its loan was taken away.
  bool send(client::ProducerCore& producer, std::uint64_t tag, std::size_t size = 64,
            spillring::Timeout timeout = spillring::forever);
  /// The next message, looked at. Fails unless it is what was published under its number.
  Message receive(client::ConsumerCore& consumer, unsigned reader,
                  spillring::Timeout timeout = spillring::forever);
  /// Looks at it again: it must not have changed.
  void look(const Message& message);
  /// True if this was the acknowledgement that counts.
  bool ack(Message& message);
  /// A number that was claimed, and by a `send` that was cut short perhaps published.
  [[nodiscard]] std::uint64_t sent() const noexcept;
  [[nodiscard]] std::uint64_t acked() const noexcept;
  [[nodiscard]] std::uint64_t received(unsigned reader) const noexcept;
  [[nodiscard]] std::uint64_t received_by_any() const noexcept;
  /// How many numbers of [from, to), whatever their senders were told.
  [[nodiscard]] std::uint64_t received_between(std::uint64_t from, std::uint64_t to) const noexcept;
  [[nodiscard]] bool has_received(unsigned reader, std::uint64_t tag) const noexcept;
  /// All that was sent, of the numbers from `from` on, was received by `reader`, in order, once
  /// (or, `again`, more often if it was marked).
  void check_received(unsigned reader, bool again = false, std::uint64_t from = 0) const;
  /// The same of what was received, whatever else was sent.
  void check_not_twice(unsigned reader, bool again = false) const;
  /// How many messages readers were told to have missed.
  [[nodiscard]] std::uint64_t missed() const noexcept { return missed_; }
  /// All that was sent was acknowledged once.
  void check_acked() const;
  [[nodiscard]] bool all_acked() const noexcept { return acked() >= sent(); }

 private:
  struct Entry {
    std::uint64_t tag = 0;   // published, as its sender was told
    std::uint64_t seen = 0;  // received
    unsigned acks = 0;
    std::array<unsigned, 3> received{};
    std::array<unsigned, 3> first_times{};  // without a mark of redelivery
  };
  [[nodiscard]] Entry& at(std::uint64_t sequence);
  std::array<Entry, most> entries_{};
  std::uint64_t missed_ = 0;
};

}  // namespace explore
