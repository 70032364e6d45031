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
#include "client/expiry.hpp"
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
  Result<void> nack(Message& message, Timeout delay);
  [[nodiscard]] Timeout ttl(const Message& message) const noexcept;
  /// The message goes out of its owner's hands as it is.
  void drop(Message& message) noexcept;

  /// The Consumer object is gone; the core goes with its last message.
  void close() noexcept;

  [[nodiscard]] const std::string& queue() const noexcept { return attachment_.queue_name(); }
  [[nodiscard]] const Membership& membership() const noexcept { return membership_; }
  /// That are in the application's hands.
  [[nodiscard]] std::uint64_t messages() const noexcept { return messages_; }
  /// Why nothing can be received here any more; ok while it can. Thread-safe.
  [[nodiscard]] Code condition() const noexcept;

 protected:
  ConsumerCore(Membership membership, Answered& answer);

  /// The receipt of what needs no acknowledgement.
  static constexpr std::uint64_t nothing_owed = Message::settled;
  /// A message claimed, or found, and not yet handed to the application.
  struct Found {
    std::uint64_t sequence = 0;
    std::uint64_t receipt = nothing_owed;
    Ring* ring = nullptr;    // that it is in; or
    Block* block = nullptr;  // of the journal
    std::uint32_t deliveries = 1;

    /// False: nothing.
    explicit operator bool() const noexcept { return ring != nullptr || block != nullptr; }
    [[nodiscard]] Source& source() const noexcept {
      return ring != nullptr ? static_cast<Source&>(*ring) : static_cast<Source&>(*block);
    }
  };

  // -- what the kinds of group do differently
  /// So many that come too late are passed over at a time.
  static constexpr unsigned most_passed = 1024;
  /// The next message if one is there (else `empty`); `ok` with nothing where `most_passed` were
  /// passed over, and more may follow. `from_floor`: trust no hint.
  virtual Code take(bool from_floor, Found& found) = 0;
  /// A sleeper's look: true if take() may find something or has something to do. Thread-safe.
  [[nodiscard]] virtual bool worth_a_look() const noexcept = 0;
  /// A sleeper's look after a nap in vain: true if take(from_floor) may find more. Thread-safe.
  [[nodiscard]] virtual bool worth_a_thorough_look() const noexcept { return false; }
  /// The sequence that stands in the way: claimed by a producer with more behind it, or held by
  /// another member; 0: none. Thread-safe.
  [[nodiscard]] virtual std::uint64_t obstacle() const noexcept = 0;
  /// What comes next is claimed, and what others publish meanwhile is of no use yet. Thread-safe.
  [[nodiscard]] virtual bool is_behind_claim() const noexcept { return false; }
  [[nodiscard]] virtual std::uint64_t low() const noexcept = 0;
  /// Acknowledges a message: ok, or stale.
  virtual Code finish(std::uint64_t s, std::uint64_t receipt) noexcept = 0;
  /// Hands a message back: ok, stale, or invalid where nothing can be handed back.
  virtual Code hand_back(std::uint64_t s, std::uint64_t receipt,
                         std::uint64_t delay_ms) noexcept = 0;
  /// A view has ended and has left the LiveSet: hold and floor may rise, the hold up to `behind`
  /// where no view in a ring is left.
  virtual void view_ended(std::uint64_t behind) noexcept = 0;
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
  /// Unmaps what the queue has let go of and no view is in.
  void unmap_old_rings();
  struct Sight {
    ring::Seen seen = ring::Seen::nothing;
    Ring* ring = nullptr;
    Block* block = nullptr;
    // Skipped: behind all that is lost from here on, which the journal cannot give back; 0: none.
    std::uint64_t lost_until = 0;
  };
  /// The ring that was read last, if `s` may be in it. nullptr: look(). It may be condemned.
  [[nodiscard]] Ring* ring_at_hand(std::uint64_t s) const noexcept {
    return current_ != nullptr && s >= current_->view.first() && journal_.current(s) == nullptr
               ? current_
               : nullptr;
  }
  /// Nothing is at `s`, and what comes will be in `ring`: what look() would say, for less. Every so
  /// often false all the same: neither what a producer forged, nor that the ring was condemned,
  /// must keep a reader here.
  [[nodiscard]] bool will_be_in(const Ring& ring, std::uint64_t s) noexcept {
    constexpr unsigned often = 64;
    return ++quick_looks_ % often != 0 && ring::goes_on_at(ring.view, s);
  }
  /// Looks at `s` in the ring it belongs to, or in the journal. `gone`: it is in neither.
  Result<Sight> look(std::uint64_t s);
  /// The same in the journal alone.
  Result<Sight> look_in_journal(std::uint64_t s);
  /// The same for what is in no ring.
  Result<Sight> look_behind_rings(std::uint64_t s);
  /// What was found at `s` in current_ may be true: nobody honest is ahead by a whole ring. What is
  /// beyond is a forged word, which would lead past numbers that are given out again, should the
  /// ring be condemned (its successor begins no further than this behind what groups and journal
  /// have come to). The bound is as old as it may be: both only grow. REQUIRES: the look at the
  /// ring's mark comes behind it.
  [[nodiscard]] bool is_within_reach(std::uint64_t s) noexcept {
    return s < reach_ || renew_reach() > s;
  }
  /// The bound, as of now.
  [[gnu::noinline, gnu::cold]] std::uint64_t renew_reach() noexcept;
  /// The same for what is in a condemned ring: in the journal, or lost. `nothing`: that is not said
  /// yet.
  Result<Sight> look_in_condemned(std::uint64_t s, std::uint64_t ring);
  /// A sleeper's look: what has become of `s`, in a condemned ring, is known.
  [[nodiscard]] bool is_said_of(std::uint64_t s) const noexcept;
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
  [[gnu::noinline, gnu::cold]] void begin_view_apart(std::uint64_t s);
  void give_up(const Found& found) noexcept;
  /// Whether it comes too late to be handed out.
  [[nodiscard]] bool is_over(const Found& found) const noexcept;
  [[nodiscard]] bool is_over(std::uint64_t s, const Ring& ring) const noexcept;
  void count_expired() noexcept { cursor().expired.fetch_add(1, std::memory_order_relaxed); }
  void count_lost(std::uint64_t count) noexcept {
    cursor().lost.fetch_add(count, std::memory_order_relaxed);
    gap_ += count;
  }
  /// The first number behind `s` that may be there, where `s` is neither in a ring nor in the
  /// journal, though the floor says that the group needs it: floors are forged as easily as
  /// written. `corrupt`: the supervisor knows no better.
  Result<std::uint64_t> behind_what_is_gone(std::uint64_t s);
  /// The oldest messages are dropped where there is no room.
  [[nodiscard]] bool drops() const noexcept { return drops_; }
  /// What of the queue was dropped, as far as that may concern a group whose floor is `low`.
  Result<ring::Dropped> dropped(std::uint64_t low);
  /// A sleeper's look: true if dropped(low) may reach beyond. Thread-safe.
  [[nodiscard]] bool is_dropped(std::uint64_t low) const noexcept;
  /// What its group has missed is told of with the next message.
  void hear_of_dropped() noexcept { gap_ += group::hear_of_dropped(cursor()); }
  /// Adds what was read from the journal to the group's counts, which all members share: for some
  /// messages at a time, at the end of a batch, and before this handle rests.
  void tell_read_back() noexcept;
  /// Hold: the oldest live one; `behind` where there is none.
  void raise_hold(std::uint64_t behind) noexcept;
  /// The same, and the caller calls made_room().
  group::Moved lift_hold(std::uint64_t behind) noexcept;
  /// Wakes who waits for room that became free by what was stored before.
  void made_room(group::Moved moved) noexcept;
  /// After the group's floor has moved: tells the supervisor, where that matters to it.
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

  /// The ring that drops its oldest; nullptr: none, or a group whose floor is `low` is past it.
  Result<Ring*> dropping_ring(std::uint64_t low);
  Result<Message> next(Timeout timeout);
  /// What a handle answers whose queue or group has ended.
  Code ended(Code condition) noexcept;
  Result<Message> message(const Found& found);
  template <typename Extent>
  Result<Message> message(const Found& found, const Extent& extent);
  [[nodiscard]] bool nothing_to_do() const noexcept;
  void ask_about_obstacle(os::Instant now) noexcept;
  /// Asks about what stands in the way; true while it is too early for that.
  [[nodiscard]] bool is_stuck(os::Instant now) noexcept;
  /// How long nobody needs to look again; nullopt: now.
  [[nodiscard]] std::optional<os::Instant> sleep_until(bool in_vain) noexcept;
  /// Acknowledges what has not been yet.
  Code settled(Message& message) noexcept;
  void end_view(Message& message) noexcept;

  const Membership membership_;
  Attachment attachment_;
  RingChain rings_;
  JournalCursor journal_;
  // What the journal cannot give back, as far as it was looked for: from one up to another.
  std::pair<std::uint64_t, std::uint64_t> lost_{0, 0};
  std::uint16_t group_;
  const bool drops_;
  const layout::GroupEntry* entry_;
  bool closed_ = false;
  bool left_ = false;  // a group that was removed
  Ring* current_ = nullptr;
  std::uint64_t reach_ = 0;  // in current_: below it, words can be true
  os::Atomic<std::uint64_t>* hold_word_;
  std::uint64_t hold_ = layout::no_sequence;  // what it says
  LiveSet live_;
  std::uint64_t messages_ = 0;
  std::uint64_t gap_ = 0;  // before the next message
  unsigned quick_looks_ = 0;
  // Read from the journal, and not yet told.
  static constexpr std::uint64_t most_untold = 16;
  std::uint64_t read_back_ = 0;
  std::uint64_t read_back_bytes_ = 0;
  os::Instant last_tick_ = 0;  // in which a poll last looked for what is in its way

  // -- of wait(), which may run on another thread
  wait::Spin spin_;
  std::atomic<bool> look_from_floor_{false};
  std::atomic<std::uint64_t> stuck_at_{0};
  std::atomic<os::Instant> stuck_since_{0};

  Sleeper sleeper_{*this};
  std::unique_ptr<wait::Watch> watch_;  // null until somebody asks for fd()
};

