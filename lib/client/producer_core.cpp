#include "client/producer_core.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "layout/metadata.hpp"
#include "ring/reclaim.hpp"
#include "wait/bell.hpp"

namespace spillring::client {

namespace {

// While a queue has not reached its capacity, or spills, it is not full, even for those who do not
// wait: this long may the supervisor take to make it grow, or to write.
constexpr Timeout growth_patience = std::chrono::milliseconds(200);

// A sleeper first asks to be woken when a quarter of the ring is free, so that a wake is worth many
// messages; after this long, when there is room for one.
constexpr os::Instant comfort_nap = 5'000'000;
constexpr unsigned comfort = 4;  // a quarter
constexpr unsigned no_spare = 0;

// Readers that do not make a quarter of a ring free in this time are slow: a larger one is worth
// that it leaves the cache (layout::grows_when_asked).
constexpr os::Instant readers_patience = 10'000'000;

// Others may take the room that somebody has made, but not again and again without a look at the
// clock.
constexpr int most_rounds = 100;

/// By its owner, before it is published. `ttl` and `boot` are there already.
void begin_time(layout::Expiry& expiry) noexcept { expiry.at = os::after(os::now(), expiry.ttl); }

std::size_t plain_below(const layout::Manifest& manifest, const ProducerOptions& options) noexcept {
  if (options.ttl != no_wait) return 0;
  return std::min(manifest.largest_message, manifest.capacity / 2) + 1;
}

}  // namespace

std::uint64_t ProducerCore::Shape::lead() const noexcept { return ring::whole_units(metadata); }

std::uint64_t ProducerCore::Shape::extent() const noexcept {
  if (in_descriptor) return 0;
  // Extents begin at multiples of a unit; a stricter alignment needs room to move the payload up.
  return lead() + (alignment - layout::extent_unit) + ring::whole_units(size);
}

ProducerCore::ProducerCore(const QueueRef& queue, Answered& answer, const ProducerOptions& options)
    : attachment_(queue, answer, Attachment::Kind::producer),
      rings_(attachment_),
      options_(options),
      plain_below_(plain_below(attachment_.manifest(), options)),
      keeps_nothing_(attachment_.manifest().keep == static_cast<std::uint8_t>(Keep::attached) ||
                     layout::drops_oldest(attachment_.manifest())) {
  advance().value();
}

ProducerCore::~ProducerCore() = default;

Result<ProducerCore::Shape> ProducerCore::shape_of(std::size_t size,
                                                   const LoanOptions& options) const noexcept {
  const std::size_t alignment = options.alignment == 0 ? layout::extent_unit : options.alignment;
  if (!std::has_single_bit(alignment) || alignment > layout::max_alignment) return Code::invalid;
  const Timeout ttl = time_for(options.metadata.ttl);
  if (ttl < no_wait) return Code::invalid;
  const auto metadata = layout::encoded_size(options.metadata);
  if (!metadata) return Code::too_large;
  // Checked apart, so that no sum can wrap.
  const std::uint64_t largest = attachment_.manifest().largest_message;
  if (size > largest || *metadata > largest - size) return Code::too_large;
  Shape shape{size, *metadata, std::max<std::uint64_t>(alignment, layout::extent_unit), false, ttl};
  shape.in_descriptor =
      size <= layout::inline_size && *metadata == 0 && options.alignment <= 8 && ttl == forever;
  if (shape.extent() > attachment_.manifest().capacity / 2) return Code::too_large;
  return shape;
}

Timeout ProducerCore::time_for(Timeout ttl) const noexcept {
  if (ttl != no_wait) return ttl;
  if (options_.ttl != no_wait) return options_.ttl;
  const std::uint64_t queues = ttl_of_queue();
  return queues == 0 ? forever : Timeout(queues);
}

ring::Claim ProducerCore::claim_plain(std::size_t size) noexcept {
  // The condition before all else of the manifest: a forked child has none.
  if (size >= plain_below_ || attachment_.condition() != Code::ok || ttl_of_queue() != 0) return {};
  const std::uint64_t extent = size <= layout::inline_size ? 0 : ring::whole_units(size);
  return try_claim(extent);
}

Result<Loan> ProducerCore::loan(std::size_t size, Timeout timeout, const LoanOptions& options) {
  if (is_plain(options.metadata) && options.alignment == 0) {
    const ring::Claim claim = claim_plain(size);
    if (claim.status == ring::ClaimStatus::claimed) {
      const Ring& ring = *newest_;
      if (size > layout::inline_size) {
        // The end of the message before is another's word: aligned it is whatever that says.
        const std::uint64_t start = ring::whole_units(claim.start);
        return lend(claim, {start, size, 0, 0}, ring.view.bytes(start));
      }
      return lend(claim, {claim.start, size, 0, layout::payload_inline},
                  ring.view.descriptor(claim.sequence).bytes);
    }
  }
  // What stood in the way is found again, and told, or waited for.
  return loan_any(size, timeout, options);
}

Result<Loan> ProducerCore::loan_any(std::size_t size, Timeout timeout, const LoanOptions& options) {
  if (closed_) return Code::closed;
  if (attachment_.forked()) return Code::forked;
  const Result<Shape> shape = shape_of(size, options);
  if (!shape) return shape.error();
  os::Instant until = 0;  // read from the clock only when there is something to wait for
  for (int rounds = 0;; ++rounds) {
    if (const Code code = attachment_.condition(); code != Code::ok) return code;
    const Ring& ring = *newest_;
    const ring::Claim claim = try_claim(shape->extent());
    if (claim.status == ring::ClaimStatus::claimed) {
      return lend(claim, *shape, options.metadata);
    }
    if (claim.status == ring::ClaimStatus::corrupt) return attachment_.report_damage();
    const bool sealed = claim.status == ring::ClaimStatus::sealed;
    const bool may_go_on = rounds < most_rounds;
    if (!sealed && may_go_on && gain_room(ring.view, claim, shape->extent())) continue;
    const bool may_wait =
        timeout > no_wait && attachment_.manifest().full != static_cast<std::uint8_t>(Full::reject);
    if (!may_wait && !sealed && !can_grow(claim.status) &&
        rings_.newest_name() == ring.view.first()) {
      // What keeps the ring full may be a stopped process, and nobody else may be asking.
      if (const os::Instant now = os::now(); now - last_asked_ >= comfort_nap) {
        last_asked_ = now;
        ask_for_room(shape->extent());
        unmap_old_rings();
      }
      return Code::full;
    }
    // Once: others may take what has become free.
    const bool is_patient = until == 0 && may_wait && timeout > growth_patience &&
                            stays_for_readers(ring.view, shape->extent());
    if (until == 0) until = os::deadline(may_wait ? timeout : growth_patience);
    Result<void> waited =
        sleep_for_room(ring, shape->extent(), until, is_patient, [this] { unmap_old_rings(); });
    if (waited && !may_go_on && os::now() >= until) waited = Code::timeout;
    if (!waited && waited.error() != Code::timeout) return waited.error();
    if (const Result<void> moved = advance(); !moved) return moved.error();
    if (!waited) {
      // One last look: the nap may have ended for want of time with room just made.
      const ring::Claim last = try_claim(shape->extent());
      if (last.status == ring::ClaimStatus::claimed) {
        return lend(last, *shape, options.metadata);
      }
      return may_wait ? Code::timeout : Code::full;
    }
  }
}

Result<Loan> ProducerCore::lend(const ring::Claim& claim, const Shape& shape,
                                const Metadata& metadata) {
  const ring::RingView& ring = newest_->view;
  const auto metadata_size = static_cast<std::uint32_t>(shape.metadata);
  if (shape.in_descriptor) {
    return lend(claim, {claim.start, shape.size, metadata_size, layout::payload_inline},
                ring.descriptor(claim.sequence).bytes);
  }
  const std::uint64_t payload = claim.start + shape.lead();
  // The arena begins at a page, so a position is as aligned as the address.
  const std::uint64_t start = (payload + shape.alignment - 1) / shape.alignment * shape.alignment;
  if (shape.metadata != 0) layout::encode(metadata, ring.bytes(start - shape.lead()));
  std::uint32_t flags = 0;
  if (shape.ttl != forever) {
    flags = layout::expires;
    const auto ttl = static_cast<std::uint64_t>(shape.ttl.count());
    ring.descriptor(claim.sequence).expiry = {os::never, attachment_.manifest().boot, ttl};
  }
  return lend(claim, {start, shape.size, metadata_size, flags}, ring.bytes(start));
}

Result<Loan> ProducerCore::lend(const ring::Claim& claim, const Description& description,
                                std::byte* payload) {
  call_attention(claim);
  Result<Loan> result{Loan()};
  Loan& loan = *result;
  loan.core_ = this;
  loan.ring_ = newest_;
  loan.data_ = payload;
  loan.size_ = description.size;
  loan.seq_ = claim.sequence;
  loan.start_ = description.start;
  loan.metadata_size_ = description.metadata_size;
  loan.flags_ = description.flags;
  ++newest_->users;
  ++loans_;
  return result;
}

/// The descriptor is written just before the swap: a reader that polls pulls the line away from
/// whoever writes it in two goes.
Result<std::uint64_t> ProducerCore::publish_in(const Ring& ring, std::uint64_t s,
                                               const Description& description) noexcept {
  const std::uint64_t time = os::wall_clock();
  layout::Descriptor& descriptor = ring.view.descriptor(s);
  describe(descriptor, description, time);
  if ((description.flags & layout::expires) != 0) [[unlikely]] {
    begin_time(descriptor.expiry);
  }
  const ring::PublishStatus status = publish(ring.view, ring.mark, s);
  // After the swap, which is the fence (wait/bell.hpp, W1).
  if (status == ring::PublishStatus::ok) {
    wait::ring(attachment_.bells().data);
    last_published_ = std::max(last_published_, s);
  }
  tell_follower(s, s);
  // Released: there may be room now. So there may be where no group has to be passed first.
  if (status != ring::PublishStatus::ok || keeps_nothing_) wait::ring(attachment_.bells().room);
  if (status == ring::PublishStatus::ok) {
    prefetch_after(ring.view, s, description);
    return s;
  }
  return status == ring::PublishStatus::stale ? Code::stale : attachment_.report_damage();
}

/// As loan() and publish(), without a loan in between: nothing can happen to it there.
Result<std::uint64_t> ProducerCore::send(std::span<const std::byte> bytes, Timeout timeout,
                                         const Metadata& metadata) {
  if (is_plain(metadata)) {
    const ring::Claim claim = claim_plain(bytes.size());
    if (claim.status == ring::ClaimStatus::claimed) return send_claimed(bytes, claim);
  }
  Result<Loan> room = loan_any(bytes.size(), timeout, {.metadata = metadata, .alignment = 0});
  if (!room) return room.error();
  if (!bytes.empty()) std::memcpy(room->bytes().data(), bytes.data(), bytes.size());
  return room->publish();
}

Result<std::uint64_t> ProducerCore::send_claimed(std::span<const std::byte> bytes,
                                                 const ring::Claim& claim) noexcept {
  const Ring& ring = *newest_;
  const bool in_descriptor = bytes.size() <= layout::inline_size;
  std::byte* payload =
      in_descriptor ? ring.view.descriptor(claim.sequence).bytes : ring.view.bytes(claim.start);
  if (!bytes.empty()) std::memcpy(payload, bytes.data(), bytes.size());
  call_attention(claim);
  return publish_in(
      ring, claim.sequence,
      {claim.start, bytes.size(), 0, in_descriptor ? std::uint32_t{layout::payload_inline} : 0U});
}

/// The queue fills up: the supervisor makes room in time. Once for each mark that it has set.
void ProducerCore::call_attention(const ring::Claim& claim) noexcept {
  const layout::Manifest& m = attachment_.manifest();
  const std::uint64_t mark = m.alert_sequence.load(std::memory_order_relaxed);
  if (claim.sequence < mark && claim.start < m.alert_position.load(std::memory_order_relaxed)) {
    return;
  }
  if (mark == last_mark_) return;
  last_mark_ = mark;
  attachment_.ask_service();
}

/// Somebody waits to write what was published, `first` to `last`, or what these were in the way of.
/// REQUIRES: the changes were seq_cst operations: either this sees what the supervisor stored
/// before it looked, or that look saw the change.
void ProducerCore::tell_follower(std::uint64_t first, std::uint64_t last) noexcept {
  // SYNC POINT READ: follow_from.
  const std::uint64_t from = attachment_.manifest().follow_from.load(std::memory_order_seq_cst);
  // It may have been told of something behind `from`, and wait for `from` itself.
  if (last < from || (from == last_told_ && first > from)) return;
  last_told_ = from;
  attachment_.ask_service();
}

Code ProducerCore::on_disk(std::uint64_t s) const noexcept {
  const layout::Manifest& m = attachment_.manifest();
  // SYNC POINT READ: journaled. seq_cst: a second look, after the mark was set (wait/bell.hpp, W1).
  if (m.journaled.load(std::memory_order_seq_cst) <= s) return Code::timeout;
  // In this order: it goes over what is lost only when that has been said.
  return m.lost_until.load(std::memory_order_seq_cst) > s ? Code::in_doubt : Code::ok;
}

Code ProducerCore::disk_condition() const {
  const Code code = attachment_.condition();
  if (code == Code::poisoned) return Code::in_doubt;
  // Unavailable: it is being saved, unless nobody is there any more.
  if (code != Code::ok && code != Code::unavailable) return code;
  return attachment_.supervisor_is_gone() ? Code::in_doubt : Code::timeout;
}

Result<void> ProducerCore::confirm(std::uint64_t s, Timeout timeout) {
  if (attachment_.forked()) return Code::forked;
  if (attachment_.manifest().durability != static_cast<std::uint8_t>(Durability::disk)) {
    return Code::unsupported;
  }
  if (s == 0) return {};
  if (const Code code = on_disk(s); code != Code::timeout) return code;
  const os::Instant until = os::deadline(timeout);
  layout::Bell& bell = attachment_.bells().disk;
  for (;;) {
    const std::uint32_t value = wait::announce(bell);
    if (const Code code = on_disk(s); code != Code::timeout) return code;
    if (os::now() >= until) return Code::timeout;
    const os::Woken woken = wait::nap(bell, value, attachment_.nap_until(until));
    if (const Code code = on_disk(s); code != Code::timeout) return code;
    if (woken == os::Woken::interrupted && options_.interruptible) return Code::interrupted;
    if (woken != os::Woken::timed_out) continue;
    // Whoever was to tell the supervisor may have been stopped before it did.
    attachment_.ask_service();
    if (const Code code = disk_condition(); code != Code::timeout) {
      const Code last = on_disk(s);
      return last == Code::timeout ? code : last;
    }
    if (options_.interruptible && os::now() < until) return Code::interrupted;
  }
}

Result<void> ProducerCore::advance() {
  // A ring may be let go between reading its name and asking for it: then there is a newer one.
  for (int attempt = 0; attempt < 100; ++attempt) {
    const std::uint64_t name = rings_.newest_name();
    if (newest_ != nullptr && name <= newest_->view.first()) {
      if (name == newest_->view.first()) unmap_old_rings();
      return {};
    }
    if (name == 0) return Code::deleted;
    try {
      newest_ = rings_.at(name);
      mark_ = newest_->mark;
      room_ = {};
      return {};
    } catch (const Error& error) {
      if (error.code() != Code::not_found) return error.code();
    }
  }
  return Code::unavailable;
}

void ProducerCore::unmap_old_rings() noexcept {
  if (!rings_.may_drop()) return;
  // It may be let go between two looks at the names, and is written to next: it stays.
  ++newest_->users;
  rings_.drop_unused();
  --newest_->users;
}

bool ProducerCore::gain_room(const ring::RingView& ring, const ring::Claim& claim,
                             std::uint64_t extent) noexcept {
  return ring::reclaim(ring, attachment_.manifest(), attachment_.groups()) ||
         drop_oldest(ring, claim.status, extent);
}

bool ProducerCore::drop_oldest(const ring::RingView& ring, ring::ClaimStatus status,
                               std::uint64_t extent) const noexcept {
  const layout::Manifest& m = attachment_.manifest();
  if (!layout::drops_oldest(m)) return false;
  // A larger ring comes first, and what is older than this ring's messages goes before them.
  const std::uint32_t wanting =
      status == ring::ClaimStatus::no_slots ? layout::more_slots : layout::more_bytes;
  if ((m.can_grow.load(std::memory_order_acquire) & wanting) != 0) return false;
  if (m.drops.load(std::memory_order_seq_cst) != ring.first()) return false;
  return ring::drop_oldest(ring, m, attachment_.groups(), extent);
}

bool ProducerCore::can_grow(ring::ClaimStatus status) const noexcept {
  // Who is interruptible waits apart from its attempts.
  if (attachment_.manifest().full == static_cast<std::uint8_t>(Full::spill) ||
      layout::drops_oldest(attachment_.manifest())) {
    return !options_.interruptible;
  }
  const std::uint32_t wanting =
      status == ring::ClaimStatus::no_slots ? layout::more_slots : layout::more_bytes;
  return (attachment_.manifest().can_grow.load(std::memory_order_acquire) & wanting) != 0;
}

bool ProducerCore::stays_for_readers(const ring::RingView& ring,
                                     std::uint64_t extent) const noexcept {
  const layout::Manifest& m = attachment_.manifest();
  // In whatever way: who asks for want of slots gets the bytes that there may be.
  return !options_.interruptible && layout::grows_when_asked(m, ring.arena()) &&
         m.can_grow.load(std::memory_order_relaxed) != 0 && extent <= ring.arena() / comfort;
}

void ProducerCore::ask_for_room(std::uint64_t extent) noexcept {
  auto& wanted = attachment_.bells().wanted;
  extent = std::max(extent, layout::extent_unit);  // 0 would say that nobody wants anything
  std::uint64_t seen = wanted.load(std::memory_order_relaxed);
  while (seen < extent && !wanted.compare_exchange_weak(seen, extent, std::memory_order_seq_cst)) {
  }
  attachment_.ask_service();
}

bool ProducerCore::worth_a_try(const Ring& newest, std::uint64_t extent,
                               unsigned spare) const noexcept {
  if (attachment_.condition() != Code::ok) return true;
  const ring::RingView& ring = newest.view;
  if (rings_.newest_name() != ring.first()) return true;
  if (newest.is_condemned()) return false;  // before its successor is there
  // An eighth of the ring at a time; a large message may need it all.
  for (int eighth = 0; eighth < 8; ++eighth) {
    if (!ring::reclaim(ring, attachment_.manifest(), attachment_.groups())) break;
  }
  ring::Room room;
  if (!ring::refresh(ring, room)) return true;
  const ring::Claim at = ring::probe(ring, extent, room);
  if (at.status == ring::ClaimStatus::corrupt) return true;
  if (at.status == ring::ClaimStatus::sealed) return false;  // before its successor is there
  if (at.status != ring::ClaimStatus::claimed) return drop_oldest(ring, at.status, extent);
  if (spare == no_spare) return true;
  const std::uint64_t slots = room.limit + ring.slots() - 2 - at.sequence;
  const std::uint64_t bytes = ring.arena() - (at.start - room.low);
  return slots >= ring.slots() / spare && bytes >= ring.arena() / spare;
}

std::uint64_t ProducerCore::limit_to_wait_for(const Ring& newest, std::uint64_t extent,
                                              unsigned spare) const noexcept {
  if (newest.is_condemned()) return layout::no_sequence;
  const ring::RingView& ring = newest.view;
  // No room helps here: the next ring does, and the supervisor rings for that.
  if (extent > ring.arena()) return layout::no_sequence;
  ring::Room room;
  const ring::Claim at = ring::probe(ring, extent, room);
  if (at.status == ring::ClaimStatus::sealed) return layout::no_sequence;
  const std::uint64_t slots = spare == no_spare ? 0 : ring.slots() / spare;
  const std::uint64_t bytes = spare == no_spare ? 0 : ring.arena() / spare;
  // 0 would say that nobody waits.
  return std::max<std::uint64_t>(
      ring::limit_needed(ring, at.sequence + slots, at.start + std::max(extent, bytes)), 1);
}

template <typename BeforeNap>
Result<void> ProducerCore::sleep_for_room(const Ring& ring, std::uint64_t extent, os::Instant until,
                                          bool is_patient, BeforeNap before_nap) {
  if (spin_.until([&] { return worth_a_try(ring, extent, no_spare); }, until)) return {};
  layout::Bell& bell = attachment_.bells().room;
  auto& need = attachment_.bells().need[attachment_.owner().slot];
  const os::Instant comfortable_until =
      std::min(until, os::now() + (is_patient ? readers_patience : comfort_nap));
  // Who drops makes just the room that it needs.
  unsigned spare = layout::drops_oldest(attachment_.manifest()) ? no_spare : comfort;
  for (;;) {
    if (spare != no_spare && os::now() >= comfortable_until) {
      // Readers are slow, though there may be room for this one.
      if (is_patient) ask_for_room(extent);
      spare = no_spare;
    }
    const std::uint64_t limit = limit_to_wait_for(ring, extent, spare);
    need.store(limit, std::memory_order_seq_cst);
    const std::uint32_t value = wait::announce(bell);
    const bool done = worth_a_try(ring, extent, spare);
    const os::Instant now = os::now();
    if (done || now >= until) {
      need.store(0, std::memory_order_relaxed);
      return done || worth_a_try(ring, extent, no_spare) ? Result<void>{} : Code::timeout;
    }
    // Others may have used what came free before the need was there to be seen: it is met already
    // then, and nobody rings for it any more. (The look has raised the limit as far as it goes.)
    if (limit != layout::no_sequence &&
        ring.view.header().limit.load(std::memory_order_seq_cst) >= limit) {
      continue;
    }
    // Always before a nap: growth, a stalled loan in the way, a pinned ring are the supervisor's.
    if (!is_patient || spare == no_spare) ask_for_room(extent);
    before_nap();
    const os::Woken woken = wait::nap(
        bell, value, attachment_.nap_until(spare == no_spare ? until : comfortable_until));
    if (woken == os::Woken::interrupted && options_.interruptible) {
      need.store(0, std::memory_order_relaxed);
      return Code::interrupted;
    }
    // Before the mark is set again, which costs the next ringer a system call.
    if (worth_a_try(ring, extent, spare)) {
      need.store(0, std::memory_order_relaxed);
      return {};
    }
    if (woken == os::Woken::timed_out && options_.interruptible && spare == no_spare &&
        os::now() < until) {
      need.store(0, std::memory_order_relaxed);
      return Code::interrupted;
    }
  }
}

Result<void> ProducerCore::wait_for_room(std::size_t size, Timeout timeout) {
  if (const Code code = attachment_.condition(); code != Code::ok) return code;
  const Result<Shape> shape = shape_of(size, {});
  if (!shape) return shape.error();
  const std::shared_ptr<Ring> ring = rings_.mapped_for(layout::no_sequence);
  return sleep_for_room(*ring, shape->extent(), os::deadline(timeout), false, [] {});
}

Result<std::uint64_t> ProducerCore::publish(Loan& loan, std::size_t size) {
  if (attachment_.forked()) return Code::forked;
  if (size > loan.size_) return Code::invalid;
  return publish_and_end(loan, size);
}

/// With one result only, so that it is made where the caller wants it, and not moved there.
Result<std::uint64_t> ProducerCore::publish_and_end(Loan& loan, std::size_t size) noexcept {
  Result<std::uint64_t> result = publish_in(*static_cast<Ring*>(loan.ring_), loan.seq_,
                                            {loan.start_, size, loan.metadata_size_, loan.flags_});
  end_loan(loan);  // the last thing: this object may be gone with it
  return result;
}

void ProducerCore::cancel(Loan& loan) noexcept {
  if (!attachment_.forked()) {
    const auto* ring = static_cast<Ring*>(loan.ring_);
    ring::abort(ring->view, loan.seq_);
    tell_follower(loan.seq_, loan.seq_);
    // Readers skip the number; it may have been in the way of some, and of room.
    wait::ring(attachment_.bells().data);
    wait::ring(attachment_.bells().room);
  }
  end_loan(loan);
}

DiskAlarm ProducerCore::disk_alarm() const noexcept {
  return static_cast<DiskAlarm>(attachment_.manifest().disk_alarm.load(std::memory_order_relaxed));
}

void ProducerCore::end_loan(Loan& loan) noexcept {
  --static_cast<Ring*>(loan.ring_)->users;
  loan.forget();
  if (--loans_ == 0 && closed_) delete this;
}

void ProducerCore::close() noexcept {
  closed_ = true;
  if (loans_ == 0) delete this;
}

}  // namespace spillring::client

