// durability = disk: who waits learns when the disk has it, and nobody is told so too early.
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>

#include "client/state_fixture.hpp"

namespace spillring {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

class DurableTest : public StateTest {
 protected:
  static std::span<const std::byte> bytes(std::string_view text) {
    return std::as_bytes(std::span(text));
  }
};

TEST_F(DurableTest, WhatWasFlushedIsInTheJournal) {
  const Queue queue = bus().create("q", {.durability = Durability::disk});
  Producer out = queue.producer();
  EXPECT_TRUE(out.flush(no_wait)) << "nothing was published";
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(out.send(bytes("message")));
  ASSERT_TRUE(out.flush(10s));
  EXPECT_EQ(queue.info().journaled, 100U);
  EXPECT_EQ(out.published(), 100U);
  EXPECT_TRUE(out.confirm(100, no_wait));
  EXPECT_EQ(out.confirm(101, 20ms).error(), Code::timeout) << "nobody has sent that";
}

TEST_F(DurableTest, WithoutAnybodyWaitingItFollowsAllTheSame) {
  const Queue queue = bus().create("q", {.durability = Durability::disk});
  Producer out = queue.producer();
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(out.send(bytes("message")));
  for (int tries = 0; tries < 1000 && queue.info().journaled != 1000; ++tries) {
    std::this_thread::sleep_for(10ms);
  }
  EXPECT_EQ(queue.info().journaled, 1000U);
}

TEST_F(DurableTest, WhatWasReadBeforeItWasWrittenIsWrittenToo) {
  const Queue queue = bus().create("q", {.durability = Durability::disk, .prealloc = true});
  Producer out = queue.producer();
  Consumer in = queue.consumer();
  for (int i = 0; i < 20'000; ++i) {
    ASSERT_TRUE(out.send(bytes("message"), 5s));
    Result<Message> got = in.receive(5s);
    ASSERT_TRUE(got) << i;
    EXPECT_EQ(got->deliveries(), 1U);
    ASSERT_TRUE(got->ack());
  }
  ASSERT_TRUE(out.flush(10s));
  EXPECT_EQ(queue.info().messages, 0U);
}

TEST_F(DurableTest, ALoanThatWasGivenUpIsInNobodysWay) {
  const Queue queue = bus().create("q", {.durability = Durability::disk});
  Producer out = queue.producer();
  Producer other = queue.producer();
  Result<Loan> loan = other.loan(10, 1s);
  ASSERT_TRUE(loan);
  ASSERT_TRUE(out.send(bytes("behind it")));
  EXPECT_EQ(out.flush(50ms).error(), Code::timeout) << "what is before it may still come";
  loan->cancel();
  EXPECT_TRUE(out.flush(10s));
}

TEST_F(DurableTest, AStalledLoanHoldsTheDiskUpOnlyForItsTimeout) {
  const Queue queue = bus().create("q", {.durability = Durability::disk, .stall_timeout = 100ms});
  Producer out = queue.producer();
  Producer other = queue.producer();
  Result<Loan> loan = other.loan(10, 1s);
  ASSERT_TRUE(loan);
  ASSERT_TRUE(out.send(bytes("behind it")));
  EXPECT_TRUE(out.flush(10s));
  EXPECT_EQ(loan->publish().error(), Code::stale);
}

TEST_F(DurableTest, LoansThatEndInAnotherOrderAreWrittenAtOnce) {
  const Queue queue = bus().create("q", {.durability = Durability::disk, .stall_timeout = 1h});
  Producer out = queue.producer();
  // Who is told of the second only hears of the first within a second: never, in time for this.
  int in_time = 0;
  for (int attempt = 0; attempt < 6; ++attempt) {
    Result<Loan> first = out.loan(10, 1s);
    Result<Loan> second = out.loan(10, 1s);
    ASSERT_TRUE(first && second);
    ASSERT_TRUE(second->publish());
    std::this_thread::sleep_for(50ms);
    ASSERT_TRUE(first->publish());
    if (out.flush(500ms)) ++in_time;
    ASSERT_TRUE(out.flush(10s));
  }
  EXPECT_GE(in_time, 4) << "once or twice the machine may have been busy";
}

TEST_F(DurableTest, OfAQueueInMemoryNothingCanBeFlushed) {
  const Queue queue = bus().create("q");
  Producer out = queue.producer();
  ASSERT_TRUE(out.send(bytes("message")));
  EXPECT_EQ(out.flush().error(), Code::unsupported);
}

TEST_F(DurableTest, WhoWaitsIsToldThatTheQueueWasRemoved) {
  const Client client = bus();
  const Queue queue = client.create("q", {.durability = Durability::disk});
  Producer out = queue.producer();
  ASSERT_TRUE(out.send(bytes("message")));
  std::thread remover([&] {
    std::this_thread::sleep_for(50ms);
    client.remove("q");
  });
  EXPECT_EQ(out.confirm(1000, 20s).error(), Code::deleted);
  remover.join();
}

TEST_F(DurableTest, WhoWaitsWhileTheSupervisorEndsIsInDoubt) {
  const Queue queue = bus().create("q", {.durability = Durability::disk});
  Producer out = queue.producer();
  ASSERT_TRUE(out.send(bytes("message")));
  ASSERT_TRUE(out.flush(10s));
  std::thread stopper([&] {
    std::this_thread::sleep_for(50ms);
    stop();
  });
  EXPECT_EQ(out.confirm(1000, 20s).error(), Code::in_doubt);
  stopper.join();
  EXPECT_TRUE(out.flush(no_wait)) << "of what it said before there is no doubt";
}

struct Mischief {
  const char* name;
  std::function<void(const fs::path& state, const fs::path& segment)> how;
};

class MischiefTest : public DurableTest, public ::testing::WithParamInterface<Mischief> {
 protected:
  /// The only segment that there is.
  [[nodiscard]] fs::path segment() const {
    const fs::path folder = fs::directory_iterator(state() / "journal")->path();
    return fs::directory_iterator(folder)->path();
  }
};

/// The disk has what is written to a file without its name, and nobody will ever find it there.
TEST_P(MischiefTest, WhatGoesToAFileThatIsNotInItsPlaceIsNotConfirmed) {
  const Queue queue = bus().create("q", {.durability = Durability::disk});
  Producer out = queue.producer();
  Consumer in = queue.consumer("g");
  ASSERT_TRUE(out.send(bytes("first")));
  ASSERT_TRUE(out.flush(10s));
  GetParam().how(state(), segment());
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(out.send(bytes("behind it")));
    ASSERT_TRUE(out.flush(10s));
  }
  restart();
  Consumer again = bus().open("q").consumer("g");
  for (int i = 0; i < 10; ++i) {
    Result<Message> got = again.receive(5s);
    ASSERT_TRUE(got) << i;
    if (got->bytes().size() == 5) got = again.receive(5s);  // it was in memory, too
    EXPECT_EQ(got->bytes().size(), 9U);
    EXPECT_TRUE(got->ack());
  }
}