// -- what is done with every message

inline layout::GroupCursor& ConsumerCore::cursor() const noexcept {
  return attachment_.groups().cursors[group_];
}

inline const layout::GroupEntry& ConsumerCore::entry() const noexcept { return *entry_; }

inline Code ConsumerCore::condition() const noexcept {
  if (const Code code = attachment_.condition(); code != Code::ok) return code;
  // Removed, though it had members. As long as there is one, its place is given to no other group.
  // seq_cst: also a sleeper's second look (wait/bell.hpp, W1).
  const std::uint64_t word = entry_->word.load(std::memory_order_seq_cst);
  return layout::entry_presence(word) == layout::Presence::live ? Code::ok : Code::deleted;
}

inline group::Moved ConsumerCore::lift_hold(std::uint64_t behind) noexcept {
  const std::uint64_t before = hold_;
  if (before == layout::no_sequence) return {before, before};
  const std::uint64_t oldest = live_.oldest_in_ring(rings_.newest_mapped());
  // Where the oldest are dropped, a hold that no view needs would be in the way of that.
  const std::uint64_t none = drops_ ? layout::no_sequence : std::max(behind, before);
  const std::uint64_t now = oldest == layout::no_sequence ? none : oldest;
  if (now <= before) return {before, before};
  // SYNC POINT WRITE: hold. release: the views' last looks at their bytes are over. Any older value
  // protects more, but for one of an older ring, which protects nothing in this one: so the fence
  // of made_room() is that of B1 too, and comes whether there is anybody to wake or not.
  hold_ = now;
  hold_word_->store(now, std::memory_order_release);
  return {before, now};
}

