// Groups that nobody uses: when they go, and when they do not.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <thread>

#include "client/state_fixture.hpp"
#include "client/supervisor_fixture.hpp"

namespace spillring {
namespace {

void await(const std::function<bool()>& condition) {
  for (int tries = 0; tries < 30'000; ++tries) {
    if (condition()) return;
    std::this_thread::sleep_for(1ms);
  }
  ADD_FAILURE() << "it never came true";
}

std::optional<GroupInfo> find(const Queue& queue, const std::string& name) {
  for (GroupInfo& group : queue.groups()) {
    if (group.name == name) return std::move(group);
  }
  return std::nullopt;
}

void leave_behind(const Queue& queue, const std::string& name) { (void)queue.consumer(name); }

class GroupExpiryTest : public WithSupervisor {};

TEST_F(GroupExpiryTest, WhoHasNoMembersForThatLongGoes) {
  const Queue queue = bus_.create("q", {.group_expiry = 30ms});
  EXPECT_EQ(queue.info().options.group_expiry, 30ms);
  const Consumer used = queue.consumer("used");
  leave_behind(queue, "shared");
  (void)queue.subscriber("stream");
  const Consumer broadcast = queue.subscriber();
  await([&] { return !find(queue, "shared") && !find(queue, "stream"); });
  ASSERT_TRUE(find(queue, "used"));
  EXPECT_FALSE(find(queue, "used")->expires_in);
  EXPECT_TRUE(find(queue, "")) << "a subscription without a name";
}

TEST_F(GroupExpiryTest, TheTimeThatIsLeftIsSeen) {
  const Queue queue = bus_.create("q", {.group_expiry = 1h});
  leave_behind(queue, "g");
  const auto left = find(queue, "g")->expires_in;
  ASSERT_TRUE(left);
  EXPECT_LE(*left, 1h);
  EXPECT_GT(*left, 59min);
  await([&] { return *find(queue, "g")->expires_in < *left - 20ms; });
  { const Consumer member = queue.consumer("g"); }
  EXPECT_GT(*find(queue, "g")->expires_in, *left - 20ms) << "it was used";
  leave_behind(bus_.create("plain"), "g");
  EXPECT_FALSE(find(bus_.open("plain"), "g")->expires_in);
}

TEST_F(GroupExpiryTest, AMessageInSomebodysHandsIsAMember) {
  const Queue queue = bus_.create("q", {.group_expiry = 30ms});
  Producer out = queue.producer();
  send(out, "x");
  Message held = queue.consumer("g").receive(1s).value();
  leave_behind(queue, "other");
  await([&] { return !find(queue, "other"); });
  ASSERT_TRUE(find(queue, "g"));
  EXPECT_EQ(find(queue, "g")->unacked, 1U);
  EXPECT_TRUE(held.ack());
  await([&] { return !find(queue, "g"); });
}

TEST_F(GroupExpiryTest, NotWhileALetterIsOnItsWay) {
  (void)bus_.create("dead");
  const Queue queue =
      bus_.create("q", {.max_deliveries = 1, .dead_letter = "dead", .group_expiry = 30ms});
  bus_.remove("dead");
  Producer out = queue.producer();
  send(out, "poison");
  EXPECT_TRUE(queue.consumer("g").receive(1s).value().nack());
  leave_behind(queue, "other");
  await([&] { return !find(queue, "other"); });
  EXPECT_TRUE(find(queue, "g"));
  EXPECT_EQ(queue.info().doomed, 1U);
  Consumer undertaker = bus_.create("dead").consumer();
  EXPECT_EQ(undertaker.receive(30s).value().text(), "poison");
  await([&] { return !find(queue, "g"); });
}

TEST_F(GroupExpiryTest, WhatItKeptBackIsFree) {
  const Queue queue = bus_.create("q", {.capacity = 64 * KiB, .slots = 64, .full = Full::reject});
  Consumer used = queue.consumer("used");
  leave_behind(queue, "g");
  Producer out = queue.producer();
  while (out.try_send(bytes("x"))) EXPECT_EQ(take(used), "x");
  queue.set({.group_expiry = 1ms});
  await([&] { return out.try_send(bytes("y")).error() == Code::ok; });
  EXPECT_EQ(take(used), "y");
}

TEST_F(GroupExpiryTest, CanBeSetAndEnded) {
  const Queue queue = bus_.create("q", {.group_expiry = 1h});
  leave_behind(queue, "g");
  EXPECT_EQ(queue.set({.group_expiry = no_wait}).options.group_expiry, no_wait);
  EXPECT_FALSE(find(queue, "g")->expires_in);
  queue.set({.group_expiry = 1ms});
  await([&] { return !find(queue, "g"); });
  try {
    queue.set({.group_expiry = Timeout(1)});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::invalid);
    EXPECT_FALSE(error.why().empty());
  }
}

TEST_F(GroupExpiryTest, MovingAGroupIsUsingIt) {
  const Queue queue = bus_.create("q", {.group_expiry = 1h});
  leave_behind(queue, "g");
  await([&] { return *find(queue, "g")->expires_in < 1h - 50ms; });
  queue.seek("g", Start::latest());
  EXPECT_GT(*find(queue, "g")->expires_in, 1h - 50ms);
}

class StoredGroupExpiryTest : public StateTest {};

TEST_F(StoredGroupExpiryTest, ARestartGoesOnCounting) {
  constexpr Timeout passed = 300ms;
  {
    const Queue queue = bus().create("q", {.group_expiry = 1h});
    leave_behind(queue, "g");
    await([&] { return *find(queue, "g")->expires_in < 1h - passed; });
  }
  restart();
  const Queue queue = bus().open("q");
  EXPECT_EQ(queue.info().options.group_expiry, 1h);
  ASSERT_TRUE(find(queue, "g")->expires_in);
  EXPECT_LT(*find(queue, "g")->expires_in, 1h - passed);
  queue.set({.group_expiry = 2h});
  restart();
  const auto left = *find(bus().open("q"), "g")->expires_in;
  EXPECT_GT(left, 1h);
  EXPECT_LT(left, 2h - passed);
}

TEST_F(StoredGroupExpiryTest, AfterItsLastLetterIsOnTheDisk) {
  (void)bus().create("dead", {.durability = Durability::disk});
  const Queue queue =
      bus().create("q", {.max_deliveries = 1, .dead_letter = "dead", .group_expiry = 30ms});
  Producer out = queue.producer();
  {
    Consumer last = queue.consumer("g");
    const std::byte poison[6]{};
    EXPECT_TRUE(out.send(poison, no_wait));
    EXPECT_TRUE(last.receive(1s).value().nack());
  }
  await([&] { return queue.info().dead_lettered == 1; });
  await([&] { return !find(queue, "g"); });
}

TEST_F(StoredGroupExpiryTest, WhatIsGoneStaysGone) {
  {
    const Queue queue = bus().create("q", {.group_expiry = 30ms});
    leave_behind(queue, "g");
    await([&] { return !find(queue, "g"); });
    queue.set({.group_expiry = no_wait});
  }
  restart();
  EXPECT_TRUE(bus().open("q").groups().empty());
}

}  // namespace
}  // namespace spillring
