// What is behind a Consumer and its messages, whatever the kind of its group: holds, views,
// waiting.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "client/attachment.hpp"
#include "client/journal_cursor.hpp"
#include "client/live_set.hpp"
#include "client/membership.hpp"
#include "client/ring_chain.hpp"
#include "group/shared_group.hpp"
#include "ring/reclaim.hpp"
#include "spillring/consumer.hpp"
#include "wait/spin.hpp"
#include "wait/waiter.hpp"

namespace spillring::client {

class ConsumerCore {
 public:
  ConsumerCore(const ConsumerCore&) = delete;
  ConsumerCore& operator=(const ConsumerCore&) = delete;
  virtual ~ConsumerCore();

  Result<Message> receive(Timeout timeout);
  /// Waits beside whatever else the handle does.
  Result<void> wait(Timeout timeout);
  /// An eventfd that can be read unless the last receive() found nothing and nothing has come
  /// since. Made when it is first asked for. Throws `Error`.
  int fd();
  /// The eventfd goes over to another core of the same handle.
  [[nodiscard]] std::unique_ptr<wait::Watch> give_watch() noexcept;
  void take_watch(std::unique_ptr<wait::Watch> watch);
  [[nodiscard]] std::uint64_t lag();

  Result<void> ack(Message& message);
  Result<void> settle(Message& message);
  Result<void> nack(Message& message);
  /// The message goes out of its owner's hands as it is.
  void drop(Message& message) noexcept;

  /// The Consumer object is gone; the core goes with its last message.
  void close() noexcept;

  [[nodiscard]] const std::string& queue() const noexcept { return attachment_.queue_name(); }
  [[nodiscard]] const Membership& membership() const noexcept { return membership_; }
  /// That are in the application's hands.
  [[nodiscard]] std::uint64_t messages() const noexcept { return messages_; }

 protected:
  ConsumerCore(Membership membership, Answered& answer);

  /// A message claimed, or found, and not yet handed to the application.
  struct Found {
    std::uint64_t sequence = 0;
    std::uint64_t receipt = 0;
    Ring* ring = nullptr;    // that it is in; or
    Block* block = nullptr;  // of the journal
    std::uint32_t deliveries = 1;

    [[nodiscard]] Source& source() const noexcept {
      return ring != nullptr ? static_cast<Source&>(*ring) : static_cast<Source&>(*block);
    }
  };

  // -- what the kinds of group do differently
  /// The next message if one is there. `from_floor`: trust no hint.
  virtual Result<Found> take(bool from_floor) = 0;
  /// A sleeper's look: true if take() may find something or has something to do. Thread-safe.
  [[nodiscard]] virtual bool worth_a_look() const noexcept = 0;
  /// A sleeper's look after a nap in vain: true if take(from_floor) may find more. Thread-safe.
  [[nodiscard]] virtual bool worth_a_thorough_look() const noexcept { return false; }
  /// The sequence that stands in the way: claimed by a producer with more behind it, or held by
  /// another member; 0: none. Thread-safe.
  [[nodiscard]] virtual std::uint64_t obstacle() const noexcept = 0;
  [[nodiscard]] virtual std::uint64_t low() const noexcept = 0;
  /// Acknowledges a message: ok, or stale.
  virtual Code finish(std::uint64_t s, std::uint64_t receipt) noexcept = 0;
  /// Hands a message back: ok, stale, or invalid where nothing can be handed back.
  virtual Code hand_back(std::uint64_t s, std::uint64_t receipt) noexcept = 0;
  /// A view has ended; LiveSet and hold are up to date.
  virtual void view_ended() noexcept = 0;
  /// Hands everything back that the application does not have, and leaves.
  virtual void leave() noexcept = 0;
  /// Before sleeping: nothing that is not needed may be held.
  virtual void rest() noexcept = 0;

