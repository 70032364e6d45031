#include "client/shared_consumer.hpp"

#include <algorithm>
#include <bit>
#include <utility>

#include "wait/bell.hpp"

namespace spillring::client {

using group::SharedGroup;

SharedConsumer::SharedConsumer(Membership membership, Answered& answer)
    : ConsumerCore(std::move(membership), answer),
      prefetch_(std::max(1U, this->membership().prefetch)),
      has_dead_letters_(!attachment().manifest().dead_letter.view().empty()),
      seen_before_(attachment().groups().holds[attachment().owner().slot].ahead) {
  const std::uint64_t window = answer.reply.window;
  if (answer.descriptors.size() < 5 || !std::has_single_bit(window) ||
      window > layout::max_window) {
    throw Error(Code::corrupt, "a shared group arrived without its words");
  }
  words_ = attachment().mappings().map(answer.descriptors[4],
                                       os::whole_pages(window * sizeof(layout::Word)),
                                       os::Rights::read_write);
  group_ = SharedGroup(entry(), cursor(), words_->as<layout::Word>(), window,
                       attachment().manifest().max_deliveries,
                       drops() ? SharedGroup::Counts::yes : SharedGroup::Counts::no);
  map_ring_of(group_.low());
}

Code SharedConsumer::take(bool from_floor, Found& found) {
  for (unsigned passed = 0; passed < most_passed; ++passed) {
    drop_lost();
    if (claimed_.empty()) {
      if (const auto claimed = claim_some(std::exchange(from_floor, false)); !claimed)
        return claimed.error();
    }
    if (claimed_.empty()) {
      ahead_.store(0, std::memory_order_relaxed);
      return Code::empty;
    }
    found = claimed_.front();
    claimed_.pop_front();
    if (!is_over(found)) [[likely]] {
      tell_ahead();
      if (drops()) hear_of_dropped();
      return Code::ok;
    }
    expire(found);
  }
  tell_ahead();
  found = {};
  return Code::ok;
}

void SharedConsumer::tell_ahead() noexcept {
  ahead_.store(claimed_.size(), std::memory_order_relaxed);
  set_ahead(claimed_.empty() ? layout::no_sequence : claimed_.front().sequence);
}

Result<void> SharedConsumer::pass_dropped() {
  if (!drops()) return {};
  const auto dropped = this->dropped(group_.low());
  if (!dropped) return dropped.error();
  if (dropped->until != 0) floor_has_moved(group_.pass_dropped(*dropped));
  return {};
}

Result<void> SharedConsumer::claim_some(bool from_floor) {
  if (const auto passed = pass_dropped(); !passed) return passed;
  // Read once for both looks: what is claimed, and handed back by the dead, between two reads
  // would lie below the second and above the first, where nobody looks.
  const std::uint64_t next = group_.next();
  const bool everything = from_floor || floor_has_stood();
  // Whoever acknowledged last may have been stopped before it moved the floor.
  if (everything) move_floor();
  const std::uint64_t seen = group_.rescan();
  if (const auto looked = claim_handed_back(everything, seen, next); !looked) return looked;
  return claimed_.empty() ? claim_fresh(seen, next) : Result<void>();
}

void SharedConsumer::expire(const Found& found) noexcept {
  const bool purged = found.sequence < entry().start.load(std::memory_order_acquire);
  const bool to_dead_letters = has_dead_letters_ && !purged;
  // Where it fails a lease took it: whoever has it now finds out again.
  const bool passed = to_dead_letters ? group_.expire(found.sequence, found.receipt)
                                      : group_.finish(found.sequence, found.receipt);
  if (passed && !purged) count_expired();
  give_up(found);
  if (to_dead_letters) {
    attachment().ask_service();
  } else {
    move_floor();
  }
}

void SharedConsumer::drop_lost() noexcept {
  const std::uint64_t start = entry().start.load(std::memory_order_acquire);
  while (!claimed_.empty()) {
    const Found found = claimed_.front();
    if (found.sequence >= start && group_.word(found.sequence) == found.receipt) return;
    claimed_.pop_front();
    group_.finish(found.sequence, found.receipt);  // purged; where a lease took it, that fails
    give_up(found);
  }
}

bool SharedConsumer::floor_has_stood() noexcept {
  const std::uint64_t low = group_.low();
  if (low != last_low_ || low >= group_.next()) {
    last_low_ = low;
    low_since_ = 0;
    return false;
  }
  const os::Instant now = os::now();
  if (low_since_ == 0) low_since_ = now;
  if (now - low_since_ < wait::longest_nap) return false;
  low_since_ = now;
  return true;
}

Result<void> SharedConsumer::claim_handed_back(bool from_floor, std::uint64_t seen,
                                               std::uint64_t next) {
  const std::uint64_t lowered = layout::rescan_sequence(seen);
  if (!from_floor && lowered == layout::rescan_none) return {};
  const std::uint64_t low = group_.low();
  const std::uint64_t from = from_floor ? low : std::max(low, lowered);
  const std::uint64_t to = std::min(next, low + group_.window());
  bool is_aside = false;
  for (std::uint64_t s = from; s < to; ++s) {
    const auto standing = group_.standing(s);
    if (standing == SharedGroup::Standing::set_aside) is_aside = true;
    if (standing != SharedGroup::Standing::fresh &&
        standing != SharedGroup::Standing::handed_back) {
      continue;
    }
    const Result<Offer> offered = offer(s);
    if (!offered) return offered.error();
    if (*offered == Offer::claimed) {
      // One at a time: a message that kills whoever has it must not take others along.
      group_.raise_rescan(seen, s + 1);
      return {};
    }
  }
  if (from_floor && is_aside) {  // whoever did that may not have said so
    group_.tell_set_aside();
    attachment().ask_service();
  }
  return {};
}

Result<void> SharedConsumer::claim_fresh(std::uint64_t seen, std::uint64_t next) {
  std::uint64_t low = group_.low();
  std::uint64_t s = std::max(next, low);
  bool skipped = false;
  bool at_end = false;  // behind `s` nobody has claimed anything
  // All that was handed out before is below: nobody raises `next` less than past it.
  set_ahead(s);
  // Bounded: what is not claimed here is passed, and no further than one window.
  for (std::uint64_t steps = 2 * group_.window();
       steps != 0 && claimed_.size() < prefetch_ && s < low + group_.window(); --steps) {
    const auto standing = group_.standing(s);
    if (standing == SharedGroup::Standing::past) {  // the floor was old
      const std::uint64_t before = std::exchange(low, group_.low());
      if (low == before) {  // it is: somebody has put it back
        move_floor();
        low = group_.low();
      }
      s = std::max(s + 1, low);
      continue;
    }
    if (standing == SharedGroup::Standing::handed_back && !claimed_.empty()) break;
    if (standing == SharedGroup::Standing::taken || standing == SharedGroup::Standing::set_aside ||
        standing == SharedGroup::Standing::finished) {
      ++s;
      continue;
    }
    const Result<Offer> offered = offer(s);
    if (!offered) return offered.error();
    at_end = *offered == Offer::nothing;
    if (at_end) break;
    skipped = skipped || *offered == Offer::skipped;
    if (*offered == Offer::lost) {
      low = group_.low();
      s = std::max(s, low);
    } else {
      ++s;
    }
    if (standing == SharedGroup::Standing::handed_back) break;
  }
  at_end = at_end || s >= low + group_.window();
  group_.raise_next(s);
  // Not before: `next` may have been old, and what was handed back lie between it and the present
  // one, where only `rescan` leads to it.
  if (layout::rescan_sequence(seen) != layout::rescan_none) {
    group_.raise_rescan(seen, at_end ? layout::rescan_none : s);
  }
  if (skipped) move_floor();
  return {};
}

Result<SharedConsumer::Offer> SharedConsumer::offer(std::uint64_t s) {
  const Result<Sight> sight = look(s);
  if (!sight) return sight.error();
  switch (sight->seen) {
    case ring::Seen::nothing:
      return Offer::nothing;
    case ring::Seen::gone:
      // Only what every group has finished with leaves the ring, or what is dropped: the floor that
      // was read is old.
      if (const auto passed = pass_dropped(); !passed) return passed.error();
      return group_.low() > s ? Result<Offer>(Offer::lost) : pass_what_is_gone(s);
    case ring::Seen::skipped:
    case ring::Seen::sealed:
      if (sight->lost_until == 0) {
        group_.skip(s);
      } else if (group_.skip(s, layout::Delivery::finished)) {
        count_lost(1);
      }
      return Offer::skipped;
    case ring::Seen::committed:
      break;
  }
  return sight->ring != nullptr ? offer_from_ring(s, *sight->ring) : offer_from_journal(s);
}

/// Only where somebody has put the floor back.
Result<SharedConsumer::Offer> SharedConsumer::pass_what_is_gone(std::uint64_t s) {
  const Result<std::uint64_t> next = behind_what_is_gone(s);
  if (!next) return next.error();
  floor_has_moved(group_.raise_floor(*next));
  return Offer::lost;
}

Result<SharedConsumer::Offer> SharedConsumer::offer_from_ring(std::uint64_t s, Ring& ring) {
  protect(s, ring);
  const auto receipt = group_.claim(s, attachment().owner());
  if (!receipt) {
    unprotect(s);
    return Offer::lost;
  }
  if (ring::still_here(ring.view, s)) {
    claimed(Found{s, *receipt, &ring, nullptr, layout::unpacked(*receipt).count});
    return Offer::claimed;
  }
  // Between the look and the claim it was purged or dropped, or it went to the journal.
  unprotect(s);
  return settle_elsewhere(s, *receipt);
}

Result<SharedConsumer::Offer> SharedConsumer::offer_from_journal(std::uint64_t s) {
  const auto receipt = group_.claim(s, attachment().owner());
  return receipt ? settle_elsewhere(s, *receipt) : Offer::lost;
}

/// What becomes of a claim whose message is not in a ring.
Result<SharedConsumer::Offer> SharedConsumer::settle_elsewhere(std::uint64_t s,
                                                               std::uint64_t receipt) {
  const Result<Sight> sight = look_in_journal(s);
  if (!sight) {
    group_.hand_back(s, receipt, false);
    return sight.error();
  }
  if (sight->seen == ring::Seen::committed) {
    claimed(Found{s, receipt, nullptr, sight->block, layout::unpacked(receipt).count});
    return Offer::claimed;
  }
  const bool lost = sight->lost_until != 0;
  if (drops() && !lost) {
    // If it is not dropped after all, it comes again.
    group_.hand_back(s, receipt, false);
    if (const auto passed = pass_dropped(); !passed) return passed.error();
    return Offer::lost;
  }
  const bool purged = s < entry().start.load(std::memory_order_acquire);
  if (sight->seen == ring::Seen::gone && !purged) {
    // Where a lease took it, somebody else has finished it. Else its group needs it, so it is
    // nowhere gone: a producer may have said so.
    return group_.hand_back(s, receipt, false) ? pass_what_is_gone(s) : Offer::lost;
  }
  if (group_.finish(s, receipt) && lost) count_lost(1);
  return Offer::skipped;
}

void SharedConsumer::claimed(const Found& found) {
  begin_view(found);
  claimed_.push_back(found);
}

bool SharedConsumer::worth_a_look() const noexcept {
  // relaxed: it changes only while the handle's thread is not asleep, and nobody rings for it.
  if (ahead_.load(std::memory_order_relaxed) != 0) return true;
  if (layout::rescan_sequence(group_.rescan()) != layout::rescan_none) return true;
  const std::uint64_t low = group_.low();
  if (drops() && is_dropped(low)) return true;
  const std::uint64_t s = std::max(group_.next(), low);
  if (s >= low + group_.window()) return false;
  switch (group_.standing(s)) {
    case SharedGroup::Standing::fresh:
    case SharedGroup::Standing::handed_back:
      return may_be_there(s);
    default:
      return true;  // `next` is behind: take() moves it
  }
}

std::uint64_t SharedConsumer::obstacle() const noexcept {
  const std::uint64_t low = group_.low();
  const std::uint64_t next = std::max(group_.next(), low);
  if (next < low + group_.window() && is_stuck_at(next)) return next;
  const std::uint64_t lease =
      __atomic_load_n(&attachment().manifest().lease_ns, __ATOMIC_RELAXED);  // it can be set
  return lease != 0 && low < next ? low : 0;
}

Code SharedConsumer::finish(std::uint64_t s, std::uint64_t receipt) noexcept {
  // Purged while it was held: finished it is, but not by this.
  const bool purged = s < entry().start.load(std::memory_order_acquire);
  if (!group_.finish(s, receipt)) return Code::stale;
  move_floor();
  return purged ? Code::stale : Code::ok;
}

Code SharedConsumer::hand_back(std::uint64_t s, std::uint64_t receipt,
                               std::uint64_t delay_ms) noexcept {
  if (s < entry().start.load(std::memory_order_acquire)) return finish(s, receipt);
  if (!group_.hand_back(s, receipt, true, delay_ms)) return Code::stale;
  if (group_.is_set_aside()) attachment().ask_service();
  wait::ring(attachment().bells().data);
  return Code::ok;
}

void SharedConsumer::move_floor() noexcept { floor_has_moved(group_.move_floor()); }

void SharedConsumer::floor_has_moved(group::Moved moved) noexcept {
  if (moved.from != moved.to) {
    attachment().ring_room(moved.from, moved.to);  // after the floor's swap, which is the fence
    floor_moved(moved);
  }
  // Members that had come to the end of the window can go on.
  if (moved.to != moved.from && group_.next() >= moved.from + group_.window()) {
    wait::ring(attachment().bells().data);
  }
}

void SharedConsumer::leave() noexcept {
  for (const Found& found : claimed_) {
    group_.hand_back(found.sequence, found.receipt, false);
    give_up(found);
  }
  claimed_.clear();
  ahead_.store(0, std::memory_order_relaxed);
  rest();
  wait::ring(attachment().bells().data);
}

}  // namespace spillring::client
