#include "wait/room.hpp"

#include <gtest/gtest.h>

namespace spillring::wait {
namespace {

class Room : public ::testing::Test {
 protected:
  Room() { manifest_.handles_used.store(3); }

  /// Whether what rises from 10 to 20 rings for handles that need so much, one of which sleeps.
  bool rings_for(std::uint64_t need, std::uint64_t another) {
    bells_.need[1].store(need);
    bells_.need[2].store(another);
    const std::uint32_t value = announce(bells_.room);
    ring_room(manifest_, bells_, 10, 20);
    return bells_.room.value.load() != value;
  }

  layout::Manifest manifest_{};
  layout::Bells bells_{};
};

TEST_F(Room, RingsForANeedThatIsMet) {
  EXPECT_TRUE(rings_for(11, 0));
  EXPECT_TRUE(rings_for(30, 20));
}

TEST_F(Room, DoesNotRingForWhatWasMetBeforeOrIsNotYet) {
  EXPECT_FALSE(rings_for(10, 21));
  EXPECT_FALSE(rings_for(0, 21));
}

// It would cost each ringer a look at all needs, and stand for somebody who wants room.
TEST_F(Room, TakesBackTheMarkOfSomebodyWhoHasLeft) {
  EXPECT_TRUE(rings_for(0, 0));
  EXPECT_FALSE(layout::mark_is_set(bells_.room.mark.load()));
}

}  // namespace
}  // namespace spillring::wait
