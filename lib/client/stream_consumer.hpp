// The reader of a stream group, or one that stands by for its place.
#pragma once

#include <atomic>

#include "client/consumer_core.hpp"
#include "client/row.hpp"
#include "group/stream_group.hpp"

namespace spillring::client {

class StreamConsumer final : public ConsumerCore {
 public:
  StreamConsumer(Membership membership, Answered& answer);

 private:
  Code take(bool from_floor, Found& found) override;
  [[nodiscard]] bool worth_a_look() const noexcept override;
  [[nodiscard]] std::uint64_t obstacle() const noexcept override;
  [[nodiscard]] bool is_behind_claim() const noexcept override { return obstacle() != 0; }
  [[nodiscard]] std::uint64_t low() const noexcept override { return group_.low(); }
  Code finish(std::uint64_t, std::uint64_t) noexcept override { return Code::ok; }
  Code hand_back(std::uint64_t, std::uint64_t, std::uint64_t) noexcept override {
    return Code::invalid;
  }
  void view_ended(std::uint64_t behind) noexcept override { let_go(behind); }
  void leave() noexcept override;
  void rest() noexcept override;

  bool take_place() noexcept;
  Code take_at(std::uint64_t s, Ring* ring, Block* block, Found& found);
  /// Raises hold and floor over what is read; hold: up to `behind` where no view is left.
  void let_go(std::uint64_t behind) noexcept;
  Result<Sight> look_under_hold(std::uint64_t s);
  /// Raises the floor to `to`, with what was handed out below.
  group::Moved raise_floor(std::uint64_t to) noexcept;
  /// Where the oldest are dropped: the first of `s` and later that is not.
  Result<std::uint64_t> behind_dropped(std::uint64_t s);
  // Apart from take(), which would have to make room for it.
  [[gnu::noinline]] Result<std::uint64_t> behind_gone(std::uint64_t s);
  /// `s` was handed out, or is over for another reason.
  void settled(std::uint64_t s) {
    if (drops()) [[unlikely]]
      note_settled(s);
  }
  void forget_settled_below(std::uint64_t floor) noexcept;
  /// Apart, so that queues that drop nothing pay for a look at a flag alone.
  [[gnu::noinline, gnu::cold]] void note_settled(std::uint64_t s);
  [[nodiscard]] bool makes_room(std::uint64_t to) const noexcept;

  group::StreamGroup group_;
  std::atomic<bool> mine_{false};           // the place is this handle's
  Row<std::uint64_t> settled_;              // from the floor on, where that is counted
  std::atomic<std::uint64_t> position_{0};  // next to read; written by the handle's thread alone
};

}  // namespace spillring::client