INSTANTIATE_TEST_SUITE_P(, MischiefTest,
                         ::testing::Values(Mischief{"Removed",
                                                    [](const auto& state, const auto&) {
                                                      fs::remove_all(state / "journal");
                                                    }},
                                           Mischief{"Moved",
                                                    [](const auto& state, const auto& segment) {
                                                      fs::rename(segment, state / "elsewhere");
                                                    }},
                                           Mischief{"RemovedWhereItHasAnotherName",
                                                    [](const auto& state, const auto& segment) {
                                                      fs::create_hard_link(segment,
                                                                           state / "elsewhere");
                                                      fs::remove(segment);
                                                    }},
                                           Mischief{"Replaced",
                                                    [](const auto& state, const auto& segment) {
                                                      fs::copy_file(segment, state / "copy");
                                                      fs::rename(state / "copy", segment);
                                                    }}),
                         [](const auto& mischief) { return mischief.param.name; });

TEST_F(DurableTest, AfterARestartItGoesOn) {
  {
    const Queue queue = bus().create("q", {.durability = Durability::disk});
    Producer out = queue.producer();
    ASSERT_TRUE(out.send(bytes("first")));
    ASSERT_TRUE(out.flush(10s));
  }
  stop();
  start();
  const Queue queue = bus().open("q");
  Producer out = queue.producer();
  ASSERT_TRUE(out.send(bytes("second")));
  ASSERT_TRUE(out.flush(10s));
  Consumer in = queue.consumer();
  for (const std::string_view text : {"first", "second"}) {
    Result<Message> got = in.receive(5s);
    ASSERT_TRUE(got);
    EXPECT_EQ(got->bytes().size(), text.size());
    EXPECT_TRUE(got->ack());
  }
}

TEST_F(DurableTest, ConcurrentSendersShareWhatReachesTheDisk) {
  const Queue queue = bus().create("q", {.capacity = 256 * KiB, .durability = Durability::disk});
  constexpr int senders = 8;
  constexpr int each = 200;
  std::atomic<int> confirmed{0};
  std::vector<std::thread> threads;
  threads.reserve(senders);
  for (int i = 0; i < senders; ++i) {
    threads.emplace_back([&] {
      Producer out = queue.producer();
      for (int k = 0; k < each; ++k) {
        if (!out.send(bytes("message"), 10s) || !out.flush(10s)) return;
        ++confirmed;
      }
    });
  }
  Consumer in = queue.consumer();
  int received = 0;
  while (received < senders * each) {
    Result<Message> got = in.receive(10s);
    if (!got) break;
    EXPECT_TRUE(got->ack());
    ++received;
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(confirmed, senders * each);
  EXPECT_EQ(received, senders * each);
}

}  // namespace
}  // namespace spillring
