#include "client/consumer_core.hpp"

#include <algorithm>
#include <new>

#include "layout/metadata.hpp"
#include "ring/claim.hpp"
#include "ring/extent.hpp"
#include "wait/bell.hpp"

namespace spillring::client {

namespace {

// An obstacle this old is the supervisor's business: a stopped producer, a member that holds on.
constexpr os::Instant obstacle_patience = 5'000'000;

// The first of the naps behind a claim that is not finished; each is a quarter longer. Who claimed
// it may have lost its processor to others, for milliseconds.
constexpr os::Instant first_look_behind_claim = 100'000;

}  // namespace

ConsumerCore::ConsumerCore(Membership membership, Answered& answer)
    : membership_(std::move(membership)),
      attachment_(*membership_.queue, answer, Attachment::Kind::consumer),
      rings_(attachment_),
      journal_(attachment_),
      group_(answer.reply.group),
      drops_(layout::drops_oldest(attachment_.manifest())),
      hold_word_(&attachment_.groups().holds[attachment_.owner().slot].sequence) {
  if (group_ >= layout::max_groups) throw Error(Code::corrupt, "a group without a place");
  entry_ = &attachment_.manifest().groups[group_];
}

ConsumerCore::~ConsumerCore() = default;

Result<Message> ConsumerCore::receive(Timeout timeout) {
  if (watch_ == nullptr) [[likely]]
    return next(timeout);
  Result<Message> received = next(timeout);
  if (received || received.error() == Code::interrupted) watch_->raise();
  if (received.error() == Code::empty || received.error() == Code::timeout) watch_->arm();
  return received;
}

Result<Message> ConsumerCore::next(Timeout timeout) {
  os::Instant until = 0;  // read from the clock only when there is something to wait for
  for (;;) {
    if (const Code code = condition(); code != Code::ok) return ended(code);
    // A waiter that waited in vain wants a look that trusts no hint (group/shared_group.hpp, G2).
    const bool from_floor = look_from_floor_.load(std::memory_order_relaxed) &&
                            look_from_floor_.exchange(false, std::memory_order_relaxed);
    Found found;
    const Code taken = take(from_floor, found);
    if (taken == Code::ok && found) [[likely]] {
      return message(found);
    }
    if (taken != Code::empty && taken != Code::ok) {
      // What a group that is removed just now still needed may have gone from under the look.
      const Code code = condition();
      return code == Code::ok ? taken : ended(code);
    }
    tell_read_back();
    rest();
    if (taken == Code::ok) {  // there may be more
      if (membership_.interruptible) return Code::interrupted;
      if (timeout <= no_wait) continue;
      if (until == 0) until = os::deadline(timeout);
      if (until <= os::now()) return Code::timeout;
      continue;
    }
    if (timeout <= no_wait) {
      // Who polls may be stuck as well as who sleeps. Not at every look: what is in the way is
      // found in words that a producer is about to write.
      if (const os::Instant tick = os::tick(); tick != last_tick_) {
        last_tick_ = tick;
        ask_about_obstacle(os::now());
      }
      return Code::empty;
    }
    if (until == 0) until = os::deadline(timeout);
    if (until <= os::now()) return Code::timeout;
    if (rings_.may_drop()) unmap_old_rings();
    const Result<void> waited = wait(until == os::never ? forever : Timeout(until - os::now()));
    if (!waited && waited.error() != Code::timeout) return waited.error();
  }
}

Code ConsumerCore::ended(Code condition) noexcept {
  // A group that was removed needs nothing of what was claimed ahead, and the queue lives on.
  if (condition == Code::deleted && attachment_.condition() == Code::ok && !left_) {
    left_ = true;
    leave();
  }
  return condition;
}

Result<Message> ConsumerCore::message(const Found& found) {
  if (found.ring == nullptr) {
    const auto extent = *found.block->data->message(found.sequence);  // look_in_journal() has asked
    read_back_bytes_ += extent.payload.size() + extent.metadata.size();
    const bool last = found.sequence + 1 == found.block->data->end();
    if (++read_back_ == most_untold || last) tell_read_back();
    return message(found, extent);
  }
  const ring::RingView& ring = found.ring->view;
  const auto extent = ring::extent_of(ring, ring.descriptor(found.sequence));
  if (extent) [[likely]]
    return message(found, *extent);
  // It may be whole again when somebody else looks: nothing of it stays here.
  if (found.receipt != nothing_owed) hand_back(found.sequence, found.receipt, 0);
  give_up(found);
  return attachment_.report_damage();
}

template <typename Extent>
Result<Message> ConsumerCore::message(const Found& found, const Extent& extent) {
  Result<Message> result{Message()};
  Message& message = *result;
  message.core_ = this;
  message.data_ = extent.payload.data();
  message.size_ = extent.payload.size();
  message.meta_ = extent.metadata.data();
  message.meta_size_ = static_cast<std::uint32_t>(extent.metadata.size());
  message.deliveries_ = static_cast<std::uint16_t>(found.deliveries);
  message.is_batch_ = extent.is_batch;
  message.seq_ = found.sequence;
  message.timestamp_ = extent.timestamp;
  message.receipt_ = found.receipt;
  message.source_ = &found.source();
  message.gap_ = std::exchange(gap_, 0);
  ++messages_;
  return result;
}

void ConsumerCore::tell_read_back() noexcept {
  if (read_back_ == 0) return;
  cursor().read_back.fetch_add(std::exchange(read_back_, 0), std::memory_order_relaxed);
  cursor().read_back_bytes.fetch_add(std::exchange(read_back_bytes_, 0), std::memory_order_relaxed);
}

Result<Ring*> ConsumerCore::ring_of(std::uint64_t s) {
  for (int attempt = 0; attempt < 100; ++attempt) {
    const std::uint64_t name = rings_.name_for(s);
    if (name == 0) return nullptr;
    try {
      Ring* const ring = rings_.at(name);
      if (ring != current_) reach_ = 0;
      current_ = ring;
      return current_;
    } catch (const Error& error) {
      // Let go between reading its name and asking for it: look again.
      if (error.code() != Code::not_found) return error.code();
    }
  }
  return Code::unavailable;
}

void ConsumerCore::unmap_old_rings() {
  if (!rings_.drop_unused()) return;
  current_ = nullptr;
  reach_ = 0;
}

Result<ConsumerCore::Sight> ConsumerCore::look_in_journal(std::uint64_t s) {
  if (lost_.first <= s && s < lost_.second) {
    return Sight{ring::Seen::skipped, nullptr, nullptr, s + 1};
  }
  if (s >= attachment_.manifest().journaled.load(std::memory_order_acquire)) {
    return Sight{ring::Seen::gone};
  }
  try {
    const JournalCursor::Sight sight = journal_.look(s);
    if (sight.block == nullptr) {
      if (sight.lost == 0) return Sight{ring::Seen::gone};
      lost_ = {s, sight.lost};
      return Sight{ring::Seen::skipped, nullptr, nullptr, s + 1};
    }
    const journal::Block& block = *sight.block->data;
    if (!block.is_message(s)) return Sight{ring::Seen::skipped};
    if (!block.message(s)) return Sight{ring::Seen::skipped, nullptr, nullptr, s + 1};
    return Sight{ring::Seen::committed, nullptr, sight.block};
  } catch (const Error& error) {
    return error.code();
  } catch (const std::bad_alloc&) {
    return Code::no_memory;
  }
}

Result<std::uint64_t> ConsumerCore::behind_what_is_gone(std::uint64_t s) {
  if (drops()) return attachment_.report_damage();  // a floor counts there, too
  try {
    const Answered answer = attachment_.ask(control::request(layout::Ask::observe));
    if (answer.reply.number > s) return answer.reply.number;
  } catch (const Error& error) {
    return error.code();
  }
  return attachment_.report_damage();
}

/// A claim is less than N numbers beyond `limit`, which passes neither this group nor what the
/// journal has; and no number behind its successor's name is this ring's. Where the oldest are
/// dropped, `limit` goes where producers say.
std::uint64_t ConsumerCore::renew_reach() noexcept {
  if (drops_) return reach_ = layout::no_sequence;
  const ring::RingView& ring = current_->view;
  const std::uint64_t journaled = attachment_.manifest().journaled.load(std::memory_order_seq_cst);
  const std::uint64_t most = std::max({low(), journaled, ring.first()}) + ring.slots();
  return reach_ = std::min(most, rings_.name_behind(ring.first()));
}

Result<ConsumerCore::Sight> ConsumerCore::look(std::uint64_t s) {
  if (journal_.current(s) != nullptr) return look_in_journal(s);
  if (current_ != nullptr && s >= current_->view.first()) {
    const ring::Seen seen = ring::look(current_->view, s);
    const bool is_here = seen == ring::Seen::nothing
                             ? rings_.name_for(s) == current_->view.first()
                             : seen != ring::Seen::gone && is_within_reach(s);
    if (is_here && !current_->is_condemned()) return Sight{seen, current_};
  }
  const Result<Ring*> ring = ring_of(s);
  if (!ring) return ring.error();
  if (*ring == nullptr) return look_behind_rings(s);
  if ((*ring)->is_condemned()) return look_in_condemned(s, (*ring)->view.first());
  const ring::Seen seen = ring::look((*ring)->view, s);
  if (seen == ring::Seen::gone) return look_behind_rings(s);
  if (seen == ring::Seen::nothing) return Sight{seen, *ring};
  bool is_true = is_within_reach(s);
  if (!is_true) {  // or somebody has put the floor back
    rest();
    is_true = is_within_reach(s);
  }
  if ((*ring)->is_condemned()) return look_in_condemned(s, (*ring)->view.first());
  return is_true ? Result<Sight>(Sight{seen, *ring}) : attachment_.report_damage();
}

Result<ConsumerCore::Sight> ConsumerCore::look_in_condemned(std::uint64_t s, std::uint64_t ring) {
  const layout::Manifest& m = attachment_.manifest();
  // SYNC POINT READ: lost_until, then journaled. seq_cst. In this order: what was copied counts
  // before what is left is said to be lost; only then does `journaled` go over that.
  const std::uint64_t lost_until = m.lost_until.load(std::memory_order_seq_cst);
  const bool may_be_written = s < m.journaled.load(std::memory_order_seq_cst);
  if (!may_be_written && s >= lost_until) return Sight{};
  const std::uint64_t end = rings_.name_behind(ring);
  if (end <= s) return Sight{};  // it has got a successor: the next look is there
  if (!may_be_written) {
    return Sight{ring::Seen::skipped, nullptr, nullptr, std::min(end, lost_until)};
  }
  Result<Sight> sight = look_in_journal(s);
  if (!sight) return sight;
  // No file is for it, though its group needs it (else it was purged): nor for what follows it
  // here.
  if (sight->seen == ring::Seen::gone && low() <= s) {
    lost_ = {s, end == layout::no_sequence ? s + 1 : end};
    sight = Sight{ring::Seen::skipped, nullptr, nullptr, s + 1};
  }
  if (sight->lost_until != 0 && lost_.first <= s && s < lost_.second) {
    sight->lost_until = std::min(end, lost_.second);
  }
  return sight;
}

bool ConsumerCore::is_said_of(std::uint64_t s) const noexcept {
  const layout::Manifest& m = attachment_.manifest();
  return s < m.lost_until.load(std::memory_order_seq_cst) ||
         s < m.journaled.load(std::memory_order_seq_cst);
}

Result<ConsumerCore::Sight> ConsumerCore::look_behind_rings(std::uint64_t s) {
  unmap_old_rings();
  return look_in_journal(s);
}

Result<Ring*> ConsumerCore::dropping_ring(std::uint64_t low) {
  const auto& drops = attachment_.manifest().drops;
  // SYNC POINT READ: drops. seq_cst: what the supervisor stored before it, skipped_before, is
  // there.
  for (std::uint64_t name = drops.load(std::memory_order_seq_cst); name != 0;) {
    if (current_ != nullptr && current_->view.first() == name) return current_;
    // Behind a ring that was replaced nothing is dropped before its successor takes its place.
    if (low > name && rings_.name_for(low) != name) return nullptr;
    const Result<Ring*> found = ring_of(name);
    if (!found || (*found != nullptr && (*found)->view.first() == name)) return found;
    // It was let go: every group is past it, or its successor drops.
    const std::uint64_t again = drops.load(std::memory_order_seq_cst);
    if (again == name) break;
    name = again;
  }
  return nullptr;
}

Result<ring::Dropped> ConsumerCore::dropped(std::uint64_t low) {
  const Result<Ring*> ring = dropping_ring(low);
  if (!ring) return ring.error();
  if (*ring == nullptr) return ring::Dropped{};
  const auto dropped = ring::dropped_of((*ring)->view, low);
  return dropped ? Result<ring::Dropped>(*dropped) : attachment_.report_damage();
}

bool ConsumerCore::is_dropped(std::uint64_t low) const noexcept {
  const std::uint64_t name = attachment_.manifest().drops.load(std::memory_order_seq_cst);
  if (low < name) return true;
  const std::shared_ptr<Ring> ring = rings_.mapped_for(low);
  return ring != nullptr && ring->view.first() == name &&
         ring->view.header().gone.load(std::memory_order_seq_cst) > low;
}

bool ConsumerCore::may_be_there(std::uint64_t s) const noexcept {
  const std::uint64_t name = rings_.name_for(s);
  if (rings_.is_condemned(name)) return is_said_of(s);
  const std::shared_ptr<Ring> ring = rings_.mapped_for(s);
  if (ring == nullptr || name != ring->view.first()) return true;
  return ring::look(ring->view, s) != ring::Seen::nothing;
}

bool ConsumerCore::is_stuck_at(std::uint64_t s) const noexcept {
  const std::shared_ptr<Ring> ring = rings_.mapped_for(s);
  if (ring == nullptr) return false;
  // The truth, not `tail`: that may have been put back by the very producer that was stopped.
  return ring::is_claimed(ring->view, s) && ring::is_followed(ring->view, s);
}

void ConsumerCore::begin_view_apart(std::uint64_t s) {
  live_.add(s, LiveSet::Where::apart);
  // Who reads in the journal may be there for long: a hold that is left from reading in the ring
  // would keep all of that from being used again, and all who send from going on.
  raise_hold(layout::no_sequence);
}

void ConsumerCore::give_up(const Found& found) noexcept {
  --found.source().users;
  if (found.ring != nullptr) return unprotect(found.sequence);
  live_.end(found.sequence, LiveSet::Where::apart);
}

bool ConsumerCore::nothing_to_do() const noexcept {
  return condition() == Code::ok && !worth_a_look();
}

void ConsumerCore::ask_about_obstacle(os::Instant now) noexcept {
  const std::uint64_t at = obstacle();
  if (at == 0) return stuck_at_.store(0, std::memory_order_relaxed);
  if (at != stuck_at_.load(std::memory_order_relaxed)) {
    stuck_at_.store(at, std::memory_order_relaxed);
    stuck_since_.store(now, std::memory_order_relaxed);
  } else if (now - stuck_since_.load(std::memory_order_relaxed) >= obstacle_patience) {
    attachment_.ask_service();
    stuck_since_.store(now + wait::longest_nap,
                       std::memory_order_relaxed);  // not again for a while
  }
}

bool ConsumerCore::is_stuck(os::Instant now) noexcept {
  ask_about_obstacle(now);
  return stuck_at_.load(std::memory_order_relaxed) != 0 &&
         stuck_since_.load(std::memory_order_relaxed) <= now;
}

std::optional<os::Instant> ConsumerCore::sleep_until(bool in_vain) noexcept {
  if (!nothing_to_do()) return std::nullopt;
  if (in_vain && worth_a_thorough_look()) {
    look_from_floor_.store(true, std::memory_order_relaxed);
    return std::nullopt;
  }
  const os::Instant now = os::now();
  return now + (is_stuck(now) ? obstacle_patience : wait::longest_nap);
}

int ConsumerCore::fd() {
  if (attachment_.forked()) throw Error(Code::forked);
  if (watch_ == nullptr) take_watch(membership_.queue->connection()->waiters().watch());
  return watch_->fd();
}

std::unique_ptr<wait::Watch> ConsumerCore::give_watch() noexcept {
  if (watch_ != nullptr) watch_->detach();
  return std::move(watch_);
}

void ConsumerCore::take_watch(std::unique_ptr<wait::Watch> watch) {
  watch_ = std::move(watch);
  if (watch_ != nullptr) watch_->attach(sleeper_);
}

Result<void> ConsumerCore::wait(Timeout timeout) {
  if (attachment_.forked()) return Code::forked;
  const os::Instant until = os::deadline(timeout);
  if (spin_.until([&] { return !nothing_to_do(); }, until)) return {};
  layout::Bell& bell = attachment_.bells().data;
  os::Instant behind_claim = first_look_behind_claim;
  for (;;) {
    // Not announced behind a claim that is not finished: whoever publishes meanwhile would ring,
    // by a system call each time, for one who waits for something else. For some 25 ms: who has
    // claimed it for longer is stopped, or dead.
    const bool apart = behind_claim < obstacle_patience && is_behind_claim();
    const std::uint32_t value =
        apart ? bell.value.load(std::memory_order_relaxed) : wait::announce(bell);
    if (!nothing_to_do()) return {};
    const os::Instant now = os::now();
    if (now >= until) return Code::timeout;
    const bool stuck = is_stuck(now) || apart;
    const os::Instant patience = apart ? behind_claim : obstacle_patience;
    const os::Instant nap_until =
        stuck ? std::min(until, now + patience) : attachment_.nap_until(until);
    if (apart) behind_claim = std::min(behind_claim + behind_claim / 4, obstacle_patience);
    const os::Woken woken = wait::nap(bell, value, nap_until);
    if (woken == os::Woken::interrupted && membership_.interruptible) return Code::interrupted;
    // Before the mark is set again: a mark that nobody sleeps on costs the next ringer a system
    // call.
    if (!nothing_to_do()) return {};
    if (woken == os::Woken::timed_out && !stuck && os::now() < until) {
      // A whole nap in vain: a hint may have died with its writer.
      look_from_floor_.store(true, std::memory_order_relaxed);
      return membership_.interruptible ? Result<void>(Code::interrupted) : Result<void>();
    }
  }
}

std::uint64_t ConsumerCore::lag() {
  if (condition() != Code::ok) return 0;
  const std::uint64_t floor = low();
  const Result<Ring*> newest = ring_of(layout::no_sequence);
  if (!newest || *newest == nullptr) return 0;
  // From the claim words: `tail` is a hint that may go backwards.
  const auto used = ring::in_use((*newest)->view);
  return used && used->end > floor ? used->end - floor : 0;
}

Result<void> ConsumerCore::ack(Message& message) {
  if (attachment_.forked()) return Code::forked;
  const Code result = settled(message);
  end_view(message);
  return result;
}

Result<void> ConsumerCore::settle(Message& message) {
  return attachment_.forked() ? Code::forked : settled(message);
}

inline Code ConsumerCore::settled(Message& message) noexcept {
  if (message.receipt_ == nothing_owed) return Code::ok;
  return finish(message.seq_, std::exchange(message.receipt_, nothing_owed));
}

Result<void> ConsumerCore::nack(Message& message, Timeout delay) {
  if (attachment_.forked()) return Code::forked;
  if (delay < no_wait || delay > longest_delay) return Code::invalid;
  const auto ms = std::chrono::ceil<std::chrono::milliseconds>(delay).count();
  const std::uint64_t receipt = std::exchange(message.receipt_, Message::settled);
  const Code result = receipt == Message::settled
                          ? Code::invalid
                          : hand_back(message.seq_, receipt, static_cast<std::uint64_t>(ms));
  end_view(message);
  return result;
}

Timeout ConsumerCore::ttl(const Message& message) const noexcept {
  if (attachment_.forked()) return no_wait;  // a child has not the parent's mapping
  const auto* source = static_cast<const Source*>(message.source_);
  if (source->is_ring) {
    return ttl_of(static_cast<const Ring*>(source)->view.descriptor(message.seq_));
  }
  return ttl_of(static_cast<const Block*>(source)->data->entry(message.seq_));
}

void ConsumerCore::drop(Message& message) noexcept {
  if (!attachment_.forked()) {
    if (message.receipt_ != Message::settled) hand_back(message.seq_, message.receipt_, 0);
    return end_view(message);
  }
  message.forget();
}

void ConsumerCore::end_view(Message& message) noexcept {
  auto* source = static_cast<Source*>(message.source_);
  --source->users;
  live_.end(message.seq_, source->is_ring ? LiveSet::Where::ring : LiveSet::Where::apart);
  view_ended(source->is_ring ? message.seq_ + 1 : layout::no_sequence);
  message.forget();
  if (--messages_ == 0 && closed_) delete this;
}

void ConsumerCore::close() noexcept {
  closed_ = true;
  if (!attachment_.forked()) {
    watch_.reset();
    tell_read_back();
    leave();
  }
  if (messages_ == 0) delete this;
}

}  // namespace spillring::client

