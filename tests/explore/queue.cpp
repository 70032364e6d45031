#include "queue.hpp"

#include <algorithm>
#include <new>

#include "heap.hpp"
#include "spillring/version.hpp"
#include "surroundings.hpp"
#include "wait/bell.hpp"
#include "wait/room.hpp"

namespace explore {

using layout::entry_word;
using layout::Presence;
using spillring::Code;
using spillring::Error;
using spillring::Timeout;

namespace {

constexpr layout::RingGeometry geometry{Queue::slots, Queue::arena};
constexpr std::uint64_t queue_id = 7;

template <typename T>
T* segment(Machine& machine) {
  return reinterpret_cast<T*>(machine.shared(sizeof(T)));
}

}  // namespace

Queue::Queue(Machine& machine, const QueueOptions& options)
    : machine_(machine),
      manifest_(segment<layout::Manifest>(machine)),
      groups_(segment<layout::Groups>(machine)),
      bells_(segment<layout::Bells>(machine)),
      words_(reinterpret_cast<layout::Word*>(machine.shared(window * sizeof(layout::Word)))) {
  layout::Manifest& m = *manifest_;
  m.magic = layout::manifest_magic;
  m.layout_version = spillring::layout_version;
  m.size = sizeof(layout::Manifest);
  m.queue_id = queue_id;
  m.capacity = arena;
  m.slots = slots;
  m.largest_message = arena / 2;
  m.max_deliveries = options.max_deliveries;
  m.full = static_cast<std::uint8_t>(options.full);
  m.stall_timeout_ns = wait::longest_nap;  // what only naps find counts as lost
  m.base.store(layout::no_sequence);
  m.alert_sequence.store(layout::no_sequence);
  m.alert_position.store(layout::no_sequence);
  m.follow_from.store(layout::no_sequence);
  m.handles_used.store(1);
  for (auto& hold : groups_->holds) {
    hold.sequence.store(layout::no_sequence);
    hold.ahead.store(layout::no_sequence);
  }
  for (unsigned i = 0; i < rings_.size(); ++i) {
    segments_[i] = machine.shared(geometry.segment_size() + arena);
    machine.memory().alias(segments_[i] + geometry.arena_at(), arena);
  }
  rings_[0] = ring::RingView(segments_[0], geometry, 1);
  ring::initialise(rings_[0]);
  m.first[0].store(1);
  count_asked_in(&asked_);
  forget_descriptors();
  answer_with([this](const layout::Request& request) { return answer(request); });
  ref_ = std::make_shared<client::QueueRef>(connection(), "q", client::QueueNumber{queue_id, 0});
  m.can_grow.store(options.can_grow);
  const bool drops = layout::drops_oldest(m);
  // The first ring is in its limits, and some room was lacking before.
  if (drops && options.can_grow == 0) m.drops.store(rings_[0].first());
  const auto counts = drops ? group::SharedGroup::Counts::yes : group::SharedGroup::Counts::no;
  members_ = group::SharedGroup(m.groups[shared_group], groups_->cursors[shared_group], words_,
                                window, options.max_deliveries, counts);

  for (unsigned i = 0; i < rings_.size(); ++i) {
    constexpr std::array of{"", "next ring's ", "third ring's ", "fourth ring's "};
    const std::string ring = of[i];
    auto& header = *reinterpret_cast<layout::RingHeader*>(segments_[i]);
    machine.name(&header.tail, ring + "tail");
    machine.name(&header.gone, ring + "gone");
    machine.name(&header.skipped, ring + "skipped");
    machine.name(&header.skipped_before, ring + "skipped_before");
    machine.name(&header.limit, ring + "limit");
    machine.name(segments_[i] + geometry.claims_at(), ring + "claim", slots,
                 sizeof(layout::ClaimWord));
    machine.name(segments_[i] + geometry.descriptors_at(), ring + "published", slots,
                 sizeof(layout::Descriptor));
    machine.name(segments_[i] + geometry.arena_at(), ring + "arena", arena / 64, 64);
  }
  for (std::uint32_t i = 0; i < 3; ++i) {
    const std::string of = " of group " + std::to_string(i);
    machine.name(&groups_->cursors[i].floor, "floor" + of);
    machine.name(&groups_->cursors[i].settled, "settled" + of);
    machine.name(&groups_->cursors[i].dropped, "dropped" + of);
    machine.name(&groups_->cursors[i].told, "told" + of);
    machine.name(&groups_->cursors[i].next, "next" + of);
    machine.name(&groups_->cursors[i].rescan, "rescan" + of);
    machine.name(&groups_->cursors[i].owner, "owner" + of);
    machine.name(&groups_->cursors[i].set_aside, "set_aside" + of);
    machine.name(&m.groups[i].word, "entry" + of);
    machine.name(&m.groups[i].start, "start" + of);
  }
  machine.name(words_, "word", window);
  machine.name(groups_->holds, "hold", 8, sizeof(layout::Hold));
  machine.name(&bells_->data.value, "data bell");
  machine.name(&bells_->data.mark, "data mark");
  machine.name(&bells_->room.value, "room bell");
  machine.name(&bells_->room.mark, "room mark");
  machine.name(bells_->need, "need", 8);
  machine.name(&m.condition, "condition");
  machine.name(&m.can_grow, "can_grow");
  machine.name(&m.drops, "drops");
  machine.name(&m.group_version, "group_version");
  machine.name(&m.journaled, "journaled");
  machine.name(&m.alert_sequence, "alert_sequence");
  machine.name(&m.alert_position, "alert_position");
  machine.name(&m.follow_from, "follow_from");
  machine.name(&m.base, "base");
  machine.name(&m.groups_used, "groups_used");
  machine.name(&m.handles_used, "handles_used");
  machine.name(&bells_->wanted, "wanted");
  machine.name(m.first, "first", layout::max_rings);
  machine.name(m.condemned, "condemned", layout::max_rings);
  machine.name(&m.lost_until, "lost_until");
}

void Queue::add_group(std::uint32_t slot, std::uint64_t words) {
  layout::GroupEntry& entry = manifest_->groups[slot];
  if (layout::entry_presence(entry.word.load()) == Presence::live) return;
  const std::uint64_t begin = ring::find_tail(rings_[0]);
  if (words != 0) members_.initialise(begin);
  groups_->cursors[slot].floor.store(begin);
  groups_->cursors[slot].settled.store(begin);  // as if all before had been messages
  entry.start.store(begin);
  entry.window = words;
  entry.word.store(entry_word(Presence::live, words != 0 ? 0 : 1, 1));
  ring::raise(manifest_->groups_used, slot + 1);
  manifest_->group_version.fetch_add(1);
}

client::Answered Queue::attach(std::uint16_t slot, std::uint32_t group) {
  client::Answered answer;
  answer.reply.queue = queue_id;
  answer.reply.handle = slot;
  answer.reply.generation = 1;
  answer.reply.group = static_cast<std::uint16_t>(group);
  answer.reply.window = window;
  manifest_->handles[slot].word.store(entry_word(Presence::live, 0, 1));
  ring::raise(manifest_->handles_used, slot + 1U);
  answer.descriptors.push_back(descriptor(reinterpret_cast<std::byte*>(manifest_)));
  answer.descriptors.push_back(descriptor(reinterpret_cast<std::byte*>(groups_)));
  answer.descriptors.push_back(descriptor(reinterpret_cast<std::byte*>(bells_)));
  answer.descriptors.push_back(descriptor(nullptr));
  answer.descriptors.push_back(descriptor(reinterpret_cast<std::byte*>(words_)));
  return answer;
}

client::Answered Queue::answer(const layout::Request& request) {
  client::Answered answer;
  if (static_cast<layout::Ask>(request.ask) == layout::Ask::ring) {
    if (refuses_rings_) throw Error(Code::unavailable);
    for (unsigned i = oldest_; i <= newest_; ++i) {
      if (rings_[i].first() != request.number) continue;
      answer.reply.slots = slots;
      answer.reply.arena = arena;
      answer.descriptors.push_back(descriptor(segments_[i]));
      return answer;
    }
    throw Error(Code::not_found, "no such ring");
  }
  if (static_cast<layout::Ask>(request.ask) == layout::Ask::drop_ring) {
    unmapped_ = request.number;
    return answer;
  }
  if (static_cast<layout::Ask>(request.ask) == layout::Ask::detach) {
    retire(request.handle);
    return answer;
  }
  throw Error(Code::unsupported, "the explorer's supervisor does not know that");
}

client::ProducerCore& Queue::producer() {
  client::Answered answer = attach(next_slot_++, 0);
  return *new client::ProducerCore(*ref(), answer, spillring::ProducerOptions{});
}

client::ConsumerCore& Queue::shared(unsigned prefetch) {
  add_group(shared_group, window);
  client::Answered answer = attach(next_slot_++, shared_group);
  client::Membership membership{ref(), "shared", spillring::GroupKind::shared, prefetch, false};
  return *(consumers_[next_slot_ - 1U] = new client::SharedConsumer(std::move(membership), answer));
}

client::ConsumerCore& Queue::stream() {
  add_group(stream_group, 0);
  client::Answered answer = attach(next_slot_++, stream_group);
  client::Membership membership{ref(), "stream", spillring::GroupKind::stream, 0, false};
  return *(consumers_[next_slot_ - 1U] = new client::StreamConsumer(std::move(membership), answer));
}

void Queue::pass(unsigned messages, client::ConsumerCore& through, std::size_t size) {
  client::Answered answer = attach(next_slot_++, 0);
  const auto producer =
      std::make_unique<client::ProducerCore>(*ref(), answer, spillring::ProducerOptions{});
  for (unsigned i = 0; i < messages; ++i) {
    auto loan = producer->loan(size, spillring::no_wait, {});
    if (!loan || !loan->publish()) throw Error(Code::corrupt, "nothing can be sent");
    auto message = through.receive(spillring::no_wait);
    if (!message || !message->ack()) throw Error(Code::corrupt, "nothing can be received");
  }
}

void Queue::prepare_next_ring(std::uint64_t first) {
  ring::initialise(ring::RingView(segments_[newest_ + 1], geometry, first));
}

// ---- the supervisor

void Queue::ring_bells() noexcept {
  wait::ring(bells_->data);
  wait::ring(bells_->room);
  wait::ring(bells_->disk);
}

void Queue::retire(std::uint32_t slot) noexcept {
  const layout::Owner owner{static_cast<std::uint16_t>(slot), 1};
  layout::HandleEntry& entry = manifest_->handles[slot];
  entry.word.store(entry_word(Presence::dying, 0, 1), std::memory_order_seq_cst);
  client::ConsumerCore* const consumer = consumers_[slot];
  if (consumer == nullptr) {
    for (unsigned i = oldest_; i <= newest_; ++i) ring::abort_claims_of(rings_[i], owner);
  } else {
    if (dynamic_cast<client::SharedConsumer*>(consumer) != nullptr) {
      members_.hand_back_all_of(owner, groups_->holds[slot].ahead.load());
      members_.move_floor();
    } else {
      group::StreamGroup(manifest_->groups[stream_group], groups_->cursors[stream_group])
          .leave(owner);
    }
    groups_->holds[slot].sequence.store(layout::no_sequence, std::memory_order_seq_cst);
    groups_->holds[slot].ahead.store(layout::no_sequence, std::memory_order_relaxed);
  }
  bells_->need[slot].store(0, std::memory_order_relaxed);
  entry.word.store(entry_word(Presence::free, 0, 2), std::memory_order_seq_cst);
  ring_bells();
}

void Queue::join_late_group(std::uint64_t& begin) noexcept {
  layout::GroupEntry& entry = manifest_->groups[late_group];
  layout::GroupCursor& cursor = groups_->cursors[late_group];
  cursor.floor.store(newest_ring().header().limit.load(std::memory_order_seq_cst),
                     std::memory_order_seq_cst);
  entry.word.store(entry_word(Presence::joining, 1, 1), std::memory_order_seq_cst);
  ring::raise(manifest_->groups_used, late_group + 1);
  manifest_->group_version.fetch_add(1, std::memory_order_seq_cst);
  begin = ring::needed_from(*manifest_, *groups_, late_group);
  cursor.floor.store(begin, std::memory_order_seq_cst);
  entry.start.store(begin, std::memory_order_seq_cst);
  entry.word.store(entry_word(Presence::live, 1, 1), std::memory_order_seq_cst);
}

void Queue::remove_group(std::uint32_t slot) noexcept {
  layout::GroupEntry& entry = manifest_->groups[slot];
  entry.word.store(entry_word(Presence::free, 0, 1), std::memory_order_seq_cst);
  manifest_->group_version.fetch_add(1, std::memory_order_seq_cst);
  ring::raise(entry.start, ring::find_tail(newest_ring()));
  ring_bells();
}

void Queue::purge(std::uint64_t to) noexcept {
  if (layout::drops_oldest(*manifest_)) {
    const auto messages = messages_below(to);
    for (std::uint32_t slot = 0; messages && slot < late_group; ++slot) {
      if (layout::entry_presence(manifest_->groups[slot].word.load()) != Presence::live) continue;
      if (purge_counting(slot, to, *messages)) ring::raise(manifest_->groups[slot].start, to);
    }
    return ring_bells();
  }
  ring::raise(manifest_->groups[shared_group].start, to);
  ring::raise(manifest_->groups[stream_group].start, to);
  members_.move_floor();
  ring_bells();
}

ring::Dropped Queue::dropped() const noexcept {
  const std::uint64_t name = manifest_->drops.load(std::memory_order_relaxed);
  for (unsigned i = oldest_; i <= newest_; ++i) {
    if (rings_[i].first() != name) continue;
    const auto dropped = ring::dropped_of(rings_[i]);
    require(dropped.has_value(), "the ring contradicts itself");
    return *dropped;
  }
  return {};
}

std::optional<std::uint64_t> Queue::messages_below(std::uint64_t s) noexcept {
  std::uint64_t skipped = rings_[oldest_].header().skipped_before.load();
  for (unsigned i = oldest_; i <= newest_; ++i) {
    const std::uint64_t end = i < newest_ ? std::min(s, rings_[i + 1].first()) : s;
    if (end <= rings_[i].first()) break;
    const auto more = ring::skipped_below(rings_[i], end, groups_->holds[0].sequence);
    wait::ring(bells_->room);
    if (!more) return std::nullopt;
    skipped += *more;
  }
  return s - skipped;
}

void Queue::recount(std::uint32_t slot) noexcept {
  layout::GroupCursor& cursor = groups_->cursors[slot];
  const ring::Dropped dropped = this->dropped();
  const group::Passage at = group::read(cursor);
  if (at.floor < dropped.until) {
    if (slot == shared_group) members_.pass_dropped(dropped, 2);
    return;
  }
  if (const auto messages = messages_below(at.floor)) group::note_dropped(cursor, at, *messages);
}

bool Queue::unsettle_what_was_said() noexcept {
  layout::GroupCursor& cursor = groups_->cursors[stream_group];
  const std::uint64_t said = cursor.dropped.load(std::memory_order_seq_cst);
  const ring::Dropped dropped = this->dropped();
  const group::Passage at = group::read(cursor);
  if (at.floor < dropped.until) return false;
  const auto messages = messages_below(at.floor);
  if (!messages) return false;
  const std::uint64_t settled = *messages - std::min(*messages, said);
  return at.settled <= settled || group::swap(cursor, at, {at.floor, settled});
}

void Queue::check_purged() noexcept {
  unchecked_ = true;
  for (int tries = 8; tries != 0 && unchecked_; --tries) unchecked_ = !unsettle_what_was_said();
}

bool Queue::purge_counting(std::uint32_t slot, std::uint64_t to, std::uint64_t messages) noexcept {
  layout::GroupCursor& cursor = groups_->cursors[slot];
  for (int races = 20; races != 0; --races) {
    recount(slot);
    std::uint64_t known = cursor.dropped.load(std::memory_order_seq_cst);
    const ring::Dropped dropped = this->dropped();
    const group::Passage at = group::read(cursor);
    if (at.floor >= to) return true;
    if (at.floor < dropped.until) {
      if (slot == shared_group) continue;
      if (dropped.until >= to) return false;
    } else {
      const auto below = messages_below(at.floor);
      if (!below) continue;
      known = *below - std::min(*below, at.settled);
    }
    const group::Passage after{to, messages - std::min(messages, known)};
    if (!group::swap(cursor, at, after)) continue;
    group::note_dropped(cursor, after, messages);
    if (slot == stream_group) check_purged();
    return true;
  }
  return false;
}

void Queue::add_ring(std::uint64_t first) noexcept {
  ++newest_;
  rings_[newest_] = ring::RingView(segments_[newest_], geometry, first);
  machine_.alone([this] { ring::initialise(newest_ring()); });
  manifest_->can_grow.store(0, std::memory_order_seq_cst);
  place_of(0).store(first, std::memory_order_seq_cst);
  ring_bells();
}

void Queue::replace_ring() noexcept {
  const std::uint64_t seal = ring::seal(newest_ring());
  require(seal != 0, "no seal: the ring contradicts itself");
  add_ring(seal + 1);
}

/// Nothing in it is damaged: who believes something of it all the same is found out.
void Queue::condemn_newest() noexcept {
  layout::Manifest& m = *manifest_;
  const std::uint64_t name = newest_ring().first();
  layout::condemned_word(m, name)->store(name, std::memory_order_seq_cst);
  ring_bells();
  std::uint64_t furthest = name;
  for (std::uint32_t slot = 0; slot < late_group; ++slot) {
    if (layout::entry_presence(m.groups[slot].word.load()) != Presence::live) continue;
    const std::uint64_t floor = groups_->cursors[slot].floor.load(std::memory_order_seq_cst);
    furthest = std::max({furthest, floor, m.groups[slot].start.load(std::memory_order_seq_cst)});
  }
  add_ring(ring::furthest_claim(newest_ring(), furthest + slots - 1, slots) + 1);
  m.lost_until.store(newest_ring().first(), std::memory_order_seq_cst);
  ring_bells();
}

/// Where the ring of that name is named; 0: where the next one will be.
os::Atomic<std::uint64_t>& Queue::place_of(std::uint64_t name) noexcept {
  return *std::find_if(
      std::begin(manifest_->first), std::end(manifest_->first),
      [&](const auto& first) { return first.load(std::memory_order_relaxed) == name; });
}

void Queue::keep_ring() noexcept {
  manifest_->can_grow.store(0, std::memory_order_seq_cst);
  ring_bells();
}

void Queue::let_go() noexcept {
  const std::uint64_t from = ring::free_until(*manifest_, *groups_);
  while (oldest_ != newest_ && from >= rings_[oldest_ + 1].first()) {
    if (layout::drops_oldest(*manifest_)) carry_skipped(oldest_ + 1);
    place_of(rings_[oldest_].first()).store(0, std::memory_order_seq_cst);
    ++oldest_;
    ring_bells();
  }
}

/// Whenever it is asked to look: somebody may wait for room. (The daemon moves the floors of shared
/// groups first, as a member may have been stopped before it did. Here none is forgiven that.)
void Queue::make_room() noexcept {
  wanted_ = std::max(wanted_, bells_->wanted.exchange(0, std::memory_order_seq_cst));
  let_go();
  if (wanted_ == 0 || !is_out_of_room()) return;
  if (manifest_->can_grow.load(std::memory_order_relaxed) != 0) return replace_ring();
  if (layout::drops_oldest(*manifest_)) drop_in_newest();
}

bool Queue::is_out_of_room() noexcept {
  const ring::RingView& newest = newest_ring();
  for (int eighth = 0; eighth < 16; ++eighth) {
    if (!ring::reclaim(newest, *manifest_, *groups_)) break;
  }
  ring::Room room;
  const auto status = ring::probe(newest, wanted_, room).status;
  return status == ring::ClaimStatus::no_slots || status == ring::ClaimStatus::no_bytes;
}

/// What is only claimed in older rings is published soon, or revoked.
bool Queue::is_settled_before_newest() noexcept {
  for (unsigned i = oldest_; i < newest_; ++i) {
    const std::uint64_t end = rings_[i + 1].first();
    for (auto s = rings_[i].header().limit.load(std::memory_order_seq_cst); s < end; ++s) {
      if (ring::look(rings_[i], s) == ring::Seen::nothing) return false;
    }
  }
  return true;
}

void Queue::carry_skipped(unsigned ring) noexcept {
  const std::uint64_t first = rings_[ring].first();
  const auto messages = messages_below(first);
  require(messages.has_value(), "what is dropped cannot be counted");
  rings_[ring].header().skipped_before.store(first - *messages, std::memory_order_seq_cst);
}

void Queue::drop_in_newest() noexcept {
  const std::uint64_t first = newest_ring().first();
  if (manifest_->drops.load(std::memory_order_relaxed) == first) return;
  if (!is_settled_before_newest()) return;
  if (oldest_ != newest_) carry_skipped(newest_);
  manifest_->drops.store(first, std::memory_order_seq_cst);
  let_go();
  ring_bells();
}

/// As if what lies before were in the journal.
void Queue::copy(std::uint64_t to) noexcept {
  ring::raise(manifest_->journaled, to);
  wait::ring(bells_->data);
  wait::ring(bells_->disk);
  wait::ring_room(*manifest_, *bells_, 0, to);
}

void Queue::set_condition(layout::Condition condition) noexcept {
  manifest_->condition.store(static_cast<std::uint32_t>(condition), std::memory_order_seq_cst);
  ring_bells();
}

// ---- the application

Ledger::Entry& Ledger::at(std::uint64_t sequence) {
  require(sequence < most, "a number that nobody has claimed");
  return entries_[sequence];
}

bool Ledger::send(client::ProducerCore& producer, std::uint64_t tag, std::size_t size,
                  Timeout timeout) {
  auto loan = producer.loan(size, timeout, {});
  require(static_cast<bool>(loan), "no loan, and no end to the time for it");
  machine().write_bytes(loan->bytes(), tag);
  const auto published = loan->publish();
  if (!published) {
    require(published.error() == Code::stale, "a publish that is neither done nor stale");
    return false;
  }
  Entry& entry = at(*published);
  require(entry.tag == 0, "one number for two messages");
  entry.tag = tag;
  return true;
}

Message Ledger::receive(client::ConsumerCore& consumer, unsigned reader, Timeout timeout) {
  auto message = consumer.receive(timeout);
  if (!message) {
    require(timeout == spillring::no_wait && message.error() == Code::empty,
            "nothing received, and no end to the time for it");
    return {};
  }
  Entry& entry = at(message->seq());
  const std::uint64_t tag = machine().read_bytes(message->bytes());
  require(entry.seen == 0 || entry.seen == tag, "two readers see different bytes");
  entry.seen = tag;
  ++entry.received[reader];
  missed_ += message->gap();
  if (message->deliveries() == 1) ++entry.first_times[reader];
  return *std::move(message);
}

void Ledger::look(const Message& message) {
  const std::uint64_t tag = machine().read_bytes(message.bytes());
  require(at(message.seq()).seen == tag, "a view that has changed");
}

bool Ledger::ack(Message& message) {
  Entry& entry = at(message.seq());
  const auto acked = message.ack();
  if (!acked) {
    require(acked.error() == Code::stale, "an acknowledgement that is neither done nor stale");
    return false;
  }
  require(++entry.acks == 1, "two acknowledgements of one message");
  return true;
}

std::uint64_t Ledger::sent() const noexcept {
  return static_cast<std::uint64_t>(
      std::count_if(entries_.begin(), entries_.end(), [](const Entry& e) { return e.tag != 0; }));
}

std::uint64_t Ledger::acked() const noexcept {
  return static_cast<std::uint64_t>(std::count_if(
      entries_.begin(), entries_.end(), [](const Entry& e) { return e.tag != 0 && e.acks != 0; }));
}

std::uint64_t Ledger::received(unsigned reader) const noexcept {
  return static_cast<std::uint64_t>(
      std::count_if(entries_.begin(), entries_.end(),
                    [&](const Entry& e) { return e.tag != 0 && e.received[reader] != 0; }));
}

std::uint64_t Ledger::received_by_any() const noexcept {
  return static_cast<std::uint64_t>(
      std::count_if(entries_.begin(), entries_.end(), [](const Entry& e) {
        return e.tag != 0 && std::any_of(e.received.begin(), e.received.end(),
                                         [](unsigned times) { return times != 0; });
      }));
}

std::uint64_t Ledger::received_between(std::uint64_t from, std::uint64_t to) const noexcept {
  return static_cast<std::uint64_t>(
      std::count_if(&entries_[from], &entries_[to], [](const Entry& e) { return e.seen != 0; }));
}

bool Ledger::has_received(unsigned reader, std::uint64_t tag) const noexcept {
  return std::any_of(entries_.begin(), entries_.end(),
                     [&](const Entry& e) { return e.tag == tag && e.received[reader] != 0; });
}

void Ledger::check_received(unsigned reader, bool again, std::uint64_t from) const {
  for (std::uint64_t s = from; s < most; ++s) {
    const Entry& entry = entries_[s];
    if (entry.tag != 0) require(entry.received[reader] != 0, "a message was lost");
  }
  check_not_twice(reader, again);
}

void Ledger::check_not_twice(unsigned reader, bool again) const {
  for (const Entry& entry : entries_) {
    const bool is_known = entry.tag != 0 && entry.received[reader] != 0;
    require(!is_known || entry.tag == entry.seen, "received is not what was published");
    require(again || entry.received[reader] <= 1, "a message came twice");
    require(entry.first_times[reader] <= 1, "a message came twice, and was not marked");
  }
}

void Ledger::check_acked() const {
  for (const Entry& entry : entries_) {
    if (entry.tag != 0) require(entry.acks == 1, "a message was not acknowledged");
  }
}

}  // namespace explore