inline void ConsumerCore::raise_hold(std::uint64_t behind) noexcept {
  made_room(lift_hold(behind));
}

inline void ConsumerCore::made_room(group::Moved moved) noexcept {
  if (moved.from == moved.to) return;
  // Between what was stored and the look at the mark (wait/bell.hpp, W1).
  os::fence(std::memory_order_seq_cst);
  attachment_.ring_room(moved.from, moved.to);
}

inline void ConsumerCore::protect(std::uint64_t s, const Ring& ring) {
  const std::uint64_t first = rings_.newest_mapped();
  // An older ring is sealed: nothing in it is ever overwritten.
  if (ring.view.first() == first) {
    // "hold <= s already" counts only for a hold that is meant for this ring.
    // SYNC POINT WRITE: hold. seq_cst: before the look at `gone` (ring/reclaim.hpp, B1).
    if (hold_ > s || hold_ < first) {
      hold_ = s;
      hold_word_->store(s, std::memory_order_seq_cst);
    }
  }
  live_.add(s);
}

inline void ConsumerCore::unprotect(std::uint64_t s) noexcept {
  live_.end(s);
  raise_hold(s + 1);
}

inline bool ConsumerCore::is_over(std::uint64_t s, const Ring& ring) const noexcept {
  return client::is_over(ring.view.descriptor(s), attachment_.manifest().boot);
}

inline bool ConsumerCore::is_over(const Found& found) const noexcept {
  if (found.ring != nullptr) return is_over(found.sequence, *found.ring);
  return client::is_over(found.block->data->entry(found.sequence), attachment_.manifest().boot);
}

inline void ConsumerCore::begin_view(const Found& found) {
  if (found.ring == nullptr) begin_view_apart(found.sequence);  // which may throw
  ++found.source().users;
}

inline void ConsumerCore::floor_moved(group::Moved moved) noexcept {
  if (moved.from == moved.to) return;
  // The supervisor lets go of a ring that everybody is past.
  const std::uint64_t first = rings_.newest_mapped();
  if (moved.from < first && first <= moved.to) return attachment_.ask_service();
  // So it does of the journal when everybody is past it.
  const std::uint64_t journaled = attachment_.manifest().journaled.load(std::memory_order_relaxed);
  if (moved.from < journaled && journaled <= moved.to) attachment_.ask_service();
}

}  // namespace spillring::client
