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
//   G5  Nobody claims what is set aside: *delayed* (handed back for later), *doomed* (handed back
//       after as many deliveries as there may be) or *expired* (too late to be handed out). The
//       supervisor alone swaps such a word on, and is told by `set_aside`, which whoever dies or is
//       stopped before that leaves to others: it is set at each death, and by a member that waited
//       in vain and met such a word.
//   G6  Where the oldest are dropped, the floor goes over a *dropped* word only together with all
//   that
//       is dropped: by pass_dropped(), which first makes every word below it finished or dropped,
//       so that no claim and no acknowledgement of it succeeds any more, and counts in the same
//       swap what the group has settled (group/passage.hpp).
// floor, next and rescan live where any member can write them: a wrong `next` or `rescan` costs
// time, a floor that is behind too; nothing else may depend on them.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <optional>

#include "group/passage.hpp"
#include "layout/groups.hpp"
#include "layout/manifest.hpp"
#include "ring/reclaim.hpp"

namespace spillring::group {

/// A floor that has moved.
struct Moved {
  std::uint64_t from = 0;
  std::uint64_t to = 0;
};

class SharedGroup {
 public:
  SharedGroup() = default;
  enum class Counts : bool { no, yes };
  /// REQUIRES: `window` is a power of two, and `words` has as many. `counts`: what is settled,
  /// where the oldest are dropped.
  SharedGroup(const layout::GroupEntry& entry, layout::GroupCursor& cursor, layout::Word* words,
              std::uint64_t window, std::uint32_t most_deliveries = 0,
              Counts counts = Counts::no) noexcept
      : entry_(&entry),
        cursor_(&cursor),
        words_(words),
        window_(window),
        window_log2_(static_cast<unsigned>(std::countr_zero(window))),
        most_deliveries_(most_deliveries),
        counts_(counts) {}

  /// The first sequence that may not be finished.
  [[nodiscard]] std::uint64_t low() const noexcept;
  /// The first sequence beyond the window.
  [[nodiscard]] std::uint64_t end() const noexcept { return low() + window_; }
  [[nodiscard]] std::uint64_t window() const noexcept { return window_; }

  /// How a sequence stands.
  enum class Standing : std::uint8_t { fresh, handed_back, taken, set_aside, finished, past };
  [[nodiscard]] Standing standing(std::uint64_t s) const noexcept;

  /// Claims `s` for `me` if it is fresh or handed back. The result is the receipt, never 0.
  /// A full fence if it succeeds. REQUIRES: low() <= s < end().
  std::optional<std::uint64_t> claim(std::uint64_t s, layout::Owner me) noexcept;
  /// Finishes an `s` that carries no message (`as` passed), or whose message was lost since it was
  /// handed back (`as` finished); true if this call did. REQUIRES: as claim().
  bool skip(std::uint64_t s, layout::Delivery as = layout::Delivery::passed) noexcept;
  /// Acknowledges: false if the receipt is not valid any more. A full fence.
  bool finish(std::uint64_t s, std::uint64_t receipt) noexcept;
  /// Hands `s` back. `delivered`: false where nobody has seen it, and the count goes back too.
  /// The caller rings `data`, and asks for service if something is_set_aside(). False if the
  /// receipt is not valid any more. Also for the supervisor, with the word of a dead or late owner
  /// for a receipt. `delay_ms`: nobody gets it before that has passed, at most
  /// layout::longest_delay_ms.
  bool hand_back(std::uint64_t s, std::uint64_t receipt, bool delivered,
                 std::uint64_t delay_ms = 0) noexcept;
  /// Sets `s` aside, which nobody has seen and is too late: the supervisor makes it a dead letter,
  /// and is to be asked for that. False if the receipt is not valid any more.
  bool expire(std::uint64_t s, std::uint64_t receipt) noexcept;
  /// Hands back all that `owner` holds, of which nobody has seen what begins at `ahead`; any number
  /// of times. Returns how many.
  std::uint64_t hand_back_all_of(layout::Owner owner,
                                 std::uint64_t ahead = layout::no_sequence) noexcept;

  /// The supervisor is to look for what was set aside.
  void tell_set_aside() noexcept { cursor_->set_aside.store(1, std::memory_order_seq_cst); }
  [[nodiscard]] bool is_set_aside() const noexcept {
    return cursor_->set_aside.load(std::memory_order_seq_cst) != 0;
  }
  /// True once after each tell_set_aside(), or after some.
  bool take_set_aside() noexcept {
    return cursor_->set_aside.exchange(0, std::memory_order_seq_cst) != 0;
  }
  /// For the supervisor, with the word that is set aside for a receipt: `s` can be claimed again.
  /// The caller rings `data`.
  bool release(std::uint64_t s, std::uint64_t receipt) noexcept;

