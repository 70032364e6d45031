// The supervisor's allocations fail, each in turn.
#include <gtest/gtest.h>

#include "client/supervisor_fixture.hpp"
#include "failing_memory.hpp"

namespace spillring {
namespace {

class NoMemoryTest : public WithSupervisor {
 protected:
  /// Calls it while the allocation after so many fails. False: none did.
  template <typename Action>
  static bool fails_one_of(int left, Action action) {
    failing_memory::arm(left);
    try {
      action();
    } catch (const Error&) {  // told, or left without an answer
    }
    return failing_memory::disarm();
  }
};

TEST_F(NoMemoryTest, AGroupIsRemovedWithItsMembersOrIsAsItWas) {
  const Queue queue = bus_.create("q");
  bool failed = true;
  for (int left = 0; failed; ++left) {
    SCOPED_TRACE(left);
    Consumer member = queue.consumer("g");
    Producer out = queue.producer();
    send(out, "m");
    const Client other = supervisor_.connect();
    const Queue theirs = other.open("q");
    failed = fails_one_of(left, [&] { theirs.remove_group("g", true); });
    if (!queue.groups().empty()) {
      EXPECT_EQ(take(member), "m") << "nothing was changed";
      queue.remove_group("g", true);
    }
    EXPECT_TRUE(queue.groups().empty());
    EXPECT_EQ(member.try_receive().error(), Code::deleted);
    ASSERT_LT(left, 1000);
  }
}

TEST_F(NoMemoryTest, ThePlaceOfTheOnlyProducerIsGivenOrFree) {
  const Queue queue = bus_.create("q", {.exclusive_producer = true});
  bool failed = true;
  for (int left = 0; failed; ++left) {
    SCOPED_TRACE(left);
    const Client other = supervisor_.connect();
    const Queue theirs = other.open("q");
    failed = fails_one_of(left, [&] { static_cast<void>(theirs.producer()); });
    EXPECT_NO_THROW(static_cast<void>(queue.producer()));
    ASSERT_LT(left, 1000);
  }
}

TEST_F(NoMemoryTest, AMemberIsThereOrIsNot) {
  const Queue queue = bus_.create("q");
  bool failed = true;
  for (int left = 0; failed; ++left) {
    SCOPED_TRACE(left);
    const Client other = supervisor_.connect();
    const Queue theirs = other.open("q");
    failed = fails_one_of(left, [&] { static_cast<void>(theirs.consumer("g")); });
    EXPECT_EQ(queue.info().consumers, 0U);
    ASSERT_LT(left, 1000);
  }
}

}  // namespace
}  // namespace spillring
