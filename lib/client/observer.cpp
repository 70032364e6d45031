#include "client/observer.hpp"

#include <algorithm>
#include <atomic>

#include "client/expiry.hpp"
#include "layout/metadata.hpp"
#include "ring/claim.hpp"
#include "ring/extent.hpp"
#include "ring/reclaim.hpp"

namespace spillring::client {

namespace {

std::vector<std::byte> copied(std::span<const std::byte> bytes) {
  return {bytes.begin(), bytes.end()};
}

template <typename Head>
void add_expiry(const Head& head, std::uint64_t boot, PeekedMessage& into) {
  into.ttl = ttl_of(head);
  into.expired = is_over(head, boot);
}

void add_metadata(std::span<const std::byte> metadata, PeekedMessage& into) {
  if (const auto key = layout::decode_key(metadata)) into.key = copied(*key);
  for (const Header& header : layout::decode_headers(metadata)) {
    into.headers.emplace_back(header.name, copied(header.value));
  }
}

}  // namespace

Observer::Observer(QueueRef& queue)
    : queue_(&queue),
      attachment_([&] {
        Answered answer = queue.ask(control::request(layout::Ask::observe));
        earliest_ = answer.reply.number;
        return Attachment(queue, answer, Attachment::Kind::observer);
      }()),
      rings_(attachment_),
      journal_(attachment_) {}

// What floors say is forged as easily as written: below what the supervisor has said nothing is.
std::uint64_t Observer::oldest() const noexcept {
  const std::uint64_t needed = ring::needed_from(attachment_.manifest(), attachment_.groups());
  std::uint64_t first = layout::no_sequence;
  for (const auto& name : attachment_.manifest().first) {
    const std::uint64_t candidate = name.load(std::memory_order_seq_cst);
    if (candidate != 0) first = std::min(first, candidate);
  }
  if (needed == layout::no_sequence) return std::max(first, earliest_);
  // Below the rings there is what was journaled.
  const bool journaled = needed < attachment_.manifest().journaled.load(std::memory_order_acquire);
  return std::max(journaled ? needed : std::max(needed, first), earliest_);
}

std::uint64_t Observer::end() {
  const Ring* newest = ring_of(layout::no_sequence);
  const auto used = newest == nullptr ? std::nullopt : ring::in_use(newest->view);
  return used ? used->end : oldest();
}

const Ring* Observer::ring_of(std::uint64_t s) {
  // A ring may be let go between reading its name and asking for it: look again.
  for (int attempt = 0; attempt < 100; ++attempt) {
    const std::uint64_t name = rings_.name_for(s);
    if (name == 0) return nullptr;
    try {
      return rings_.at(name);
    } catch (const Error& error) {
      if (error.code() != Code::not_found) throw;
    }
  }
  return nullptr;
}

/// Timestamps grow with the sequences, but for messages that were published at the same time.
std::uint64_t Observer::sequence_at(std::uint64_t time) {
  std::uint64_t low = earliest_;
  std::uint64_t high = end();
  while (low < high) {
    const std::uint64_t middle = low + (high - low) / 2;
    const std::vector<PeekedMessage> found = peek(1, middle);
    if (found.empty() || found.front().seq >= high || found.front().timestamp_ns >= time) {
      high = middle;
    } else {
      low = found.front().seq + 1;
    }
  }
  return low;
}

std::vector<PeekedMessage> Observer::peek(std::size_t most, std::uint64_t from) {
  std::vector<PeekedMessage> messages;
  std::uint64_t s = from == 0 ? oldest() : std::max(from, earliest_);
  const auto is_journaled = [this](std::uint64_t number) {
    return number < attachment_.manifest().journaled.load(std::memory_order_acquire);
  };
  // No further than the rings reach, whatever their words say.
  for (std::uint64_t steps = layout::max_slots; steps != 0 && messages.size() < most; --steps) {
    PeekedMessage message;
    message.seq = s;
    const Ring* ring = ring_of(s);
    if (ring != nullptr && ring->is_condemned()) {
      const Found found = copy_from_condemned(*ring, s, message);
      if (found.copied) messages.push_back(std::move(message));
      s = found.next;
      if (s == layout::no_sequence) break;
      continue;
    }
    const ring::Seen seen = ring == nullptr ? ring::Seen::gone : ring::look(ring->view, s);
    if (seen == ring::Seen::nothing) break;
    const bool in_ring = seen == ring::Seen::committed && copy(ring->view, s, message);
    const bool gone = seen == ring::Seen::gone || (seen == ring::Seen::committed && !in_ring);
    const Found found = gone ? copy_from_journal(s, message) : Found{in_ring, s + 1};
    if (found.copied) messages.push_back(std::move(message));
    if (ring == nullptr && !is_journaled(s)) break;
    const bool nowhere = gone && !found.copied && ring != nullptr && !is_journaled(s);
    s = nowhere ? behind_what_was_reclaimed(*ring, s) : found.next;
    if (s == layout::no_sequence) break;
  }
  return messages;
}

std::uint64_t Observer::behind_what_was_reclaimed(const Ring& ring, std::uint64_t s) const {
  const auto used = ring::in_use(ring.view);
  if (!used) throw Error(Code::corrupt, "the queue's ring contradicts itself");
  if (s >= used->end) return layout::no_sequence;
  std::uint64_t first = used->first;
  if (layout::drops_oldest(attachment_.manifest())) {
    first = std::max(first, ring.view.header().gone.load(std::memory_order_seq_cst));
  }
  return std::max(s + 1, std::min(first, used->end));
}

/// Not number by number: each would be a question to the supervisor. It knows what is there: who
/// finds nothing where it has something finds it elsewhere the next time, or the words of a ring
/// are forged.
std::uint64_t Observer::behind_what_is_gone(std::uint64_t s) {
  earliest_ = queue_->ask(control::request(layout::Ask::observe)).reply.number;
  if (earliest_ > s) {
    asked_in_vain_ = 0;
  } else if (++asked_in_vain_ == most_asked_in_vain) {
    throw Error(Code::corrupt, "the queue's ring contradicts itself",
                "what it says to be there is not");
  }
  return std::max(s + 1, earliest_);
}

Observer::Found Observer::copy_from_journal(std::uint64_t s, PeekedMessage& into) {
  const std::uint64_t next = s + 1;
  if (s >= attachment_.manifest().journaled.load(std::memory_order_acquire)) return {false, next};
  const JournalCursor::Sight sight = journal_.look(s);
  if (sight.block == nullptr) {
    return {false, sight.lost == 0 ? behind_what_is_gone(s) : std::max(sight.lost, next)};
  }
  return copy_from_block(*sight.block->data, s, into);
}

Observer::Found Observer::copy_from_block(const journal::Block& block, std::uint64_t s,
                                          PeekedMessage& into) const {
  const std::uint64_t next = s + 1;
  const auto stored = block.is_message(s) ? block.message(s) : std::nullopt;
  if (!stored) return {false, next};
  into.timestamp_ns = stored->timestamp;
  add_expiry(block.entry(s), attachment_.manifest().boot, into);
  into.payload = copied(stored->payload);
  into.is_batch = stored->is_batch;
  add_metadata(stored->metadata, into);
  return {true, next};
}

Observer::Found Observer::copy_from_condemned(const Ring& ring, std::uint64_t s,
                                              PeekedMessage& into) {
  // It may have got its end since it was found, below s: then the next look is in the next ring.
  const std::uint64_t end = std::max(s, rings_.name_behind(ring.view.first()));
  if (s >= attachment_.manifest().journaled.load(std::memory_order_acquire)) return {false, end};
  const JournalCursor::Sight sight = journal_.look(s);
  if (sight.block != nullptr) return copy_from_block(*sight.block->data, s, into);
  return {false, sight.lost == 0 ? end : std::max(sight.lost, s + 1)};
}

bool Observer::copy(const ring::RingView& ring, std::uint64_t s, PeekedMessage& into) {
  const auto extent = ring::extent_of(ring, ring.descriptor(s));
  if (!extent) return false;
  into.timestamp_ns = extent->timestamp;
  add_expiry(ring.descriptor(s), attachment_.manifest().boot, into);
  into.payload = copied(extent->payload);
  into.is_batch = extent->is_batch;
  const std::vector<std::byte> metadata = copied(extent->metadata);
  // Copied without a hold: it counts only if nobody was allowed to overwrite it until now. The
  // loads above stay above: x86 does not reorder loads, the signal fence holds the compiler to it.
  std::atomic_signal_fence(std::memory_order_acq_rel);
  if (ring.header().limit.load(std::memory_order_seq_cst) > s) return false;
  add_metadata(metadata, into);
  return true;
}

}  // namespace spillring::client