  /// Raises the floor over what is finished.
  Moved move_floor() noexcept;
  /// Raises the floor to `to`, below which there is nothing any more. REQUIRES: Counts::no.
  Moved raise_floor(std::uint64_t to) noexcept;
  /// Everything below `dropped.until` is over, whoever had it; notes how many messages that were.
  /// At most `steps` windows' worth of words are looked at: what is left is passed the next time.
  Moved pass_dropped(ring::Dropped dropped, int steps = 64) noexcept;

  /// How a sequence stands, to be restored: 0 never delivered, 255 finished, 254 passed, else how
  /// often it was delivered.
  [[nodiscard]] std::uint8_t standing_to_save(std::uint64_t s) const noexcept;
  /// REQUIRES: initialise() came before, and no member.
  void restore(std::uint64_t s, std::uint8_t standing) noexcept;

  /// `next`, a hint.
  [[nodiscard]] std::uint64_t next() const noexcept;
  void raise_next(std::uint64_t s) noexcept;

  /// `rescan`, a hint: the lowest sequence handed back, as one word.
  [[nodiscard]] std::uint64_t rescan() const noexcept;
  /// After a look from `seen` up to `s` that left nothing handed back behind (`s` = rescan_none: up
  /// to the end): raises it, unless somebody has lowered it since `seen` was read. The end of what
  /// there is, not next(), which may be old.
  void raise_rescan(std::uint64_t seen, std::uint64_t s) noexcept;

  /// The word of `s`.
  [[nodiscard]] std::uint64_t word(std::uint64_t s) const noexcept;
  [[nodiscard]] std::uint32_t lap(std::uint64_t s) const noexcept {
    return layout::group_lap_of(s, window_log2_);
  }

  /// Calls `visit(sequence, word)` for each word that is claimed now. Bounded by the window.
  template <typename Visit>
  void for_each_claimed(Visit visit) const {
    for_each(end(), [&](std::uint64_t s, std::uint64_t seen, layout::Delivery state) {
      if (state == layout::Delivery::claimed) visit(s, seen);
    });
  }
  /// The same for each word below `until` that is set aside.
  template <typename Visit>
  void for_each_set_aside(std::uint64_t until, Visit visit) const {
    for_each(until, [&](std::uint64_t s, std::uint64_t seen, layout::Delivery state) {
      if (is_set_aside(state)) visit(s, seen);
    });
  }

  /// Puts everything into the state before the first sequence `start`. By the supervisor alone,
  /// before the group has members.
  void initialise(std::uint64_t start) noexcept;

 private:
  [[nodiscard]] static bool is_set_aside(layout::Delivery state) noexcept {
    return state == layout::Delivery::delayed || state == layout::Delivery::doomed ||
           state == layout::Delivery::expired;
  }
  [[nodiscard]] layout::Word& slot(std::uint64_t s) const noexcept {
    return words_[s & (window_ - 1)];
  }
  void lower_rescan(std::uint64_t s) noexcept;
  /// Makes the words of [from.floor, to) finished or dropped, as far as the window reaches. Returns
  /// how many of them were settled; nullopt: the floor has moved.
  std::optional<std::uint64_t> drop_words(std::uint64_t from, std::uint64_t to) noexcept;
  Moved move_counting_floor() noexcept;
  /// Where a floor at `at` can go over what is finished, in `steps` at most, which it uses up; and
  /// what is settled then.
  [[nodiscard]] Passage behind_finished(Passage at, std::uint64_t& steps) const noexcept;
  [[nodiscard]] layout::GroupWord handed_back(layout::GroupWord claimed, bool delivered,
                                              std::uint64_t delay_ms) const noexcept;
  [[nodiscard]] bool is_last(std::uint8_t count) const noexcept {
    return most_deliveries_ != 0 && count >= most_deliveries_;
  }
  template <typename Visit>
  void for_each(std::uint64_t until, Visit visit) const {
    const std::uint64_t from = low();
    for (std::uint64_t s = from; s < std::min(until, from + window_); ++s) {
      const std::uint64_t seen = word(s);
      const layout::GroupWord word_of_s = layout::unpacked(seen);
      if (word_of_s.lap == lap(s)) visit(s, seen, word_of_s.state);
    }
  }

  const layout::GroupEntry* entry_ = nullptr;
  layout::GroupCursor* cursor_ = nullptr;
  layout::Word* words_ = nullptr;
  std::uint64_t window_ = 0;
  unsigned window_log2_ = 0;
  std::uint32_t most_deliveries_ = 0;  // 0: without end
  Counts counts_ = Counts::no;
};

}  // namespace spillring::group
