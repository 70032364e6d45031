// A member of a shared group.
#pragma once

#include <atomic>

#include "client/consumer_core.hpp"
#include "client/row.hpp"
#include "group/shared_group.hpp"

namespace spillring::client {

class SharedConsumer final : public ConsumerCore {
 public:
  SharedConsumer(Membership membership, Answered& answer);

 private:
  Code take(bool from_floor, Found& found) override;
  [[nodiscard]] bool worth_a_look() const noexcept override;
  [[nodiscard]] bool worth_a_thorough_look() const noexcept override {
    return group_.low() < group_.next();
  }
  [[nodiscard]] std::uint64_t obstacle() const noexcept override;
  [[nodiscard]] std::uint64_t low() const noexcept override { return group_.low(); }
  Code finish(std::uint64_t s, std::uint64_t receipt) noexcept override;
  Code hand_back(std::uint64_t s, std::uint64_t receipt, std::uint64_t delay_ms) noexcept override;
  void view_ended(std::uint64_t behind) noexcept override { raise_hold(behind); }
  void leave() noexcept override;
  void rest() noexcept override { raise_hold(layout::no_sequence); }

  enum class Offer : std::uint8_t { claimed, nothing, skipped, lost };
  /// `seen`: of rescan; `next`: read before it.
  Result<void> claim_handed_back(bool from_floor, std::uint64_t seen, std::uint64_t next);
  Result<void> claim_fresh(std::uint64_t seen, std::uint64_t next);
  Result<Offer> offer(std::uint64_t s);
  Result<Offer> pass_what_is_gone(std::uint64_t s);
  Result<Offer> offer_from_ring(std::uint64_t s, Ring& ring);
  Result<Offer> offer_from_journal(std::uint64_t s);
  Result<Offer> settle_elsewhere(std::uint64_t s, std::uint64_t receipt);
  void claimed(const Found& found);
  /// Claims what there is to claim, for who has nothing ahead. `from_floor`: trust no hint.
  Result<void> claim_some(bool from_floor);
  /// What was claimed ahead and has been purged, or taken by a lease, is not handed out any more.
  void drop_lost() noexcept;
  /// Its time is over: it is a dead letter, or finished.
  void expire(const Found& found) noexcept;
  /// True once a second while the floor stays below what was claimed: a member may have been
  /// stopped between handing back and saying so, and no nap be long enough to find out.
  bool floor_has_stood() noexcept;
  void move_floor() noexcept;
  void floor_has_moved(group::Moved moved) noexcept;
  /// Where the oldest are dropped: goes on behind what is.
  Result<void> pass_dropped();
  /// What is claimed from `s` on has been seen by nobody, if this handle dies.
  /// After each look: how many are claimed ahead, and from where on.
  void tell_ahead() noexcept;
  void set_ahead(std::uint64_t s) noexcept {
    // release: before what is handed out next. Whoever reads it has seen the death of this process.
    seen_before_.store(s, std::memory_order_release);
  }

  Mappings::Shared words_;
  group::SharedGroup group_;
  unsigned prefetch_;
  const bool has_dead_letters_;
  os::Atomic<std::uint64_t>& seen_before_;  // layout::Hold::ahead
  Row<Found> claimed_;                      // not yet handed to the application
  std::atomic<std::size_t> ahead_{0};       // its size, for those who wait() on another thread
  std::uint64_t last_low_ = 0;
  os::Instant low_since_ = 0;
};

}  // namespace spillring::client
