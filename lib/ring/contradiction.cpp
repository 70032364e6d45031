#include "ring/contradiction.hpp"

#include <atomic>

#include "layout/last_sequence.hpp"
#include "ring/claim.hpp"
#include "ring/extent.hpp"

namespace spillring::ring {

using layout::claim_lap;
using layout::lap_distance;
using layout::publish_lap;
using layout::publish_state;
using layout::Published;

namespace {

using Found = std::optional<Contradiction>;

bool is_state(std::uint64_t word) noexcept {
  const Published state = publish_state(word);
  return word == layout::publish_word(publish_lap(word), state) && state >= Published::committed &&
         state <= Published::sealed;
}

/// Whether a committed message lies between `low` and `high`, the ends of the extent before and of
/// its own. Its next owner may be writing there already: whoever asks looks afterwards whether that
/// was so. (The race detector knows that only of what is written atomically.)
__attribute__((no_sanitize("thread"))) bool lies_between(const layout::Descriptor& descriptor,
                                                         std::uint64_t low,
                                                         std::uint64_t high) noexcept {
  const std::uint64_t start = __atomic_load_n(&descriptor.start, __ATOMIC_RELAXED);
  const std::uint64_t size = __atomic_load_n(&descriptor.size, __ATOMIC_RELAXED);
  const std::uint64_t metadata = __atomic_load_n(&descriptor.metadata_size, __ATOMIC_RELAXED);
  const std::uint32_t flags = __atomic_load_n(&descriptor.flags, __ATOMIC_RELAXED);
  if ((flags & layout::payload_inline) != 0) {
    return size <= layout::inline_size && metadata == 0;
  }
  const std::uint64_t lead = whole_units(metadata);
  return metadata <= layout::max_metadata && start >= low && start - low >= lead && start <= high &&
         size <= high - start;
}

/// One look. The order of the loads is what makes the proofs: all are acquire, so they happen as
/// they are written.
class Examination {
 public:
  explicit Examination(const RingView& ring) noexcept
      : ring_(ring),
        limit_(limit_now()),
        gone_(ring.header().gone.load(std::memory_order_acquire)) {}

  Found find() noexcept {
    if (limit_ < ring_.first() || limit_ > layout::last_sequence) {
      return Contradiction{limit_, "is none of its numbers, and the limit"};
    }
    // limit <= gone always, and `gone` was read later.
    if (gone_ < limit_) return Contradiction{gone_, "is not gone, and the limit is behind it"};
    for (std::uint64_t left = ring_.slots() + 1; left != 0; --left) {
      if (const Found found = examine(limit_ - 1 + (left - 1))) return found;
    }
    return examine_gone();
  }

 private:
  [[nodiscard]] std::uint64_t limit_now() const noexcept {
    return ring_.header().limit.load(std::memory_order_acquire);
  }
  /// Claims need `limit` to be within N - 2 of them: while it rests, no slot is claimed for a
  /// second lap. It only grows, so a value that is there before and after was there in between.
  [[nodiscard]] bool rests() const noexcept { return limit_now() == limit_; }

  /// REQUIRES: everything above `s` has been examined, so it is known what is claimed there.
  Found examine(std::uint64_t s) noexcept {
    const Slot slot = read(ring_.claim(s));
    const std::int32_t distance = lap_distance(claim_lap(slot.word), ring_.lap(s));
    if (distance > 0) return came_round(s);
    // Below `limit` all is claimed, and so was the lap before of what is above. A2: what follows is
    // claimed after `s`, and was seen before this look.
    if (distance < -1 || (distance == -1 && (is_followed_ || s < limit_))) {
      return Contradiction{s, "was never claimed, and what needs that was"};
    }
    if (distance == -1) return std::nullopt;
    if (is_followed_ && layout::claim_owner(slot.word) == layout::seal_owner) {
      return Contradiction{s, "is the seal, and something is behind it"};
    }
    if (!is_followed_) {
      end_ = s + 1;
      is_followed_ = true;
      if (const Found found = examine_published(s + 1)) return found;  // the first that is free
    }
    if (const Found found = examine_published(s)) return found;
    return examine_extent(s, slot);
  }