namespace spillring {

std::optional<std::span<const std::byte>> Message::key() const {
  return layout::decode_key({meta_, meta_size_});
}

std::vector<Header> Message::headers() const { return layout::decode_headers({meta_, meta_size_}); }

Timeout Message::ttl() const noexcept { return core_ == nullptr ? no_wait : core_->ttl(*this); }

std::chrono::system_clock::time_point Message::timestamp() const noexcept {
  return std::chrono::system_clock::time_point(std::chrono::nanoseconds(timestamp_));
}

Result<void> Message::ack() {
  return core_ == nullptr ? Result<void>(Code::closed) : core_->ack(*this);
}

Result<void> Message::settle() {
  return core_ == nullptr ? Result<void>(Code::closed) : core_->settle(*this);
}

Result<void> Message::nack(Timeout delay) {
  return core_ == nullptr ? Result<void>(Code::closed) : core_->nack(*this, delay);
}

void Message::drop() noexcept {
  if (core_ != nullptr) core_->drop(*this);
}

Result<Message> Consumer::receive(Timeout timeout) {
  return core_ == nullptr ? Result<Message>(Code::closed) : core_->receive(timeout);
}

Result<std::vector<Message>> Consumer::receive_batch(std::size_t most, Timeout timeout) {
  constexpr std::size_t as_a_rule = 64;  // more than that is seldom there at once
  std::vector<Message> batch;
  batch.reserve(std::min(most, as_a_rule));
  while (batch.size() < most) {
    Result<Message> message = receive(batch.empty() ? timeout : no_wait);
    if (!message) {
      if (batch.empty()) return message.error();
      break;
    }
    batch.push_back(*std::move(message));
  }
  return batch;
}

Result<void> Consumer::wait(Timeout timeout) {
  return core_ == nullptr ? Result<void>(Code::closed) : core_->wait(timeout);
}

int Consumer::fd() {
  if (core_ == nullptr) throw Error(Code::closed);
  return core_->fd();
}

void Consumer::seek(Start start) {
  if (core_ == nullptr) throw Error(Code::closed);
  client::seek(core_, start);
}

std::uint64_t Consumer::lag() const { return core_ == nullptr ? 0 : core_->lag(); }

const std::string& Consumer::queue() const {
  if (core_ == nullptr) throw Error(Code::closed);
  return core_->queue();
}

void Consumer::close() noexcept {
  if (core_ != nullptr) std::exchange(core_, nullptr)->close();
}

}  // namespace spillring
