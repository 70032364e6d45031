#include "wait/bell.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace spillring::wait {
namespace {

TEST(Bell, IsNotRungWhereNobodySleeps) {
  layout::Bell bell{};
  ring(bell);
  EXPECT_EQ(bell.value.load(), 0U);
}

TEST(Bell, ABurstRingsOnce) {
  layout::Bell bell{};
  announce(bell);
  for (int i = 0; i < 1000; ++i) ring(bell);
  EXPECT_EQ(bell.value.load(), 1U);
}

TEST(Bell, ARingBeforeTheNapEndsItAtOnce) {
  layout::Bell bell{};
  const std::uint32_t value = announce(bell);
  ring(bell);
  EXPECT_EQ(nap(bell, value, os::never), os::Woken::changed);
}

TEST(Bell, AnOlderMarkDoesNotReplaceANewerOne) {
  layout::Bell bell{};
  bell.value.store(5);
  bell.mark.store(layout::mark_word(6));  // of somebody who saw a later ring
  announce(bell);
  EXPECT_EQ(layout::mark_value(bell.mark.load()), 6U);
  bell.value.store(8);
  announce(bell);
  EXPECT_EQ(layout::mark_value(bell.mark.load()), 8U);
}

TEST(Bell, ARingerThatDiedHalfWayIsMadeUpForByTheNext) {
  layout::Bell bell{};
  announce(bell);
  bell.value.fetch_add(1);  // a ringer that was killed before the wake
  ring(bell);
  EXPECT_EQ(bell.value.load(), 2U);
  EXPECT_FALSE(layout::mark_is_set(bell.mark.load()));
}

TEST(BellConcurrent, NoWakeUpIsLost) {
  layout::Bell bell{};
  constexpr int rounds = 20'000;
  std::atomic<int> sent{0};
  std::atomic<int> taken{0};
  std::atomic<int> late{0};
  const auto sleeper = [&] {
    while (taken.load() < rounds) {
      const std::uint32_t value = announce(bell);
      int seen = taken.load(std::memory_order_seq_cst);
      if (seen < sent.load(std::memory_order_seq_cst)) {
        taken.compare_exchange_strong(seen, seen + 1);
        continue;
      }
      if (seen >= rounds) break;
      if (nap(bell, value, os::never) == os::Woken::timed_out && taken.load() < sent.load()) ++late;
    }
  };
  std::thread one(sleeper);
  std::thread two(sleeper);
  for (int i = 0; i < rounds; ++i) {
    sent.fetch_add(1, std::memory_order_seq_cst);
    ring(bell);
    if (i % 64 == 0) {
      while (taken.load() < sent.load()) std::this_thread::yield();
    }
  }
  while (taken.load() < rounds) std::this_thread::yield();
  announce(bell);
  ring(bell);
  one.join();
  two.join();
  EXPECT_EQ(late.load(), 0) << "a nap of a whole second ended with something to take";
}

}  // namespace
}  // namespace spillring::wait