  /// It is claimed a lap later than `s`, or sealed: that needs `limit` to be behind s + 1.
  Found came_round(std::uint64_t s) noexcept {
    if (limit_now() <= s + 1) return Contradiction{s, "was claimed again before it was free"};
    is_followed_ = went_on_ = true;
    end_of_next_.reset();
    return std::nullopt;
  }

  /// P.lap <= C.lap at any time, and C was read later.
  [[nodiscard]] Found examine_published(std::uint64_t s) const noexcept {
    const std::uint64_t word = ring_.descriptor(s).published.load(std::memory_order_acquire);
    const std::uint64_t claimed = ring_.claim(s).word.load(std::memory_order_acquire);
    if (lap_distance(publish_lap(word), claim_lap(claimed)) > 0) {
      return Contradiction{s, "was published before it was claimed"};
    }
    if (!is_state(word)) return Contradiction{s, "was published as what there is not"};
    return std::nullopt;
  }

  Found examine_extent(std::uint64_t s, Slot slot) noexcept {
    // The same word before and after: its lap only grows, so both halves were there at one moment.
    if (ring_.claim(s).word.load(std::memory_order_acquire) != slot.word) {
      end_of_next_.reset();
      went_on_ = true;
      return std::nullopt;
    }
    if (slot.end % layout::extent_unit != 0 || (end_of_next_ && *end_of_next_ < slot.end)) {
      return Contradiction{s, "ends behind what follows it"};
    }
    end_of_next_ = slot.end;
    if (!high_) high_ = slot.end;
    if (s >= limit_) return examine_message(s, slot.end);
    if (*high_ - slot.end > ring_.arena() && rests()) {
      return Contradiction{s, "is followed by more bytes than there are"};
    }
    return std::nullopt;
  }

  /// What was published stays as it is until `limit` is behind it.
  [[nodiscard]] Found examine_message(std::uint64_t s, std::uint64_t high) const noexcept {
    const layout::Descriptor& descriptor = ring_.descriptor(s);
    const std::uint64_t committed = layout::publish_word(ring_.lap(s), Published::committed);
    if (descriptor.published.load(std::memory_order_acquire) != committed) return std::nullopt;
    const Slot before = read(ring_.claim(s - 1));
    if (claim_lap(before.word) != ring_.lap(s - 1)) return std::nullopt;  // examined next
    if (lies_between(descriptor, before.end, high)) return std::nullopt;
    // Neither its fields nor the claim before it are anybody's again until the limit is behind it.
    std::atomic_thread_fence(std::memory_order_acquire);  // the fields before the limit
    if (limit_now() > s) return std::nullopt;
    return Contradiction{s, "does not lie where it was claimed"};
  }

  /// `gone` was read first: everything below it had been claimed by then.
  [[nodiscard]] Found examine_gone() const noexcept {
    if (went_on_ || gone_ <= end_) return std::nullopt;
    if (gone_ - 1 >= limit_ + ring_.slots() && !rests()) return std::nullopt;
    return Contradiction{gone_ - 1, "is gone, and was never claimed"};
  }

  const RingView& ring_;
  const std::uint64_t limit_;
  const std::uint64_t gone_;
  std::uint64_t end_ = 0;                     // of what is claimed
  bool is_followed_ = false;                  // something above has been seen to be claimed
  bool went_on_ = false;                      // others came round while this looked
  std::optional<std::uint64_t> high_;         // the end of the last extent
  std::optional<std::uint64_t> end_of_next_;  // of the one above, where that is known
};

}  // namespace

Found find_contradiction(const RingView& ring) noexcept { return Examination(ring).find(); }

}  // namespace spillring::ring
