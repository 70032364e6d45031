// How a queue's oldest messages get from its rings to its journal.
//
// Here the loop decides what and when; ring_to_journal.cpp copies. The supervisor reads the ring as
// a consumer does, under hold 0. A hold that is stored before `gone` is read protects everything
// from there on (ring/reclaim.hpp, B1); what lies below was finished by every group, or is in the
// journal. A batch that is cut short by the supervisor's death was never counted: the next one
// writes the same numbers again, to a file of its own.
#include <fmt/format.h>

#include <algorithm>

#include "journal/names.hpp"
#include "log.hpp"
#include "queue.hpp"
#include "ring/reclaim.hpp"
#include "wait/room.hpp"

namespace spillring::daemon {

namespace {

// Of the newest ring, in eighths: spilling begins above the one and ends below the other.
constexpr std::uint64_t high_water = 6;
constexpr std::uint64_t low_water = 4;

// A claim is in the way: it is published soon, or revoked.
constexpr os::Instant look_again_after = 1'000'000;

constexpr os::Instant nanoseconds_of_ms = 1'000'000;

// Where the catalogue cannot be written.
constexpr os::Instant remembered_again_after = 1'000'000'000;

// After so many bytes the loop looks whether there is still a need to spill, or anything else to
// do.
constexpr std::uint64_t written_at_once = 16 * 1024 * 1024;

}  // namespace

/// Where not everything is written, what every group has finished with is not.
std::uint64_t Queue::unwritten_from() const noexcept {
  const std::uint64_t journaled = manifest().journaled.load(std::memory_order_relaxed);
  return behind_what_is_lost(follows() ? journaled : std::max(needed(), journaled));
}

std::uint64_t Queue::earliest() const noexcept {
  const std::uint64_t needed = std::min(this->needed(), tail());
  if (!retention().any()) return needed;
  // What the journal does not have yet is in a ring.
  const std::uint64_t journaled = manifest().journaled.load(std::memory_order_relaxed);
  return std::min(needed, journal_->empty() ? journaled : journal_->first());
}

std::shared_ptr<RingSegment> Queue::ring_with(std::uint64_t s) const noexcept {
  const auto behind = std::find_if(rings_.begin(), rings_.end(),
                                   [s](const auto& ring) { return ring->view().first() > s; });
  return behind == rings_.begin() ? *behind : *std::prev(behind);
}

/// How much of the newest ring nobody but its readers keeps from being used again, in eighths.
Queue::Use Queue::use_of_newest() const noexcept {
  const ring::RingView& view = newest().view();
  const auto used = ring::in_use(view);
  if (!used) return {};
  const std::uint64_t from = std::clamp(free_until(), used->first, used->end);
  const std::uint64_t low = view.claim(from - 1).end.load(std::memory_order_acquire);
  const std::uint64_t bytes = used->high > low ? std::min(used->high - low, view.arena()) : 0;
  return {bytes * 8 / view.arena(), (used->end - from) * 8 / view.slots()};
}

/// The next time that somebody claims beyond this, it is worth another look.
void Queue::set_alert() noexcept {
  const ring::RingView& view = newest().view();
  const auto used = ring::in_use(view);
  if (!used) return;
  const std::uint64_t from = std::clamp(free_until(), used->first, used->end);
  const std::uint64_t low = view.claim(from - 1).end.load(std::memory_order_acquire);
  layout::Manifest& m = manifest();
  m.alert_sequence.store(from + view.slots() / 8 * high_water, std::memory_order_relaxed);
  m.alert_position.store(low + view.arena() / 8 * high_water, std::memory_order_relaxed);
}

/// From the first number on that is not in the journal yet; stores the hold that keeps the bytes.
/// nullopt: it is not published.
std::optional<RingToJournal::Plan> Queue::plan_copy() {
  auto& hold = cursors().holds[0].sequence;
  const std::uint64_t least = unwritten_from();
  if (least >= tail() || has_to_pass()) return std::nullopt;
  RingToJournal::Plan plan{memory_, ring_with(least)};
  if (is_condemned(*plan.ring)) return std::nullopt;
  plan.until = end_of(*plan.ring);  // where M says that it is, whatever is published behind that
  // SYNC POINT WRITE: hold. seq_cst: before the look at `gone` (ring/reclaim.hpp, B1).
  hold.store(least, std::memory_order_seq_cst);
  plan.sync = is_durable() && options_.sync_ms != layout::sync_never;
  plan.once = plan.sync && options_.sync_ms != 0;
  const ring::RingView& view = plan.ring->view();
  // `gone` goes no further than what was free when it was raised. It may be forged: what groups
  // still need from the journal must not be passed over.
  const std::uint64_t gone = view.header().gone.load(std::memory_order_seq_cst);
  plan.from = std::max({least, view.first(), std::min(gone, free_until())});
  if (!is_published(view, plan.from)) return std::nullopt;
  return plan;
}

bool Queue::spills() const noexcept {
  return journal_ != nullptr && options_.full == static_cast<std::uint8_t>(Full::spill);
}

bool Queue::is_durable() const noexcept {
  return options_.durability == static_cast<std::uint8_t>(Durability::disk);
}

bool Queue::follows() const noexcept { return layout::follows(manifest()); }

/// Whether something is to be written now.
bool Queue::wants_to_spill(os::Instant now) noexcept {
  const Use used = use_of_newest();
  // A larger ring comes first, where there may still be one with more of what runs out.
  const std::uint32_t growth = manifest().can_grow.load(std::memory_order_relaxed);
  const std::uint64_t mark = room_is_wanted(now) ? low_water : high_water;
  const bool few_bytes = used.bytes >= mark && (growth & layout::more_bytes) == 0;
  const bool few_slots = used.slots >= mark && (growth & layout::more_slots) == 0;
  const bool older = rings_.size() > 1 && free_until() < newest().view().first();
  if (few_bytes || few_slots) spilling_ = true;
  if (std::max(used.bytes, used.slots) < low_water && !older) spilling_ = false;
  return spilling_;
}

os::Instant Queue::drop_what_is_read(os::Instant now) noexcept {
  const os::Instant next = drop_what_nobody_needs(now);
  const os::Instant removal = journal_->remove_what_is_over(now);
  charge_journal();
  return std::min(next, removal);
}

os::Instant Queue::drop_what_nobody_needs(os::Instant now) noexcept {
  if (journal_->empty()) return os::never;
  const std::uint64_t wall_clock = os::wall_clock();
  const std::uint64_t needed = this->needed();
  const bool history = retention().any();
  const std::uint64_t least =
      history ? std::min(needed, journal_->retained_from(retention(), wall_clock)) : needed;
  const bool all = least >= manifest().journaled.load(std::memory_order_relaxed);
  // What goes on keeps its file. Groups are noted not too often, and before the files go: whatever
  // of a file is needed as they were noted is there, or was removed by somebody else.
  const bool ends = all && !follows();
  const bool any = journal_->has_below(least, ends);
  if (any && now < files_rest_until_) return files_rest_until_;
  // Of a queue that is not durable the note is no more than the groups' places: what it would not
  // find any more after the death of everything it does not look for.
  if (any && !remember_all_groups() && is_durable()) {
    return files_rest_until_ = os::after(now, remembered_again_after);
  }
  files_rest_until_ = 0;
  if (any) journal_->drop_below(least, ends);
  const std::uint64_t expiry = journal_->expires_at(retention());
  if (expiry == UINT64_MAX) return os::never;
  // At least a second: what has expired may be needed all the same.
  const std::uint64_t left = expiry > wall_clock ? expiry - wall_clock : 0;
  return os::after(now, std::max<std::uint64_t>(left, 1'000'000'000));
}

os::Instant Queue::consider_journal(os::Instant now) {
  if (journal_ == nullptr) return os::never;
  os::Instant next = std::min(drop_what_is_read(now), remember_groups(now));
  if (journal_->busy()) return next;
  if (now < disk_rests_until_) return std::min(next, disk_rests_until_);
  if (follows()) {
    next = std::min(next, follow(now));
  } else if (spills()) {
    next = std::min(next, spill(now));
  }
  return disk_rests_until_ > now ? std::min(next, disk_rests_until_) : next;
}

Journal::Segment Queue::segment_of(std::uint64_t s) const {
  Journal::Segment segment = journal_->segment_of(s);
  if (segment.lost != 0) {
    log(fmt::format(
        "queue '{}': somebody has removed {} from its journal, and so the messages {} to {}", name_,
        journal::segment_name(segment.first), segment.first, segment.lost - 1));
  }
  return segment;
}

os::Instant Queue::spill(os::Instant now) {
  if (!wants_to_spill(now)) {
    end_alarm();
    release_hold();
    set_alert();
    return os::never;
  }
  auto plan = plan_copy();
  if (!plan) {
    release_hold();
    return os::after(now, look_again_after);
  }
  // What is above the low mark, of bytes or of slots, and at least a quarter.
  const ring::RingView& view = plan->ring->view();
  const Use used = use_of_newest();
  const std::uint64_t above = std::max({used.bytes, used.slots, low_water + 1}) + 1 - low_water;
  plan->most = std::min(written_at_once, view.arena() / 8 * above);
  plan->until = std::min(plan->until, plan->from + view.slots() / 8 * above);
  copy(*std::move(plan));
  return os::never;
}

/// Where syncs have an interval: when the next one may be. At once, if somebody needs the room.
os::Instant Queue::syncs_again_at(os::Instant now) noexcept {
  if (now >= sync_rests_until_) return now;
  const Use used = use_of_newest();
  const bool short_of_room = std::max(used.bytes, used.slots) >= low_water || room_is_wanted(now);
  return short_of_room || rings_.size() > 1 ? now : sync_rests_until_;
}

/// Writes what there is. Where there is nothing, the next publish is to say so; the look after that
/// was stored, and the publisher's look after its publish, leave no gap (as in wait/bell.hpp, W1).
os::Instant Queue::follow(os::Instant now) {
  auto plan = plan_copy();
  if (!plan) {
    // SYNC POINT WRITE: follow_from.
    manifest().follow_from.store(unwritten_from(), std::memory_order_seq_cst);
    plan = plan_copy();
  }
  if (!plan) {
    end_alarm();
    release_hold();
    return os::never;
  }
  manifest().follow_from.store(layout::no_sequence, std::memory_order_seq_cst);
  if (const os::Instant then = syncs_again_at(now); then > now) {
    release_hold();
    set_alert();
    return then;
  }
  if (const std::uint64_t age = retention().nanoseconds; age != 0) {
    const std::uint64_t wall_clock = os::wall_clock();
    plan->new_file = journal_->was_begun_before(wall_clock - std::min(age / 4, wall_clock));
  }
  plan->most = written_at_once;
  copy(*std::move(plan));
  return os::never;
}

/// A file is begun only where the loop has said so: a copy that needs one comes back for that.
void Queue::copy(RingToJournal::Plan plan) {
  if (wanted_file_ != 0) {
    if (!may_begin_file(wanted_file_)) return release_hold();
    plan.file = std::exchange(wanted_file_, 0);
  }
  plan.batch_goal = batch_goal();
  const auto report = std::make_shared<RingToJournal::Report>();
  const std::uint64_t first = plan.from;
  const std::shared_ptr<RingSegment> ring = plan.ring;
  journal_->write(
      first, RingToJournal(std::move(plan), report),
      [this, report, ring](const std::exception_ptr& failure) { copied(*report, *ring, failure); });
}

/// It may have been all that was in the way of room.
void Queue::release_hold() noexcept {
  auto& hold = cursors().holds[0].sequence;
  if (hold.exchange(layout::no_sequence, std::memory_order_seq_cst) == layout::no_sequence) return;
  wait::ring_room(manifest(), bells(), 0, layout::no_sequence - 1);
}

void Queue::copied(const RingToJournal::Report& report, const RingSegment& ring,
                   const std::exception_ptr& failure) {
  if (coming_ != nullptr) {
    coming_.reset();
    charge_journal();
  }
  spilled_ += report.messages;
  spilled_bytes_ += report.bytes;
  wanted_file_ = report.wanted_file;
  if (failure) {
    release_hold();
    copy_failed(ring, failure);
  } else if (report.progress) {
    end_alarm();
    if (options_.sync_ms != layout::sync_never) {
      sync_rests_until_ = os::after(os::now(), options_.sync_ms * nanoseconds_of_ms);
    }
  }
  if (on_written_) on_written_();
}

void Queue::copy_failed(const RingSegment& ring, const std::exception_ptr& failure) noexcept {
  try {
    std::rethrow_exception(failure);
  } catch (const Error& error) {
    if (error.code() == Code::corrupt) return condemn_ring(ring, error.summary());
    if (error.code() == Code::stale && examine(ring)) return;
    raise_alarm(error.code() == Code::no_space ? DiskAlarm::full : DiskAlarm::error,
                fmt::format("{}: {}", error.summary(), error.why()));
  } catch (const std::exception& error) {
    raise_alarm(DiskAlarm::error, error.what());
  }
}

}  // namespace spillring::daemon
