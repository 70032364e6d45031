// How a queue's oldest messages get from its rings to its journal.
//
// The supervisor reads the ring as a consumer does, under hold 0. A hold that is stored before
// `gone` is read protects everything from there on (ring/reclaim.hpp, B1); what lies below was
// finished by every group, or is in the journal. `journaled` rises when a batch is written, never
// before, so what is below it is in no ring's keeping any more. A batch that is cut short by the
// supervisor's death was never counted: the next one writes the same numbers again, to a file of
// its own.
#include <fmt/format.h>

#include <algorithm>

#include "log.hpp"
#include "queue.hpp"
#include "ring/extent.hpp"
#include "ring/reclaim.hpp"

namespace spillring::daemon {

namespace {

// Of the newest ring, in eighths: spilling begins above the one and ends below the other.
constexpr std::uint64_t high_water = 6;
constexpr std::uint64_t low_water = 4;

// A claim is in the way: it is published soon, or revoked.
constexpr os::Instant look_again_after = 1'000'000;

layout::Entry entry_of(const layout::Descriptor& descriptor, layout::Published state) {
  const auto once = [](const auto& field) { return __atomic_load_n(&field, __ATOMIC_RELAXED); };
  layout::Entry entry{};
  entry.state = static_cast<std::uint64_t>(state);
  if (state != layout::Published::committed) return entry;
  entry.start = once(descriptor.start);
  entry.timestamp = once(descriptor.timestamp);
  entry.size = once(descriptor.size);
  entry.metadata_size = once(descriptor.metadata_size);
  entry.flags = once(descriptor.flags) & layout::payload_inline;
  if (entry.flags != 0) std::copy_n(descriptor.bytes, layout::inline_size, entry.bytes);
  return entry;
}

/// Adds a message's bytes to the batch. False: it does not lie where its claim says.
bool add_bytes(journal::Batch& batch, layout::Entry& entry, const ring::RingView& ring,
               std::uint64_t low, std::uint64_t high) {
  if (entry.flags != 0) {
    entry.start = 0;
    return entry.size <= layout::inline_size && entry.metadata_size == 0;
  }
  const std::uint64_t lead = ring::whole_units(entry.metadata_size);
  if (entry.metadata_size > layout::max_metadata || high < low || high - low > ring.arena() ||
      entry.start < low || entry.start - low < lead || entry.start > high ||
      entry.size > high - entry.start) {
    return false;
  }
  const std::uint64_t from = entry.start - lead;
  const std::uint64_t size = ring::whole_units(lead + entry.size);
  entry.start = batch.data + lead;
  batch.data += size;
  if (size == 0) return true;
  const std::byte* bytes = ring.bytes(from);
  if (!batch.pieces.empty()) {
    journal::Piece& last = batch.pieces.back();
    if (last.data() + last.size() == bytes && last.size() + size <= ring.arena()) {
      last = {last.data(), last.size() + size};
      return true;
    }
  }
  batch.pieces.emplace_back(bytes, size);
  return true;
}

}  // namespace

std::uint64_t Queue::free_until() const noexcept { return ring::free_until(manifest(), cursors()); }

/// Where not everything is written, what every group has finished with is not.
std::uint64_t Queue::unwritten_from() const noexcept {
  const std::uint64_t journaled = manifest().journaled.load(std::memory_order_relaxed);
  return follows() ? journaled : std::max(needed(), journaled);
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

/// The numbers from the first one that is not in the journal yet, up to one that is only claimed,
/// or the end of their ring. Stores the hold that keeps their bytes. Empty: there is nothing.
journal::Batch Queue::next_batch() {
  journal::Batch batch;
  auto& hold = cursors().holds[0].sequence;
  const std::uint64_t least = unwritten_from();
  if (least >= tail()) return batch;
  // SYNC POINT WRITE: hold. seq_cst: before the look at `gone` (ring/reclaim.hpp, B1).
  hold.store(least, std::memory_order_seq_cst);
  const auto ring = ring_with(least);
  const ring::RingView& view = ring->view();
  // `gone` goes no further than what was free when it was raised. It may be forged: what groups
  // still need from the journal must not be passed over.
  const std::uint64_t gone = view.header().gone.load(std::memory_order_seq_cst);
  batch.first = std::max({least, view.first(), std::min(gone, free_until())});
  const std::uint64_t goal = std::min(batch_goal(), view.arena() / 4);
  std::uint64_t low = view.claim(batch.first - 1).end.load(std::memory_order_acquire);
  for (std::uint64_t s = batch.first; batch.data < goal; ++s) {
    if (batch.entries.size() == std::min<std::uint64_t>(layout::most_in_batch, view.slots() / 4)) {
      break;
    }
    const std::uint64_t word = view.descriptor(s).published.load(std::memory_order_acquire);
    if (layout::publish_lap(word) != view.lap(s)) break;  // only claimed, or not even that
    const layout::Published state = layout::publish_state(word);
    const std::uint64_t high = view.claim(s).end.load(std::memory_order_acquire);
    layout::Entry entry = entry_of(view.descriptor(s), state);
    if (state == layout::Published::committed && !add_bytes(batch, entry, view, low, high)) {
      throw Error(Code::corrupt, fmt::format("message {} does not lie where it was claimed", s));
    }
    if (state == layout::Published::committed) {
      ++batch.messages;
      batch.message_bytes += entry.size + std::uint64_t{entry.metadata_size};
    }
    batch.entries.push_back(entry);
    if (state == layout::Published::sealed) break;
    low = high;
  }
  return batch;
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
  if (journal_->empty()) return os::never;
  const std::uint64_t wall_clock = os::wall_clock();
  const std::uint64_t needed = this->needed();
  const bool history = retention().any();
  const std::uint64_t least =
      history ? std::min(needed, journal_->retained_from(retention(), wall_clock)) : needed;
  const std::uint64_t before = journal_->segments();
  const bool all = least >= manifest().journaled.load(std::memory_order_relaxed);
  journal_->drop_below(least, all && !follows());  // what goes on keeps its file
  if (journal_->segments() != before) {            // not too often, and not too late
    charge_journal();
    for (const auto& group : group_table_) {
      if (group) remember_group(*group);
    }
  }
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
    follow();
  } else if (spills()) {
    next = std::min(next, spill(now));
  }
  return disk_rests_until_ > now ? std::min(next, disk_rests_until_) : next;
}

os::Instant Queue::spill(os::Instant now) {
  if (!wants_to_spill(now)) {
    end_alarm();
    release_hold();
    set_alert();
    return os::never;
  }
  journal::Batch batch = next_batch();
  if (batch.entries.empty()) {
    release_hold();
    return os::after(now, look_again_after);
  }
  write(std::move(batch));
  return os::never;
}

/// Writes what there is. Where there is nothing, the next publish is to say so; the look after that
/// was stored, and the publisher's look after its publish, leave no gap (as in wait/bell.hpp, W1).
void Queue::follow() {
  journal::Batch batch = next_batch();
  if (batch.entries.empty()) {
    // SYNC POINT WRITE: follow_from.
    manifest().follow_from.store(unwritten_from(), std::memory_order_seq_cst);
    batch = next_batch();
  }
  if (batch.entries.empty()) {
    end_alarm();
    return release_hold();
  }
  manifest().follow_from.store(layout::no_sequence, std::memory_order_seq_cst);
  if (const std::uint64_t age = retention().nanoseconds; age != 0) {
    journal_->rotate_before(os::wall_clock() - std::min(age / 4, os::wall_clock()));
  }
  write(std::move(batch));
}

void Queue::write(journal::Batch batch) {
  if (!may_begin_file(journal_->file_for(batch))) return release_hold();
  const Spilled spilled{batch.end(), batch.messages, batch.message_bytes};
  auto ring = ring_with(batch.first);
  journal_->append(
      std::move(batch), std::move(ring), is_durable(),
      [this, spilled](const std::exception_ptr& failure) { written(spilled, failure); });
}

void Queue::release_hold() noexcept {
  cursors().holds[0].sequence.store(layout::no_sequence, std::memory_order_seq_cst);
}

void Queue::raise_journaled(std::uint64_t end) noexcept {
  if (manifest().journaled.load(std::memory_order_relaxed) >= end) return;
  // SYNC POINT WRITE: journaled. seq_cst: before the bells are rung (wait/bell.hpp, W1), and
  // before the hold is raised: what is below it is read from the journal from now on.
  ring::raise(manifest().journaled, end);
  ring_bells();
}

void Queue::written(const Spilled& spilled, const std::exception_ptr& failure) {
  if (coming_ != nullptr) {
    coming_.reset();
    charge_journal();
  }
  if (failure) {
    release_hold();
    disk_failed(failure);
  } else {
    end_alarm();
    spilled_ += spilled.messages;
    spilled_bytes_ += spilled.bytes;
    raise_journaled(spilled.end);
    cursors().holds[0].sequence.store(spilled.end, std::memory_order_seq_cst);
  }
  if (on_written_) on_written_();
}

void Queue::disk_failed(const std::exception_ptr& failure) noexcept {
  try {
    std::rethrow_exception(failure);
  } catch (const Error& error) {
    raise_alarm(error.code() == Code::no_space ? DiskAlarm::full : DiskAlarm::error,
                fmt::format("{}: {}", error.summary(), error.why()));
  } catch (const std::exception& error) {
    raise_alarm(DiskAlarm::error, error.what());
  }
}

}  // namespace spillring::daemon
