// A stream group: one member at a time reads everything in order; a floor, stored by that member
// after its views are gone. Others stand by for its place, which passes on by release or death.
#pragma once

#include <algorithm>
#include <cstdint>

#include "group/shared_group.hpp"
#include "layout/groups.hpp"
#include "layout/manifest.hpp"

namespace spillring::group {

class StreamGroup {
 public:
  StreamGroup() = default;
  StreamGroup(const layout::GroupEntry& entry, layout::GroupCursor& cursor) noexcept
      : entry_(&entry), cursor_(&cursor) {}

  [[nodiscard]] std::uint64_t low() const noexcept {
    return std::max(cursor_->floor.load(std::memory_order_seq_cst),
                    entry_->start.load(std::memory_order_acquire));
  }

  /// True if the place is `me`'s, or free (a sleeper's second look).
  [[nodiscard]] bool is_open_to(layout::Owner me) const noexcept {
    const std::uint64_t owner = cursor_->owner.load(std::memory_order_seq_cst);
    return owner == 0 || owner == layout::stream_owner(me);
  }

  /// Takes the place if it is free. True if it is `me`'s now.
  bool take(layout::Owner me) noexcept {
    std::uint64_t owner = 0;
    const std::uint64_t mine = layout::stream_owner(me);
    // acq_rel would do: the floor that the last owner stored is seen by the next.
    return cursor_->owner.compare_exchange_strong(owner, mine, std::memory_order_seq_cst) ||
           owner == mine;
  }

  /// Leaves the place, or takes it from a dead owner. True if it was `owner`'s. The caller rings
  /// `data`.
  bool leave(layout::Owner owner) noexcept {
    std::uint64_t expected = layout::stream_owner(owner);
    return cursor_->owner.compare_exchange_strong(expected, 0, std::memory_order_seq_cst);
  }

  /// By the owner. release: whoever takes over sees what was finished. Where it makes room, a
  /// fence follows, and a look at the bell of those who wait for it.
  Moved raise_floor(std::uint64_t to) noexcept {
    const std::uint64_t from = cursor_->floor.load(std::memory_order_relaxed);
    if (from < to) cursor_->floor.store(to, std::memory_order_release);
    return {from, std::max(from, to)};
  }

  /// The same where the oldest are dropped: `settled` of the messages below `to` were handed out.
  /// False: the supervisor has moved it (purge).
  bool raise_floor(Passage from, Passage to) noexcept { return swap(*cursor_, from, to); }

 private:
  const layout::GroupEntry* entry_ = nullptr;
  layout::GroupCursor* cursor_ = nullptr;
};

}  // namespace spillring::group
