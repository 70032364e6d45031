// What the supervisor does with what was set aside: delayed words become available when their time
// has come; doomed ones, delivered as often as may be, and expired ones, too late to be delivered,
// go to the dead-letter queue, or are discarded where there is none.
//
// A hand-over has five steps, each a store or a swap, and the supervisor may die between any two:
//
//   1  a number t is claimed in the dead-letter queue, by owner `own`, and the copy written
//   2  the promise is stored in M of the source: {group, s, its doomed word, queue, t}, word last
//   3  t is published
//   4  (where the dead-letter queue is durable) the journal has t
//   5  the doomed word of s is finished, and the promise cleared
//
// Invariants
//   D1  s is finished only after t is published, and on the disk where the queue is durable.
//   D2  There is at most one promise for s, and no copy without one: it is stored before 3 and
//       cleared after 5, or where t was not published, which then never will be: the one that could
//       is dead, and abort_own_claims() comes before anything else is claimed by `own`.
//   D3  Whether t was published can be told for as long as the promise stands: nobody but the
//       supervisor ends a claim of `own`, so a t that is only claimed keeps its place in the ring
//       until abort_own_claims(), which comes after settle_hand_overs() of all queues. So a t that
//       is gone from the ring was published.
//   D4  A promise names the exact word: purged, or finished by whoever forged that, it fails.
// So a copy is made once and s is finished after it, whenever the supervisor is killed. Only the
// death of everything, which takes M along, can bring s again after its copy was made. A clean stop
// brings all queues to the disk before it looks where their groups are (restart.cpp): what was
// published is counted.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>

#include "journal/segment_reader.hpp"
#include "layout/metadata.hpp"
#include "log.hpp"
#include "queue.hpp"
#include "ring/claim.hpp"
#include "ring/extent.hpp"
#include "ring/reclaim.hpp"
#include "wait/bell.hpp"

