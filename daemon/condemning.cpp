// A ring that is proven to be damaged is condemned, and its queue goes on in another.
//
// Nothing that producers write in it is believed from then on: no seal, no `limit`, no message.
// What is lost comes from words that they cannot write, so it is the same for everybody. Each step
// is a store in M, and what is in M says which one comes next, whoever takes over:
//
//   1  condemned[its place] = its name        from here on nothing in it is `ok`; no copy begins
//   2  it was the newest: first[a free place] = z + 1, where z is the greatest number that it can
//      have given out (last_of_newest)
//   3  the journal has come to it, and no copy is under way: the log says which numbers are lost;
//      lost_until = its end; then `journaled` = its end; the bells
//
// Its name stays until every group is past its end: older rings, and what the journal has of it,
// are read on, and each group counts for itself what it has not got of the rest.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "layout/last_sequence.hpp"
#include "log.hpp"
#include "queue.hpp"
#include "ring/claim.hpp"

namespace spillring::daemon {

namespace {

// Who damages rings on purpose may go on with that: each time costs a ring's memory.
constexpr os::Instant within = 60'000'000'000;

// While there is no memory for another ring, or no place.
constexpr os::Instant tried_again_after = 1'000'000'000;

// Floors are written by consumers: how far one may be ahead of what is known of it. Rings are
// looked at seldom while all is well, so this is the work of days.
constexpr std::uint64_t furthest_floor = std::uint64_t{1} << 40;

// How far damage may have led claimers beyond what was free: each number has to be passed by each
// group. Only somebody who forges slots in pairs leads them further.
constexpr std::uint64_t furthest_led = std::uint64_t{1} << 22;

}  // namespace

bool Queue::is_condemned(const RingSegment& ring) const noexcept {
  const std::uint64_t name = ring.view().first();
  const auto* const word = layout::condemned_word(manifest(), name);
  return word != nullptr && layout::is_condemned(*word, name);
}

/// So many in a minute are passed over, then the queue is given up.
bool Queue::may_condemn(os::Instant now) noexcept {
  os::Instant& oldest = condemned_at_[condemned_count_ % condemned_at_.size()];
  if (oldest != 0 && now - oldest < within) return false;
  oldest = now;
  ++condemned_count_;
  return true;
}

/// REQUIRES: it is the newest, or no copy is under way. consider_condemned() goes on.
void Queue::condemn_ring(const RingSegment& ring, const std::string& why) noexcept {
  layout::Manifest& m = manifest();
  const std::uint64_t name = ring.view().first();
  auto* const word = layout::condemned_word(m, name);
  // Let go of while it was copied: nobody needs it any more.
  if (word == nullptr || layout::is_condemned(*word, name)) return;
  // Where the oldest are dropped, producers alone say what is.
  if (drops_oldest()) return poison(why);
  if (!may_condemn(os::now())) {
    return poison(fmt::format("{} rings of it were damaged within a minute, and now {}",
                              condemned_at_.size(), why));
  }
  log(fmt::format("queue '{}': its ring {} is damaged and given up: {}", name_, name, why));
  // Its readers go on at once where lost_until is behind it already.
  const std::uint64_t end = end_of(ring);
  if (!follows() && end <= m.lost_until.load(std::memory_order_relaxed)) {
    const std::uint64_t journaled = m.journaled.load(std::memory_order_relaxed);
    say_lost_with(ring, std::max({name, journaled, needed()}), end);
  }
  // SYNC POINT WRITE: condemned. seq_cst: before floors and claims are looked at for its end, and
  // against the looks of claimers and publishers behind their swaps.
  word->store(name, std::memory_order_seq_cst);
  ring_bells();
  os::signal_event(service_);
}

void Queue::say_lost_with(const RingSegment& ring, std::uint64_t from,
                          std::uint64_t end) const noexcept {
  if (from >= end) return;
  log(fmt::format("queue '{}': the numbers {} to {} are lost with its ring {}", name_, from,
                  end - 1, ring.view().first()));
}

/// no_sequence: there is no ring behind it.
std::uint64_t Queue::end_of(const RingSegment& ring) const noexcept {
  const auto next = std::find_if(rings_.begin(), rings_.end(), [&](const auto& other) {
    return other->view().first() > ring.view().first();
  });
  return next == rings_.end() ? layout::no_sequence : (*next)->view().first();
}

/// No message of the newest ring that was `ok` has a greater number: `limit` passes no group and
/// not what the journal has yet to get, and no claim is N - 1 numbers beyond `limit`. Where damage
/// has led claimers beyond that, their claims say so. no_sequence: nothing of that can be believed.
/// Looked for once, behind the mark: else what is concluded from it would lead it further.
std::uint64_t Queue::last_of_newest() const noexcept {
  if (!last_of_condemned_) last_of_condemned_ = find_last_of_newest();
  return *last_of_condemned_;
}

std::uint64_t Queue::find_last_of_newest() const noexcept {
  const layout::Manifest& m = manifest();
  const ring::RingView& view = newest().view();
  const std::uint64_t base = m.base.load(std::memory_order_seq_cst);
  std::uint64_t furthest = std::max(view.first(), m.journaled.load(std::memory_order_seq_cst));
  if (base != layout::no_sequence) furthest = std::max(furthest, base);
  for (std::uint16_t slot = 0; slot < layout::max_groups; ++slot) {
    if (group_table_[slot]) {
      furthest = std::max({furthest, group_table_[slot]->finished, m.groups[slot].start.load()});
    }
  }
  if (furthest > layout::last_sequence) return layout::no_sequence;
  const std::uint64_t most = furthest + furthest_floor;
  bool is_bounded = follows() || base != layout::no_sequence;
  for (std::uint16_t slot = 0; slot < layout::max_groups; ++slot) {
    if (!group_table_[slot] || is_removed(slot)) continue;
    is_bounded = true;
    const std::uint64_t floor = cursors().cursors[slot].floor.load(std::memory_order_seq_cst);
    furthest = std::max(furthest, std::min(floor, most));
  }
  // Else nobody is there to whom one of its numbers could come twice.
  if (!is_bounded) furthest = std::max(furthest, std::min(view.header().limit.load(), most));
  return ring::furthest_claim(view, furthest + view.slots() - 1, furthest_led);
}

bool Queue::replace_condemned() noexcept try {
  const std::uint64_t last = last_of_newest();
  if (last >= layout::last_sequence) {
    poison("its numbers have come to their end");
    return false;
  }
  // Who keeps damaged rings mapped keeps memory that is on nobody's account.
  if (!may_replace_pinned()) {
    throw Error(Code::busy,
                fmt::format("its clients keep {} rings that were replaced", pinned_rings_.size()));
  }
  auto& place = free_place();
  const std::uint64_t name = newest().view().first();
  add_ring(new_ring(newest().geometry()), last + 1, place);
  pinned_rings_.insert(name);
  write_pinned();
  cannot_replace_ = false;
  return true;
} catch (const std::exception& failure) {
  if (!std::exchange(cannot_replace_, true)) {
    log(fmt::format("queue '{}' waits for another ring: {}", name_, failure.what()));
  }
  return false;
}

/// What is lost with a condemned ring that ends at `end`.
void Queue::pass_condemned(const RingSegment& ring, std::uint64_t end) noexcept {
  layout::Manifest& m = manifest();
  const std::uint64_t first = ring.view().first();
  const std::uint64_t journaled = m.journaled.load(std::memory_order_relaxed);
  const bool has_come = journaled >= first;
  // What is older goes to the journal first. Where it is behind the ring, it has all of that.
  if (journaled >= end || (follows() && !has_come)) return;
  const bool is_new = m.lost_until.load(std::memory_order_relaxed) < end;
  if (is_new) {
    const std::uint64_t from = std::max(first, journaled);
    say_lost_with(ring, follows() ? from : std::max(from, needed()), end);
    // SYNC POINT WRITE: lost_until, then journaled. seq_cst. In this order: who sees that
    // `journaled` is behind a number sees whether it was lost.
    m.lost_until.store(end, std::memory_order_seq_cst);
  }
  const bool goes_on = has_come && journal_ != nullptr;
  if (goes_on) {
    journal_->pass(end);
    m.journaled.store(end, std::memory_order_seq_cst);
  }
  if (is_new || goes_on) ring_bells();
}

/// Goes on with what was begun, by this supervisor or one before. Returns when to try again.
os::Instant Queue::consider_condemned(os::Instant now) noexcept {
  // A copy that is under way may still raise `journaled`. It comes back when that is done.
  if (is_writing()) return os::never;
  os::Instant next = os::never;
  if (is_condemned(newest()) && !replace_condemned()) next = os::after(now, tried_again_after);
  for (std::size_t i = 0; i + 1 < rings_.size(); ++i) {
    if (is_condemned(*rings_[i])) pass_condemned(*rings_[i], rings_[i + 1]->view().first());
  }
  return next;
}

/// Whether the journal has come to a ring that is condemned. That is passed before anything is
/// written behind it: where numbers are left out, the journal begins anew.
bool Queue::has_to_pass() const noexcept {
  const std::uint64_t journaled = manifest().journaled.load(std::memory_order_relaxed);
  const auto ring = ring_with(journaled);
  return journaled >= ring->view().first() && is_condemned(*ring);
}

/// `s`, or the first number behind it that is not known to be lost in a condemned ring.
std::uint64_t Queue::behind_what_is_lost(std::uint64_t s) const noexcept {
  const std::uint64_t lost_until = manifest().lost_until.load(std::memory_order_relaxed);
  for (const auto& ring : rings_) {
    const std::uint64_t end = end_of(*ring);
    const bool is_in = ring->view().first() <= s && s < end;
    if (is_in && end <= lost_until && is_condemned(*ring)) s = end;
  }
  return s;
}

}  // namespace spillring::daemon
