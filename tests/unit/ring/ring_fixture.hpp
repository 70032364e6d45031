// A queue's segments on one mapping, for tests of the protocols below the client.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "group/shared_group.hpp"
#include "layout/bells.hpp"
#include "layout/groups.hpp"
#include "layout/manifest.hpp"
#include "os/memory.hpp"
#include "ring/claim.hpp"
#include "ring/reclaim.hpp"

namespace spillring::ring {

class RingFixture : public ::testing::Test {
 protected:
  static constexpr layout::RingGeometry geometry{64, 16384};
  static constexpr layout::Owner alice{1, 1};
  static constexpr layout::Owner bob{2, 1};

  RingFixture() { begin(1); }

  void begin(std::uint64_t first) {
    ring_ = RingView(map_.data(), geometry, first);
    initialise(ring_);
    manifest_.base.store(layout::no_sequence);
    manifest_.handles_used.store(16);
    for (auto& hold : groups_.holds) hold.sequence.store(layout::no_sequence);
    add_group(0, first);
  }

  void add_group(std::uint32_t slot, std::uint64_t floor) {
    manifest_.groups[slot].word.store(layout::entry_word(layout::Presence::live, 0, 1));
    groups_.cursors[slot].floor.store(floor);
    raise(manifest_.groups_used, slot + 1);
    manifest_.group_version.fetch_add(1);
  }

  Claim claim_one(layout::Owner owner = alice, std::uint64_t length = 64) {
    return claim(ring_, owner, length, room_);
  }
  /// Claims and publishes; returns the sequence.
  std::uint64_t send(layout::Owner owner = alice, std::uint64_t length = 64) {
    const Claim claimed = claim_one(owner, length);
    EXPECT_EQ(claimed.status, ClaimStatus::claimed);
    EXPECT_EQ(publish(ring_, claimed.sequence), PublishStatus::ok);
    return claimed.sequence;
  }
  void set_floor(std::uint64_t s, std::uint32_t group = 0) {
    groups_.cursors[group].floor.store(s);
  }
  bool reclaim_once() { return reclaim(ring_, manifest_, groups_); }
  void reclaim_all() {
    while (reclaim_once()) {
    }
  }
  [[nodiscard]] std::uint64_t limit() const { return ring_.header().limit.load(); }

  os::Fd memory_ = os::create_memory("spillring:test:ring", geometry.segment_size());
  os::Mapping map_{memory_, geometry.arena_at(), geometry.arena, os::Rights::read_write};
  RingView ring_;
  Room room_;
  layout::Manifest manifest_{};
  layout::Groups groups_{};
};

}  // namespace spillring::ring