namespace spillring::daemon {

namespace {

using layout::Delivery;

constexpr layout::Owner own{0, 1};

// A look at all words of a window takes a while, and serves all that is set aside meanwhile.
constexpr os::Instant pause_between_looks = 1'000'000;
// While the dead-letter queue takes nothing.
constexpr os::Instant try_again_after = 100'000'000;

constexpr os::Instant nanoseconds_of_ms = 1'000'000;

std::span<const std::byte> bytes_of(std::string_view text) noexcept {
  return std::as_bytes(std::span(text));
}

std::vector<std::byte> encoded(const Metadata& metadata) {
  const auto size = layout::encoded_size(metadata);
  std::vector<std::byte> bytes(size.value_or(0));
  if (!bytes.empty()) layout::encode(metadata, bytes.data());
  return bytes;
}

bool is_own(const Header& header) noexcept {
  constexpr std::array<std::string_view, 5> names{"spillring-reason", "spillring-source",
                                                  "spillring-group", "spillring-sequence",
                                                  "spillring-deliveries"};
  return std::find(names.begin(), names.end(), header.name) != names.end();
}

}  // namespace

/// A message as its group still has it. Views of what it keeps.
struct Queue::Letter {
  enum class State : std::uint8_t { there, nothing, unknown };
  State state = State::unknown;  // unknown: look again
  std::span<const std::byte> payload = {};
  std::span<const std::byte> metadata = {};
  std::shared_ptr<RingSegment> ring = {};  // nullptr: from the journal
  std::shared_ptr<journal::Block> block = {};
  bool is_batch = false;
  bool lost = false;
};

// ---- what was set aside -------------------------------------------------------------------------

bool Queue::was_seen(std::uint64_t s, std::uint64_t word) const noexcept {
  const std::uint16_t slot = layout::unpacked(word).owner.slot;
  return slot >= layout::max_handles ||
         s < cursors().holds[slot].ahead.load(std::memory_order_acquire);
}

os::Instant Queue::consider_set_aside(os::Instant now) {
  settle_hand_overs();
  os::Instant next = os::never;
  for (std::uint16_t slot = 0; slot < layout::max_groups; ++slot) {
    if (group_table_[slot] && group_table_[slot]->kind == GroupKind::shared) {
      next = std::min(next, consider_set_aside(slot, now));
    }
  }
  letters_.reset();
  return any_hand_over() ? std::min(next, os::after(now, pause_between_looks)) : next;
}

/// When to do something about it: now, but for what is delayed.
os::Instant Queue::due_of(const Group& group, std::uint64_t s, std::uint64_t word,
                          os::Instant now) const noexcept {
  const layout::GroupWord aside = layout::unpacked(word);
  if (aside.state != Delivery::delayed) return now;
  const auto before = group.aside.find(s);
  if (before != group.aside.end() && before->second.word == word) return before->second.due;
  return os::after(now, layout::delay_of(aside) * nanoseconds_of_ms);
}

os::Instant Queue::consider_set_aside(std::uint16_t slot, os::Instant now) {
  Group& group = *group_table_[slot];
  if (!group.shared.is_set_aside() && now < group.look_at) return group.look_at;
  const bool first_look = group.looked_at == 0;
  if (const os::Instant least = group.looked_at + pause_between_looks; !first_look && now < least) {
    return least;
  }
  group.looked_at = now;
  group.shared.take_set_aside();
  // Beyond `next` there is only what was there before this supervisor.
  const std::uint64_t known = group.aside.empty() ? 0 : group.aside.rbegin()->first + 1;
  const std::uint64_t until =
      first_look ? group.shared.end() : std::max(group.shared.next(), known);
  std::map<std::uint64_t, Aside> left;
  group.look_at = os::never;
  bool released = false;
  group.shared.for_each_set_aside(until, [&](std::uint64_t s, std::uint64_t word) {
    os::Instant due = due_of(group, s, word, now);
    if (due <= now && layout::unpacked(word).state == Delivery::delayed) {
      released = group.shared.release(s, word) || released;
      return;
    }
    if (due <= now) {
      const auto again = bury(slot, s, word, now);
      if (!again) return;
      due = *again;
    }
    left.emplace(s, Aside{word, due});
    group.look_at = std::min(group.look_at, due);
  });
  group.aside = std::move(left);
  const group::Moved floor = group.shared.move_floor();
  if (released || floor.from != floor.to) ring_bells();
  return group.look_at;
}

std::uint64_t Queue::doomed() const noexcept {
  std::uint64_t count = 0;
  if (options_.max_deliveries == 0) return count;
  for (const auto& group : group_table_) {
    if (!group || group->kind != GroupKind::shared) continue;
    group->shared.for_each_set_aside(group->shared.end(), [&](std::uint64_t, std::uint64_t word) {
      if (layout::unpacked(word).state != Delivery::delayed) ++count;
    });
  }
  return count;
}

// ---- promises -----------------------------------------------------------------------------------

bool Queue::any_hand_over() const noexcept {
  const auto& letters = manifest().hand_overs;
  return std::any_of(std::begin(letters), std::end(letters), [](const auto& letter) {
    return letter.word.load(std::memory_order_relaxed) != 0;
  });
}

bool Queue::is_on_its_way(std::uint16_t slot, std::uint64_t s) const noexcept {
  const auto& letters = manifest().hand_overs;
  return std::any_of(std::begin(letters), std::end(letters), [&](const auto& letter) {
    return letter.word.load(std::memory_order_relaxed) != 0 && letter.group == slot &&
           letter.sequence == s;
  });
}

layout::HandOver* Queue::free_hand_over() const noexcept {
  auto& letters = manifest().hand_overs;
  const auto found = std::find_if(std::begin(letters), std::end(letters), [](const auto& letter) {
    return letter.word.load(std::memory_order_relaxed) == 0;
  });
  return found == std::end(letters) ? nullptr : found;
}

void Queue::forget_hand_overs_of(std::uint16_t group) noexcept {
  for (layout::HandOver& letter : manifest().hand_overs) {
    if (letter.group == group) letter.word.store(0, std::memory_order_seq_cst);
  }
}

/// Whether what was claimed for it has become a message (D3).
bool Queue::has_arrived(std::uint64_t s) const noexcept {
  const auto ring = ring_with(s);
  const layout::Manifest& m = manifest();
  const ring::RingView& view = ring->view();
  if (s < view.first()) return true;
  // What is lost has not, or nobody can know: it is copied again.
  if (is_condemned(*ring)) return s < m.journaled.load() && s >= m.lost_until.load();
  const ring::Seen seen = ring::look(view, s);
  return seen == ring::Seen::committed || seen == ring::Seen::gone;
}

void Queue::settle_hand_overs() noexcept {
  for (layout::HandOver& letter : manifest().hand_overs) {
    if (letter.word.load(std::memory_order_acquire) != 0) settle(letter);
  }
}

void Queue::settle(layout::HandOver& letter) noexcept {
  Queue* const target = others_.by_id ? others_.by_id(letter.target) : nullptr;
  const auto slot = static_cast<std::uint16_t>(letter.group);
  const std::uint64_t t = letter.target_sequence;
  const bool arrived = target != nullptr && target->has_arrived(t);
  if (arrived && target->is_durable() &&
      target->manifest().journaled.load(std::memory_order_seq_cst) <= t) {
    return;
  }
  if (arrived) {
    finish_doomed(slot, letter.sequence, letter.word.load(std::memory_order_relaxed),
                  manifest().dead_lettered);
  }
  letter.word.store(0, std::memory_order_seq_cst);
  if (group_table_[slot]) group_table_[slot]->look_at = 0;  // what is left of it, if anything
}

bool Queue::is_dropped(std::uint16_t slot, std::uint64_t s) const noexcept {
  if (!drops_oldest() || s >= dropped().until) return false;
  recount(slot);
  return true;
}

void Queue::finish_doomed(std::uint16_t slot, std::uint64_t s, std::uint64_t word,
                          os::Atomic<std::uint64_t>& count) noexcept {
  if (!group_table_[slot] || group_table_[slot]->kind != GroupKind::shared) return;
  if (!group_table_[slot]->shared.finish(s, word)) return;
  count.fetch_add(1, std::memory_order_relaxed);
  const group::Moved floor = group_table_[slot]->shared.move_floor();
  if (floor.from != floor.to) ring_bells();
}

void Queue::abort_own_claims() noexcept {
  for (const auto& ring : rings_) ring::abort_claims_of(ring->view(), own);
}

// ---- one letter ---------------------------------------------------------------------------------

Queue::Letter Queue::letter(std::uint64_t s) {
  auto ring = ring_with(s);
  if (is_condemned(*ring)) return letter_from_condemned(s);
  const ring::RingView& view = ring->view();
  // What is free to be overwritten may be there for long, and is not to be relied on.
  const auto is_free = [&] { return view.header().limit.load(std::memory_order_seq_cst) > s; };
  if (s < view.first() || is_free()) return letter_from_journal(s);
  switch (ring::look(view, s)) {
    case ring::Seen::gone:
      return letter_from_journal(s);
    case ring::Seen::nothing:
      return {};
    case ring::Seen::skipped:
    case ring::Seen::sealed:
      return {Letter::State::nothing};
    case ring::Seen::committed:
      break;
  }
  const auto extent = ring::extent_of(view, view.descriptor(s));
  if (extent) {
    return {Letter::State::there, extent->payload, extent->metadata,
            std::move(ring),      nullptr,         extent->is_batch};
  }
  if (!is_free()) examine_rings();
  return {};  // else it was overwritten meanwhile
}

/// As for those who receive (client/consumer_core.cpp, look_in_condemned).
Queue::Letter Queue::letter_from_condemned(std::uint64_t s) {
  const layout::Manifest& m = manifest();
  if (s < m.journaled.load(std::memory_order_relaxed)) return letter_from_journal(s);
  if (s >= m.lost_until.load(std::memory_order_relaxed)) return {};
  Letter lost{Letter::State::nothing};
  lost.lost = true;
  return lost;
}

/// The batch with `s`; nullptr: it is damaged. The next one is likely to be in the same segment.
std::shared_ptr<journal::Block> Queue::letters_with(std::uint64_t s) {
  journal::SegmentReader segment(segment_of(s).file, id_);
  const std::uint64_t salt = segment.header().salt;
  if (letter_index_.salt == salt) segment.know(std::move(letter_index_.spots));
  letter_index_ = {};
  const auto* spot = segment.find(s);
  auto block = spot == nullptr || spot->first > s ? nullptr : segment.read(*spot, nullptr);
  letter_index_ = {salt, segment.take_index()};
  return block;
}

Queue::Letter Queue::letter_from_journal(std::uint64_t s) {
  Letter nothing{Letter::State::nothing};
  if (journal_ == nullptr) return nothing;
  if (letters_ == nullptr || !letters_->has(s)) {
    nothing.lost = true;
    try {
      letters_ = letters_with(s);
    } catch (const Error& error) {
      if (error.code() != Code::not_found && error.code() != Code::corrupt) throw;
      letters_ = nullptr;
    }
    if (letters_ == nullptr) return nothing;
    nothing.lost = false;
  }
  if (!letters_->is_message(s)) return nothing;
  const auto stored = letters_->message(s);
  nothing.lost = !stored;
  if (!stored) return nothing;
  return {Letter::State::there, stored->payload, stored->metadata, nullptr, letters_,
          stored->is_batch};
}

/// Its own key and headers, and where it comes from; what another hand-over said goes. Where that
/// is more than a message may have, it stays as it was.
std::vector<std::byte> Queue::metadata_of_copy(const Letter& letter, const Group& group,
                                               std::uint64_t s, std::uint64_t word) const {
  std::vector<Header> headers = layout::decode_headers(letter.metadata);
  std::erase_if(headers, is_own);
  const std::string sequence = std::to_string(s);
  const std::string deliveries = std::to_string(layout::unpacked(word).count);
  const bool expired = layout::unpacked(word).state == Delivery::expired;
  headers.push_back({"spillring-reason", bytes_of(expired ? "expired" : "max-deliveries")});
  headers.push_back({"spillring-source", bytes_of(name_)});
  headers.push_back({"spillring-group", bytes_of(group.name)});
  headers.push_back({"spillring-sequence", bytes_of(sequence)});
  headers.push_back({"spillring-deliveries", bytes_of(deliveries)});
  std::vector<std::byte> bytes = encoded({layout::decode_key(letter.metadata), headers});
  return bytes.empty() ? std::vector(letter.metadata.begin(), letter.metadata.end()) : bytes;
}

std::optional<os::Instant> Queue::bury(std::uint16_t slot, std::uint64_t s, std::uint64_t word,
                                       os::Instant now) {
  if (!is_on_its_way(slot, s) && is_dropped(slot, s)) return std::nullopt;
  if (options_.dead_letter.view().empty()) {
    finish_doomed(slot, s, word, manifest().discarded);
    return std::nullopt;
  }
  if (is_on_its_way(slot, s)) return os::never;  // settled before the next look
  if (now < letters_rest_until_) return letters_rest_until_;
  try {
    return hand_over(slot, s, word, now);
  } catch (const std::exception& failure) {
    const auto* error = dynamic_cast<const Error*>(&failure);
    say_undeliverable(error == nullptr ? failure.what()
                                       : fmt::format("{}: {}", error->summary(), error->why()));
  }
  letters_rest_until_ = os::after(now, try_again_after);
  return letters_rest_until_;
}

std::optional<os::Instant> Queue::hand_over(std::uint16_t slot, std::uint64_t s, std::uint64_t word,
                                            os::Instant now) {
  layout::HandOver* const promise = free_hand_over();
  if (promise == nullptr) return os::after(now, pause_between_looks);
  Queue& target = dead_letter_queue();
  const Letter found = letter(s);
  if (found.state == Letter::State::unknown) return os::after(now, pause_between_looks);
  if (found.state == Letter::State::nothing) {
    if (is_dropped(slot, s)) return std::nullopt;
    finish_doomed(slot, s, word, found.lost ? cursors().cursors[slot].lost : manifest().discarded);
    return std::nullopt;
  }
  const auto metadata = metadata_of_copy(found, *group_table_[slot], s, word);
  const auto fill = [&](std::byte* payload, std::uint64_t t) {
    if (!found.payload.empty()) std::memcpy(payload, found.payload.data(), found.payload.size());
    // Read without a hold: it counts only if nobody was allowed to overwrite it until now.
    os::fence(std::memory_order_acquire);
    if (found.ring != nullptr && found.ring->view().header().limit.load() > s) return false;
    promise->sequence = s;
    promise->target = target.id_;
    promise->target_sequence = t;
    promise->group = slot;
    // release: a promise that can be seen is whole.
    promise->word.store(word, std::memory_order_release);
    return true;
  };
  const std::uint32_t flags = found.is_batch ? std::uint32_t{layout::batch} : 0;
  if (!target.publish(found.payload.size(), metadata, flags, fill)) {
    throw Error(Code::full, fmt::format("queue '{}' is full", target.name_),
                "dead letters wait for room");
  }
  undeliverable_.clear();
  if (promise->word.load(std::memory_order_relaxed) == 0)
    return os::after(now, pause_between_looks);
  settle(*promise);
  if (promise->word.load(std::memory_order_relaxed) == 0) return std::nullopt;
  return os::never;
}

Queue& Queue::dead_letter_queue() {
  const std::string_view name = options_.dead_letter.view();
  Queue* const target = others_.by_name ? others_.by_name(name) : nullptr;
  if (target == nullptr) {
    throw Error(Code::not_found, fmt::format("there is no queue '{}'", name),
                "it was removed since", fmt::format("create it again: spillring create {}", name));
  }
  if (!target->can_be_saved() || target->stopped()) {
    throw Error(Code::unavailable, fmt::format("queue '{}' takes nothing", name),
                "it is damaged, or ends");
  }
  target->access_.require(os::Peer{.uid = access_.owner, .gid = access_.group}, Right::publish,
                          target->name_);
  target->require_fit_for_dead_letters(options_);
  return *target;
}

void Queue::require_fit_for_dead_letters(const layout::Request& source) const {
  if (options_.exclusive_producer != 0) {
    throw Error(Code::invalid, fmt::format("queue '{}' cannot take dead letters", name_),
                "it has an exclusive producer, and the supervisor would be another one",
                "name a queue that was made without exclusive_producer");
  }
  if (options_.capacity < source.capacity) {
    throw Error(Code::invalid, fmt::format("queue '{}' is too small for dead letters", name_),
                fmt::format("its capacity is {} bytes, and messages may come from {}",
                            options_.capacity, source.capacity),
                "give it at least the capacity of the queue that they come from");
  }
  if (drops_oldest()) {
    throw Error(Code::invalid, fmt::format("queue '{}' drops its oldest messages", name_),
                "dead letters are not to be lost",
                "create it with another full policy: spill, block or reject");
  }
  if (source.durability > options_.durability) {
    throw Error(Code::invalid, fmt::format("queue '{}' is not durable", name_),
                "dead letters of a durable queue would be less safe there than they are",
                "create it with durability disk too");
  }
}

void Queue::say_undeliverable(const std::string& why) {
  if (why == undeliverable_) return;
  undeliverable_ = why;
  log(fmt::format("queue '{}' keeps its dead letters, and tries again: {}", name_, why));
}

// ---- the dead-letter queue's side ---------------------------------------------------------------

bool Queue::publish(std::uint64_t size, const std::vector<std::byte>& metadata, std::uint32_t flags,
                    const std::function<bool(std::byte*, std::uint64_t)>& fill) {
  if (is_condemned(newest())) return false;
  const ring::RingView& view = newest().view();
  const std::uint64_t lead = ring::whole_units(metadata.size());
  const std::uint64_t length = lead + ring::whole_units(size);
  reclaim_newest();
  ring::Room room{};
  if (!ring::refresh(view, room)) {
    examine_rings();
    return false;
  }
  const ring::Claim claim = ring::claim(view, own, length, room);
  if (claim.status != ring::ClaimStatus::claimed) {
    ring::raise(bells().wanted, length);
    os::signal_event(service_);
    return false;
  }
  // The end of the message before is another's word: aligned it is whatever that says.
  const std::uint64_t start = ring::whole_units(claim.start) + lead;
  if (!metadata.empty()) std::memcpy(view.bytes(start - lead), metadata.data(), metadata.size());
  layout::Descriptor& descriptor = view.descriptor(claim.sequence);
  descriptor.start = start;
  descriptor.timestamp = os::wall_clock();
  descriptor.size = static_cast<std::uint32_t>(size);
  descriptor.metadata_size = static_cast<std::uint32_t>(metadata.size());
  descriptor.flags = flags;
  descriptor.reserved = 0;
  if (fill(view.bytes(start), claim.sequence)) {
    ring::publish(view, claim.sequence);
    wait::ring(bells().data);
  } else {
    ring::abort(view, claim.sequence);
  }
  os::signal_event(service_);  // it fills, and may be one that is written to the disk
  return true;
}

}  // namespace spillring::daemon
