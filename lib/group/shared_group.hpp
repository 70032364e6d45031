// A shared group: each message goes to one member, is acknowledged or handed back.
//
// A window of W words, addressed by sequence: word(s) = {lap, state, count, owner}. An *older* lap
// means "available, never delivered", so producers write nothing for a group; a *newer* lap means
// that s is finished and the looker's floor is old. The whole word of a claim is its receipt.
//
// Invariants
//   G1  At most one acknowledgement of a sequence succeeds: it swaps the exact word of its claim.
//   G2  What is not finished is reachable: the floor passes only finished words, `rescan` is
//   lowered
//       with each word handed back, and a member that waited in vain looks from the floor.
//   G3  Claims only for low <= s < low + W: a word is never reused before its sequence is finished.
//   G4  The count of deliveries is stored with the claim, before the message is seen.
// floor, next and rescan live where any member can write them: a wrong `next` or `rescan` costs
// time, a floor that is behind too; nothing else may depend on them.
#pragma once

#include <bit>
#include <cstdint>
#include <optional>

#include "layout/groups.hpp"
#include "layout/manifest.hpp"

namespace spillring::group {

/// A floor that has moved.
struct Moved {
  std::uint64_t from = 0;
  std::uint64_t to = 0;
};

class SharedGroup {
 public:
  SharedGroup() = default;
  /// REQUIRES: `window` is a power of two, and `words` has as many.
  SharedGroup(const layout::GroupEntry& entry, layout::GroupCursor& cursor, layout::Word* words,
              std::uint64_t window) noexcept
      : entry_(&entry),
        cursor_(&cursor),
        words_(words),
        window_(window),
        window_log2_(static_cast<unsigned>(std::countr_zero(window))) {}

  /// The first sequence that may not be finished.
  [[nodiscard]] std::uint64_t low() const noexcept;
  /// The first sequence beyond the window.
  [[nodiscard]] std::uint64_t end() const noexcept { return low() + window_; }
  [[nodiscard]] std::uint64_t window() const noexcept { return window_; }

  /// How a sequence stands.
  enum class Standing : std::uint8_t { fresh, handed_back, taken, finished, past };
  [[nodiscard]] Standing standing(std::uint64_t s) const noexcept;

  /// Claims `s` for `me` if it is fresh or handed back. The result is the receipt, never 0.
  /// A full fence if it succeeds. REQUIRES: low() <= s < end().
  std::optional<std::uint64_t> claim(std::uint64_t s, layout::Owner me) noexcept;
  /// Finishes an `s` that carries no message, or whose message was lost since it was handed back;
  /// true if this call did. REQUIRES: as claim().
  bool skip(std::uint64_t s) noexcept;
  /// Acknowledges: false if the receipt is not valid any more. A full fence.
  bool finish(std::uint64_t s, std::uint64_t receipt) noexcept;
  /// Hands `s` back. `delivered`: false where nobody has seen it, and the count goes back too.
  /// The caller rings `data`. False if the receipt is not valid any more. Also for the supervisor,
  /// with the word of a dead or late owner for a receipt.
  bool hand_back(std::uint64_t s, std::uint64_t receipt, bool delivered) noexcept;
  /// Hands back all that `owner` holds; any number of times. Returns how many.
  std::uint64_t hand_back_all_of(layout::Owner owner) noexcept;

  /// Raises the floor over what is finished.
  Moved move_floor() noexcept;

  /// How a sequence stands, to be restored: 0 never delivered, 255 finished, else how often it was
  /// delivered.
  [[nodiscard]] std::uint8_t standing_to_save(std::uint64_t s) const noexcept;
  /// REQUIRES: initialise() came before, and no member.
  void restore(std::uint64_t s, std::uint8_t standing) noexcept;

  /// `next`, a hint.
  [[nodiscard]] std::uint64_t next() const noexcept;
  void raise_next(std::uint64_t s) noexcept;

  /// `rescan`, a hint: the lowest sequence handed back, as one word.
  [[nodiscard]] std::uint64_t rescan() const noexcept;
  /// After a look from `seen` up to `s` that left nothing handed back behind (`s` = rescan_none: up
  /// to next()): raises it, unless somebody has lowered it since `seen` was read.
  void raise_rescan(std::uint64_t seen, std::uint64_t s) noexcept;

  /// The word of `s`.
  [[nodiscard]] std::uint64_t word(std::uint64_t s) const noexcept;
  [[nodiscard]] std::uint32_t lap(std::uint64_t s) const noexcept {
    return layout::group_lap_of(s, window_log2_);
  }

  /// Calls `visit(sequence, word)` for each word that is claimed now. Bounded by the window.
  template <typename Visit>
  void for_each_claimed(Visit visit) const {
    const std::uint64_t from = low();
    for (std::uint64_t s = from; s < from + window_; ++s) {
      const std::uint64_t seen = word(s);
      const layout::GroupWord word_of_s = layout::unpacked(seen);
      if (word_of_s.lap == lap(s) && word_of_s.state == layout::Delivery::claimed) visit(s, seen);
    }
  }

  /// Puts everything into the state before the first sequence `start`. By the supervisor alone,
  /// before the group has members.
  void initialise(std::uint64_t start) noexcept;

 private:
  [[nodiscard]] layout::Word& slot(std::uint64_t s) const noexcept {
    return words_[s & (window_ - 1)];
  }
  void lower_rescan(std::uint64_t s) noexcept;

  const layout::GroupEntry* entry_ = nullptr;
  layout::GroupCursor* cursor_ = nullptr;
  layout::Word* words_ = nullptr;
  std::uint64_t window_ = 0;
  unsigned window_log2_ = 0;
};

}  // namespace spillring::group