  // -- what they share
  /// The ring that `s` is or will be in. nullptr without an error: it was let go, s is finished.
  Result<Ring*> ring_of(std::uint64_t s);
  /// Maps the ring of `s` ahead of need, so that a handle works although its supervisor dies before
  /// the first message. What goes wrong here goes wrong again, and is reported, when it is needed.
  void map_ring_of(std::uint64_t s) { static_cast<void>(ring_of(s)); }
  struct Sight {
    ring::Seen seen = ring::Seen::nothing;
    Ring* ring = nullptr;
    Block* block = nullptr;
    bool lost = false;  // skipped: it was a message, and the journal cannot give it back
  };
  /// Looks at `s` in the ring it belongs to, or in the journal. `gone`: it is in neither.
  Result<Sight> look(std::uint64_t s);
  /// The same in the journal alone.
  Result<Sight> look_in_journal(std::uint64_t s);
  /// The same for a sleeper: true unless there is nothing at `s`. Thread-safe.
  [[nodiscard]] bool may_be_there(std::uint64_t s) const noexcept;
  /// True if a producer has claimed `s` and something behind it, and has not published.
  /// Thread-safe.
  [[nodiscard]] bool is_stuck_at(std::uint64_t s) const noexcept;
  /// Makes sure that hold <= s. Followed by a full fence if it had to be lowered.
  void protect(std::uint64_t s, const Ring& ring);
  void unprotect(std::uint64_t s) noexcept;
  /// Counts a view of what was found, and ends it.
  void begin_view(const Found& found);
  void give_up(const Found& found) noexcept;
  void count_lost() noexcept { cursor().lost.fetch_add(1, std::memory_order_relaxed); }
  void count_read_back(std::uint64_t bytes) noexcept {
    cursor().read_back.fetch_add(1, std::memory_order_relaxed);
    cursor().read_back_bytes.fetch_add(bytes, std::memory_order_relaxed);
  }
  /// Hold: the oldest live one; `behind` where there is none.
  void raise_hold(std::uint64_t behind) noexcept;
  /// After the group's floor has moved: whoever waits for it.
  void floor_moved(group::Moved moved) noexcept;

  [[nodiscard]] Attachment& attachment() noexcept { return attachment_; }
  [[nodiscard]] const Attachment& attachment() const noexcept { return attachment_; }
  [[nodiscard]] layout::GroupCursor& cursor() const noexcept;
  [[nodiscard]] const layout::GroupEntry& entry() const noexcept;
  [[nodiscard]] const LiveSet& live() const noexcept { return live_; }

 private:
  /// What the eventfd tells of.
  class Sleeper final : public wait::Watched {
   public:
    explicit Sleeper(ConsumerCore& core) noexcept : core_(core) {}
    [[nodiscard]] layout::Bell& bell() const noexcept override {
      return core_.attachment_.bells().data;
    }
    [[nodiscard]] std::optional<os::Instant> look(bool in_vain) noexcept override {
      return core_.sleep_until(in_vain);
    }

   private:
    ConsumerCore& core_;
  };

  Result<Message> next(Timeout timeout);
  Result<Message> message(const Found& found);
  [[nodiscard]] bool nothing_to_do() const noexcept;
  void ask_about_obstacle() noexcept;
  /// Asks about what stands in the way; true while it is too early for that.
  [[nodiscard]] bool is_stuck(os::Instant now) noexcept;
  /// How long nobody needs to look again; nullopt: now.
  [[nodiscard]] std::optional<os::Instant> sleep_until(bool in_vain) noexcept;
  void end_view(Message& message) noexcept;
  void set_hold(std::uint64_t s, std::memory_order order) noexcept;

  const Membership membership_;
  Attachment attachment_;
  RingChain rings_;
  JournalCursor journal_;
  // What the journal cannot give back, as far as it was looked for: from one up to another.
  std::pair<std::uint64_t, std::uint64_t> lost_{0, 0};
  std::uint16_t group_;
  bool closed_ = false;
  Ring* current_ = nullptr;
  std::uint64_t hold_ = layout::no_sequence;  // what the hold word says
  LiveSet live_;
  std::uint64_t messages_ = 0;

  // -- of wait(), which may run on another thread
  wait::Spin spin_;
  std::atomic<bool> look_from_floor_{false};
  std::atomic<std::uint64_t> stuck_at_{0};
  std::atomic<os::Instant> stuck_since_{0};

  Sleeper sleeper_{*this};
  std::unique_ptr<wait::Watch> watch_;  // null until somebody asks for fd()
};

}  // namespace spillring::client