namespace spillring {

Result<std::uint64_t> Loan::publish(std::size_t size) {
  return core_ == nullptr ? Result<std::uint64_t>(Code::closed) : core_->publish(*this, size);
}

void Loan::cancel() noexcept {
  if (core_ != nullptr) core_->cancel(*this);
}

Result<Loan> Producer::loan(std::size_t size, Timeout timeout, const LoanOptions& options) {
  return core_ == nullptr ? Result<Loan>(Code::closed) : core_->loan(size, timeout, options);
}

Result<std::uint64_t> Producer::send(std::span<const std::byte> bytes, Timeout timeout,
                                     const Metadata& metadata) {
  return core_ == nullptr ? Result<std::uint64_t>(Code::closed)
                          : core_->send(bytes, timeout, metadata);
}

Result<std::uint64_t> Producer::try_send(std::span<const std::byte> bytes,
                                         const Metadata& metadata) {
  return send(bytes, no_wait, metadata);
}

Result<Sent> Producer::send_batch(std::span<const std::span<const std::byte>> messages,
                                  Timeout timeout, const BatchOptions& options) {
  return core_ == nullptr ? Result<Sent>(Code::closed)
                          : core_->send_batch(messages, timeout, options);
}

std::uint64_t Producer::published() const noexcept {
  return core_ == nullptr ? 0 : core_->published();
}

Result<void> Producer::flush(Timeout timeout) {
  return core_ == nullptr ? Result<void>(Code::closed) : core_->flush(timeout);
}

Result<void> Producer::confirm(std::uint64_t seq, Timeout timeout) {
  return core_ == nullptr ? Result<void>(Code::closed) : core_->confirm(seq, timeout);
}

Result<void> Producer::wait_for_room(std::size_t size, Timeout timeout) {
  return core_ == nullptr ? Result<void>(Code::closed) : core_->wait_for_room(size, timeout);
}

DiskAlarm Producer::disk_alarm() const noexcept {
  return core_ == nullptr ? DiskAlarm::none : core_->disk_alarm();
}

const std::string& Producer::queue() const {
  if (core_ == nullptr) throw Error(Code::closed);
  return core_->queue();
}

void Producer::close() noexcept {
  if (core_ != nullptr) std::exchange(core_, nullptr)->close();
}

}  // namespace spillring
