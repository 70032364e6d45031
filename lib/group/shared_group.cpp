#include "group/shared_group.hpp"

#include <algorithm>

namespace spillring::group {

using layout::Delivery;
using layout::GroupWord;
using layout::packed;
using layout::unpacked;

std::uint64_t SharedGroup::low() const noexcept {
  return std::max(cursor_->floor.load(std::memory_order_seq_cst),
                  entry_->start.load(std::memory_order_acquire));
}

std::uint64_t SharedGroup::word(std::uint64_t s) const noexcept {
  // SYNC POINT READ: word. seq_cst: also a sleeper's second look (wait/bell.hpp).
  return slot(s).load(std::memory_order_seq_cst);
}

SharedGroup::Standing SharedGroup::standing(std::uint64_t s) const noexcept {
  const GroupWord word_of_s = unpacked(word(s));
  const std::int32_t distance = layout::group_lap_distance(word_of_s.lap, lap(s));
  if (distance > 0) return Standing::past;
  if (distance < 0) return Standing::fresh;
  switch (word_of_s.state) {
    case Delivery::available:
      return Standing::handed_back;
    case Delivery::claimed:
      return Standing::taken;
    case Delivery::delayed:
    case Delivery::doomed:
    case Delivery::expired:
      return Standing::set_aside;
    default:
      return Standing::finished;
  }
}

std::optional<std::uint64_t> SharedGroup::claim(std::uint64_t s, layout::Owner me) noexcept {
  std::uint64_t seen = word(s);
  const GroupWord before = unpacked(seen);
  const std::int32_t distance = layout::group_lap_distance(before.lap, lap(s));
  const bool fresh = distance < 0;
  if (!fresh && (distance > 0 || before.state != Delivery::available)) return std::nullopt;
  const std::uint8_t count = fresh ? std::uint8_t{1} : layout::counted_on(before.count);
  const std::uint64_t receipt = packed({lap(s), Delivery::claimed, count, me});
  // SYNC POINT WRITE: word. seq_cst: the count is stored before the message is seen (G4), and the
  // swap is the fence between the hold and the look at `gone` (ring/reclaim.hpp, B1).
  if (!slot(s).compare_exchange_strong(seen, receipt, std::memory_order_seq_cst)) {
    return std::nullopt;
  }
  return receipt;
}

bool SharedGroup::skip(std::uint64_t s, Delivery as) noexcept {
  std::uint64_t seen = word(s);
  const GroupWord before = unpacked(seen);
  const std::int32_t distance = layout::group_lap_distance(before.lap, lap(s));
  const bool fresh = distance < 0;
  if (!fresh && (distance > 0 || before.state != Delivery::available)) return false;
  return slot(s).compare_exchange_strong(seen, packed({lap(s), as, 0, {}}),
                                         std::memory_order_seq_cst);
}

bool SharedGroup::finish(std::uint64_t s, std::uint64_t receipt) noexcept {
  const std::uint8_t count = unpacked(receipt).count;
  // SYNC POINT WRITE: word. seq_cst: before the walk of move_floor(), which must see it or be seen
  // by the other member's walk (G2).
  return slot(s).compare_exchange_strong(receipt, packed({lap(s), Delivery::finished, count, {}}),
                                         std::memory_order_seq_cst);
}

GroupWord SharedGroup::handed_back(GroupWord claimed, bool delivered,
                                   std::uint64_t delay_ms) const noexcept {
  GroupWord result{claimed.lap, Delivery::available, claimed.count, {}};
  if (!delivered) {
    --result.count;
  } else if (is_last(claimed.count)) {
    result.state = Delivery::doomed;
  } else if (delay_ms != 0) {
    result.state = Delivery::delayed;
    result.owner = layout::delay_as_owner(std::min(delay_ms, layout::longest_delay_ms));
  }
  return result;
}

bool SharedGroup::hand_back(std::uint64_t s, std::uint64_t receipt, bool delivered,
                            std::uint64_t delay_ms) noexcept {
  const GroupWord after = handed_back(unpacked(receipt), delivered, delay_ms);
  if (!slot(s).compare_exchange_strong(receipt, packed(after), std::memory_order_seq_cst)) {
    return false;
  }
  if (after.state == Delivery::available) {
    lower_rescan(s);
  } else {
    tell_set_aside();
  }
  return true;
}

bool SharedGroup::expire(std::uint64_t s, std::uint64_t receipt) noexcept {
  GroupWord aside = unpacked(receipt);
  aside.state = Delivery::expired;
  --aside.count;  // this was no delivery
  aside.owner = {};
  if (!slot(s).compare_exchange_strong(receipt, packed(aside), std::memory_order_seq_cst)) {
    return false;
  }
  tell_set_aside();
  return true;
}

std::uint64_t SharedGroup::hand_back_all_of(layout::Owner owner, std::uint64_t ahead) noexcept {
  const std::uint64_t from = low();
  std::uint64_t handed = 0;
  for_each_claimed([&](std::uint64_t s, std::uint64_t word) {
    if (unpacked(word).owner == owner && hand_back(s, word, s < ahead)) ++handed;
  });
  // The dead may have handed something back without having said so.
  lower_rescan(from);
  tell_set_aside();
  return handed;
}

bool SharedGroup::release(std::uint64_t s, std::uint64_t receipt) noexcept {
  const GroupWord aside = unpacked(receipt);
  const std::uint64_t released = packed({aside.lap, Delivery::available, aside.count, {}});
  if (!slot(s).compare_exchange_strong(receipt, released, std::memory_order_seq_cst)) return false;
  lower_rescan(s);
  return true;
}

Moved SharedGroup::move_floor() noexcept {
  if (counts_ == Counts::yes) return move_counting_floor();
  const std::uint64_t from = cursor_->floor.load(std::memory_order_seq_cst);
  std::uint64_t to = std::max(from, entry_->start.load(std::memory_order_acquire));
  for (std::uint64_t steps = window_; steps != 0; --steps) {
    const GroupWord word_of_to = unpacked(word(to));
    const std::int32_t distance = layout::group_lap_distance(word_of_to.lap, lap(to));
    if (distance < 0 || (distance == 0 && !layout::is_finished(word_of_to.state))) break;
    ++to;
  }
  std::uint64_t seen = from;
  while (seen < to && !cursor_->floor.compare_exchange_weak(seen, to, std::memory_order_seq_cst)) {
  }
  return {from, to};
}

Moved SharedGroup::raise_floor(std::uint64_t to) noexcept {
  const std::uint64_t from = cursor_->floor.load(std::memory_order_seq_cst);
  ring::raise(cursor_->floor, to);
  return {from, std::max(from, to)};
}

/// `start` is the supervisor's to apply here (daemon/dropping.cpp): who moves the floor over it
/// does not know how many messages that were.
Moved SharedGroup::move_counting_floor() noexcept {
  Passage seen = read(*cursor_);
  // Each failure means that somebody else has moved it, perhaps not over what this one has
  // finished; or has forged it, over and over: all races have so many steps together.
  std::uint64_t steps = 4 * window_;
  for (;;) {
    const Passage to = behind_finished(seen, steps);
    if (to.floor == seen.floor) break;
    if (swap(*cursor_, seen, to)) return {seen.floor, to.floor};
    seen = read(*cursor_);
  }
  return {seen.floor, seen.floor};
}

Passage SharedGroup::behind_finished(Passage at, std::uint64_t& steps) const noexcept {
  for (; steps != 0; --steps) {
    // While the floor stays, no word from there on is used again (G3).
    const GroupWord word_of_at = unpacked(word(at.floor));
    if (word_of_at.lap != lap(at.floor) || !layout::is_finished(word_of_at.state)) break;
    if (word_of_at.state == Delivery::finished) ++at.settled;
    ++at.floor;
  }
  return at;
}

std::optional<std::uint64_t> SharedGroup::drop_words(std::uint64_t from,
                                                     std::uint64_t to) noexcept {
  std::uint64_t settled = 0;
  for (std::uint64_t s = from; s < from + std::min(to - from, window_);) {
    std::uint64_t seen = word(s);
    const GroupWord word_of_s = unpacked(seen);
    const std::int32_t distance = layout::group_lap_distance(word_of_s.lap, lap(s));
    if (distance > 0) return std::nullopt;
    const bool is_over = distance == 0 && (layout::is_finished(word_of_s.state) ||
                                           word_of_s.state == Delivery::dropped);
    if (!is_over) {
      // SYNC POINT WRITE: word. seq_cst: whoever holds the message finds its receipt void from here
      // on, and nobody claims it; only then it counts as dropped (G6).
      const std::uint64_t dropped = packed({lap(s), Delivery::dropped, 0, {}});
      if (!slot(s).compare_exchange_strong(seen, dropped, std::memory_order_seq_cst)) continue;
    }
    if (distance == 0 && word_of_s.state == Delivery::finished) ++settled;
    ++s;
  }
  return settled;
}

Moved SharedGroup::pass_dropped(ring::Dropped dropped, int steps) noexcept {
  // Not so far at a time that a word could look newer than it is (24-bit laps).
  const std::uint64_t farthest = window_ << 22;
  const std::uint64_t begin = cursor_->floor.load(std::memory_order_seq_cst);
  // Nor without end: `until` is a producer's word.
  for (; steps != 0; --steps) {
    const Passage seen = read(*cursor_);
    // Who has brought the floor here may have been stopped before it said what that meant.
    if (seen.floor == dropped.until) note_dropped(*cursor_, seen, dropped.messages);
    if (seen.floor >= dropped.until) return {begin, seen.floor};
    const std::uint64_t to = seen.floor + std::min(dropped.until - seen.floor, farthest);
    const auto settled = drop_words(seen.floor, to);
    if (!settled) continue;
    const Passage passed{to, seen.settled + *settled};
    if (!swap(*cursor_, seen, passed) || to != dropped.until) continue;
    // Said at once: others may have brought the floor further before the next look at it.
    note_dropped(*cursor_, passed, dropped.messages);
    // What lies behind may have been finished while the floor could not come to it.
    return {begin, move_counting_floor().to};
  }
  return {begin, begin};
}

std::uint8_t SharedGroup::standing_to_save(std::uint64_t s) const noexcept {
  const GroupWord word_of_s = unpacked(word(s));
  const std::int32_t distance = layout::group_lap_distance(word_of_s.lap, lap(s));
  if (distance < 0) return 0;
  if (distance > 0 || word_of_s.state == Delivery::finished) return 255;
  if (word_of_s.state == Delivery::passed) return 254;
  return std::min<std::uint8_t>(word_of_s.count, 253);  // 0: handed back before anybody saw it
}

void SharedGroup::restore(std::uint64_t s, std::uint8_t standing) noexcept {
  if (standing == 0) return;
  GroupWord word_of_s{lap(s), Delivery::available, standing, {}};
  if (standing >= 254) {
    word_of_s = {lap(s), standing == 255 ? Delivery::finished : Delivery::passed, 0, {}};
  } else if (is_last(standing)) {
    word_of_s.state = Delivery::doomed;
  }
  slot(s).store(packed(word_of_s), std::memory_order_relaxed);
  if (word_of_s.state == Delivery::available) lower_rescan(s);
}

std::uint64_t SharedGroup::next() const noexcept {
  return cursor_->next.load(std::memory_order_seq_cst);
}

void SharedGroup::raise_next(std::uint64_t s) noexcept {
  std::uint64_t seen = cursor_->next.load(std::memory_order_relaxed);
  while (seen < s && !cursor_->next.compare_exchange_weak(seen, s, std::memory_order_relaxed)) {
  }
}

std::uint64_t SharedGroup::rescan() const noexcept {
  return cursor_->rescan.load(std::memory_order_seq_cst);
}

void SharedGroup::lower_rescan(std::uint64_t s) noexcept {
  std::uint64_t seen = cursor_->rescan.load(std::memory_order_seq_cst);
  for (;;) {
    // The version changes even where the sequence does not: a looker that read the word before this
    // one was handed back must not clear it.
    const std::uint64_t lowered =
        layout::rescan_word(std::min(layout::rescan_sequence(seen), s),
                            static_cast<std::uint8_t>(layout::rescan_version(seen) + 1));
    if (cursor_->rescan.compare_exchange_weak(seen, lowered, std::memory_order_seq_cst)) return;
  }
}

void SharedGroup::raise_rescan(std::uint64_t seen, std::uint64_t s) noexcept {
  cursor_->rescan.compare_exchange_strong(
      seen, layout::rescan_word(s, layout::rescan_version(seen)), std::memory_order_seq_cst);
}

void SharedGroup::initialise(std::uint64_t start) noexcept {
  for (std::uint64_t s = start; s < start + window_; ++s) {
    const std::uint32_t before = (lap(s) - 1) & layout::group_lap_mask;
    slot(s).store(packed({before, Delivery::finished, 0, {}}), std::memory_order_relaxed);
  }
  cursor_->next.store(start, std::memory_order_relaxed);
  cursor_->rescan.store(layout::rescan_word(layout::rescan_none, 0), std::memory_order_seq_cst);
}

}  // namespace spillring::group
