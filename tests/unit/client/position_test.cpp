// Where groups are is noted in the catalogue before a file of the journal goes.
#include <gtest/gtest.h>

#include <string>
#include <thread>

#include "client/state_fixture.hpp"
#include "daemon/catalogue.hpp"

namespace spillring {
namespace {

using namespace std::chrono_literals;

class PositionTest : public StateTest {
 protected:
  static constexpr int spilled = 3000;  // messages

  void SetUp() override { ::testing::internal::CaptureStderr(); }
  /// What is sent is read, while the catalogue has no place for the groups; then it has.
  template <typename Meanwhile>
  void read_without_notes(Durability durability, Meanwhile meanwhile) {
    const Queue queue =
        bus().create("q", {.capacity = 256 * KiB, .slots = 1024, .durability = durability});
    Producer out = queue.producer();
    Consumer in = queue.consumer("g");
    const std::vector<std::byte> message(1000);
    for (int i = 0; i < spilled; ++i) ASSERT_TRUE(out.send(message, 5s)) << i;
    const std::size_t before = segments().size();
    ASSERT_GT(before, 3U);
    daemon::Catalogue catalogue(state() / "catalogue");
    const daemon::SavedQueue saved = catalogue.load().at(0);
    catalogue.remove(saved.id);
    for (int i = 0; i < spilled; ++i) {
      Result<Message> got = in.receive(5s);
      ASSERT_TRUE(got) << i;
      EXPECT_TRUE(got->ack());
    }
    meanwhile(before);
    catalogue.put(saved);
  }
  [[nodiscard]] bool all_but(std::size_t left) const {
    for (int i = 0; i < 500 && segments().size() > left; ++i) std::this_thread::sleep_for(10ms);
    return segments().size() <= left;
  }
  static std::size_t count(const std::string& log, std::string_view what) {
    std::size_t found = 0;
    for (std::size_t at = log.find(what); at != std::string::npos; at = log.find(what, at + 1)) {
      ++found;
    }
    return found;
  }
};

TEST_F(PositionTest, OfADurableQueueNoFileGoesWhereItCannotBeNotedAndTheLogSaysSoOnce) {
  read_without_notes(Durability::disk, [this](std::size_t before) {
    std::this_thread::sleep_for(1500ms);  // it is tried every second
    EXPECT_GE(segments().size(), before) << "as the catalogue has it, they are needed";
  });
  EXPECT_TRUE(all_but(1)) << "the one that it goes on in";
  const std::string log = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(count(log, "cannot be noted"), 1U) << log;
}

/// A full disk may be why it cannot be noted, and their going what helps.
TEST_F(PositionTest, OfAQueueThatIsNotDurableFilesGoAllTheSame) {
  read_without_notes(Durability::memory,
                     [this](std::size_t /*before*/) { EXPECT_TRUE(all_but(0)); });
  const std::string log = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(count(log, "cannot be noted"), 1U) << log;
}

}  // namespace
}  // namespace spillring
