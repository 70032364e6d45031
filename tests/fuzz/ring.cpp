// A queue's shared memory, of which others write any part: its ring, the groups' cursors and holds.
// The ring lies between the redzones of the address sanitizer, so that nothing beyond it is touched
// unseen. What is in the manifest only a supervisor writes; it is forged all the same.
#include <memory>
#include <vector>

#include "layout/groups.hpp"
#include "layout/manifest.hpp"
#include "ring/claim.hpp"
#include "ring/extent.hpp"
#include "ring/reclaim.hpp"
#include "spillring/parts.hpp"
#include "target.hpp"

namespace spillring::fuzz {
namespace {

constexpr layout::RingGeometry geometry{64, 4096};
constexpr std::size_t mapped = geometry.arena_at() + 2 * geometry.arena;
constexpr layout::Owner alice{1, 1};
constexpr layout::Owner bob{2, 1};
constexpr int most_steps = 16;

struct Free {
  void operator()(std::byte* memory) const { std::free(memory); }
};

class Memory {
 public:
  Memory(std::uint64_t first, bool drops)
      : memory_(static_cast<std::byte*>(std::aligned_alloc(layout::cache_line, mapped))),
        view_(memory_.get(), geometry, first) {
    std::memset(memory_.get(), 0, mapped);
    ring::initialise(view_);
    manifest_.full = drops ? 3 : 0;
    manifest_.base.store(layout::no_sequence);
    manifest_.handles_used.store(4);
    manifest_.groups_used.store(1);
    manifest_.drops.store(drops ? first : 0);
    manifest_.groups[0].word.store(layout::entry_word(layout::Presence::live, 0, 1));
    for (auto& hold : groups_.holds) hold.sequence.store(layout::no_sequence);
    groups_.cursors[0].floor.store(first);
  }

  void step(Input& in) {
    switch (in.number<std::uint8_t>() % 10) {
      case 0:
        return forge(in, {memory_.get(), geometry.arena_at()});
      case 1:
        return forge(in, std::as_writable_bytes(std::span(&manifest_, 1)).first(1024));
      case 2:
        return forge(in, std::as_writable_bytes(std::span(&groups_, 1)).first(1024));
      case 3:
        return send(in);
      case 4:
        return look_at_all();
      case 5:
        return measure(in);
      case 6:
        return rising([&] { ring::reclaim(view_, manifest_, groups_); });
      case 7:
        return rising([&] { ring::drop_oldest(view_, manifest_, groups_, length(in)); });
      case 8:
        return end(in);
      default:
        return count(in);
    }
  }

  void look_at_all() const {
    const std::uint64_t from = view_.header().limit.load();
    for (std::uint64_t i = 0; i < geometry.slots; ++i) {
      static_cast<void>(ring::look(view_, from + i));
      if (const auto extent = ring::extent_of(view_, view_.descriptor(i)))
        require_sound(*extent, i);
    }
  }

 private:
  static std::uint64_t length(Input& in) {
    return ring::whole_units(in.number<std::uint16_t>() % (2 * geometry.arena));
  }

  void require_sound(const ring::Extent& extent, std::uint64_t slot) const {
    const Bytes arena(memory_.get() + geometry.arena_at(), 2 * geometry.arena);
    const layout::Descriptor& descriptor = view_.descriptor(slot);
    const bool is_inline = is_within(extent.payload, descriptor.bytes);
    require(is_inline || is_within(extent.payload, arena), "a payload lies in its ring");
    require(is_within(extent.metadata, arena), "metadata lie in their ring");
    require(extent.payload.size() + extent.metadata.size() <= geometry.arena,
            "a message is no larger than its ring");
    touch(extent.payload);
    touch(extent.metadata);
    for (const Bytes part : Parts(extent.payload, extent.is_batch)) touch(part);
  }

  /// As a producer does, who fills all of what it was given.
  void send(Input& in) {
    const std::uint64_t size = length(in);
    const bool publishes = (in.number<std::uint8_t>() & 1U) == 0;
    const ring::Claim claimed = ring::claim(view_, alice, size, room_);
    if (claimed.status != ring::ClaimStatus::claimed) return;
    std::memset(view_.bytes(claimed.start), 0x5a, size);
    layout::Descriptor& descriptor = view_.descriptor(claimed.sequence);
    descriptor.start = claimed.start;
    descriptor.size = static_cast<std::uint32_t>(size);
    descriptor.metadata_size = 0;
    descriptor.flags = 0;
    if (publishes) static_cast<void>(ring::publish(view_, claimed.sequence));
  }

  void measure(Input& in) {
    if (const auto used = ring::in_use(view_)) {
      require(used->end - used->first <= geometry.slots, "no more is in use than there is");
      require(used->high - used->low <= geometry.arena, "nor of the arena");
    }
    ring::Room room;
    static_cast<void>(ring::probe(view_, length(in), room));
    static_cast<void>(ring::find_tail(view_));
    const auto s = in.number<std::uint64_t>();
    static_cast<void>(ring::limit_needed(view_, s, in.number<std::uint64_t>()));
    static_cast<void>(ring::lowest_hold(view_, manifest_, groups_));
    static_cast<void>(ring::free_until(manifest_, groups_));
  }

  /// What says that memory may be used again only grows.
  template <typename Action>
  void rising(const Action& action) {
    const std::uint64_t gone = view_.header().gone.load();
    const std::uint64_t limit = view_.header().limit.load();
    action();
    require(view_.header().gone.load() >= gone, "'gone' only grows");
    require(view_.header().limit.load() >= limit, "'limit' only grows");
  }

  void end(Input& in) {
    const std::uint64_t s = view_.first() + in.number<std::uint8_t>();
    switch (in.number<std::uint8_t>() % 4) {
      case 0:
        static_cast<void>(ring::revoke(view_, s));
        break;
      case 1:
        static_cast<void>(ring::abort_claims_of(view_, bob));
        break;
      case 2:
        static_cast<void>(ring::abort(view_, s));
        break;
      default:
        static_cast<void>(ring::seal(view_));
    }
  }

  void count(Input& in) {
    const std::uint64_t known = in.number<std::uint8_t>();
    if (const auto dropped = ring::dropped_of(view_, known)) {
      require(dropped->messages <= dropped->until, "a number is one message");
    }
    const std::uint64_t end = view_.first() + in.number<std::uint8_t>();
    static_cast<void>(ring::skipped_below(view_, end, groups_.holds[1].sequence));
    require(groups_.holds[1].sequence.load() == layout::no_sequence, "a hold is let go");
  }

  std::unique_ptr<std::byte, Free> memory_;
  ring::RingView view_;
  ring::Room room_;
  layout::Manifest manifest_{};
  layout::Groups groups_{};
};

}  // namespace

void ring(Bytes input) {
  Input in(input);
  const auto how = in.number<std::uint8_t>();
  Memory memory(1 + in.number<std::uint16_t>(), (how & 1U) != 0);
  for (int steps = most_steps; steps != 0 && !in.done(); --steps) memory.step(in);
  memory.look_at_all();
}

}  // namespace spillring::fuzz
