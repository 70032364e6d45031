#include "ring_to_journal.hpp"

#include <fmt/format.h>
#include <sched.h>

#include <algorithm>
#include <utility>

#include "os/clock.hpp"
#include "ring/extent.hpp"
#include "spillring/error.hpp"
#include "wait/room.hpp"

namespace spillring::daemon {

namespace {

layout::Entry entry_of(const layout::Descriptor& descriptor, layout::Published state) {
  const auto once = [](const auto& field) { return __atomic_load_n(&field, __ATOMIC_RELAXED); };
  layout::Entry entry{};
  entry.state = static_cast<std::uint64_t>(state);
  if (state != layout::Published::committed) return entry;
  entry.start = once(descriptor.start);
  entry.timestamp = once(descriptor.timestamp);
  entry.size = once(descriptor.size);
  entry.metadata_size = once(descriptor.metadata_size);
  constexpr std::uint32_t in_descriptor = layout::payload_inline | layout::expires;
  entry.flags = once(descriptor.flags) & (in_descriptor | layout::batch);
  if ((entry.flags & in_descriptor) != 0) {
    std::copy_n(descriptor.bytes, layout::inline_size, entry.bytes);
  }
  return entry;
}

/// Adds a message's bytes to the batch. False: it does not lie where its claim says.
bool add_bytes(journal::Batch& batch, layout::Entry& entry, const ring::RingView& ring,
               std::uint64_t low, std::uint64_t high) {
  if ((entry.flags & layout::payload_inline) != 0) {
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

// One sync serves all that was written before it, so it pays to wait for those that the last one
// has woken, who may send again at once: while they keep coming, up to this part of the time that
// the sync took. `a_turn` is what it takes one of them to be scheduled.
constexpr os::Instant part_of_a_sync = 4;
constexpr os::Instant a_turn = 50'000;

void wait_for_those_woken(const ring::RingView& ring, std::uint64_t from, std::uint64_t count,
                          os::Instant took) noexcept {
  os::Instant now = os::now();
  const os::Instant until = now + std::max(took / part_of_a_sync, a_turn);
  os::Instant given_up_at = now + a_turn;
  for (std::uint64_t s = from; s < from + count && now < std::min(until, given_up_at);) {
    if (is_published(ring, s)) {
      ++s;
      given_up_at = now + a_turn;
    } else {
      ::sched_yield();
    }
    now = os::now();
  }
}

/// J5: nothing from `s` on has been written over until now.
void require_untouched(const ring::RingView& ring, std::uint64_t s) {
  // seq_cst: after the bytes were read.
  if (ring.header().limit.load(std::memory_order_seq_cst) <= s) return;
  throw Error(Code::stale,
              fmt::format("messages from {} on were reclaimed while they were copied", s),
              "the place of a group, or what protects the copy, was forged");
}

}  // namespace

bool is_published(const ring::RingView& ring, std::uint64_t s) noexcept {
  const std::uint64_t word = ring.descriptor(s).published.load(std::memory_order_seq_cst);
  return layout::publish_lap(word) == ring.lap(s);
}

journal::Batch batch_of(const ring::RingView& ring, std::uint64_t first, std::uint64_t until,
                        std::uint64_t goal) {
  journal::Batch batch;
  batch.first = first;
  goal = std::min(goal, ring.arena() / 4);
  const std::uint64_t most = std::min<std::uint64_t>(layout::most_in_batch, ring.slots() / 4);
  std::uint64_t low = ring.claim(first - 1).end.load(std::memory_order_acquire);
  for (std::uint64_t s = first; s < until && batch.size() < goal && batch.entries.size() < most;
       ++s) {
    const std::uint64_t word = ring.descriptor(s).published.load(std::memory_order_acquire);
    if (layout::publish_lap(word) != ring.lap(s)) break;  // only claimed, or not even that
    const layout::Published state = layout::publish_state(word);
    const std::uint64_t high = ring.claim(s).end.load(std::memory_order_acquire);
    layout::Entry entry = entry_of(ring.descriptor(s), state);
    if (state == layout::Published::committed && !add_bytes(batch, entry, ring, low, high)) {
      require_untouched(ring, s);
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

/// True if there is room, or a file may be begun.
bool RingToJournal::may_append(const Journal::Appender& journal, const journal::Batch& batch) {
  if (journal.has_room_for(batch)) return true;
  if (next_ != counted_) return false;  // what is counted at once is in one file
  const std::uint64_t size = journal.file_for(batch);
  if (size > plan_.file) {
    report_->wanted_file = size;
    ended_ = true;
    return false;
  }
  if (plan_.file != any_files) plan_.file = 0;
  return true;
}

void RingToJournal::write_some(Journal::Appender& journal) {
  do {
    const journal::Batch batch = batch_of(plan_.ring->view(), next_, plan_.until, plan_.batch_goal);
    if (batch.entries.empty() || !may_append(journal, batch)) return;
    journal.append(batch, plan_.sync);
    next_ = batch.end();
    written_ += batch.size();
    uncounted_.messages += batch.messages;
    uncounted_.bytes += batch.message_bytes;
    ended_ = batch.entries.back().state == static_cast<std::uint64_t>(layout::Published::sealed);
  } while (plan_.sync && may_go_on());
}

void RingToJournal::count(Journal::Appender& journal) {
  require_untouched(plan_.ring->view(), counted_);
  const os::Instant began = os::now();
  if (plan_.sync) journal.sync();
  const os::Instant took = os::now() - began;
  journal.count(next_);
  report_->progress = true;
  report_->messages += std::exchange(uncounted_.messages, 0);
  report_->bytes += std::exchange(uncounted_.bytes, 0);
  if (plan_.once) ended_ = true;
  // SYNC POINT WRITE: journaled. seq_cst: before the bells are rung (wait/bell.hpp, W1), and before
  // the hold is raised: what is below it is read from the journal from now on.
  ring::raise(plan_.memory->words().journaled, next_);
  plan_.memory->cursors().holds[0].sequence.store(next_, std::memory_order_seq_cst);
  ring_bells();
  const std::uint64_t woken = next_ - std::exchange(counted_, next_);
  if (plan_.sync && may_go_on()) wait_for_those_woken(plan_.ring->view(), next_, woken, took);
}

/// Who waits for more room than this has made is not woken for nothing, to ask the loop for more:
/// its turn would be this thread's. Where a hold or a floor was in the way before, a need may lie
/// below what was counted last.
void RingToJournal::ring_bells() const noexcept {
  layout::Bells& bells = plan_.memory->bell_words();
  wait::ring(bells.data);
  wait::ring(bells.disk);
  wait::ring_room(plan_.memory->words(), bells, 0, next_);
}

void RingToJournal::operator()(Journal::Appender& journal) {
  began_ = os::now();
  if (plan_.new_file) journal.finish();
  do {
    write_some(journal);
    if (next_ == counted_) return;
    count(journal);
  } while (may_go_on() && !takes_too_long());
}

}  // namespace spillring::daemon
