#include "tests/bench/payload.hpp"

#include <gtest/gtest.h>

namespace spillring::bench {
namespace {

class PayloadOf : public testing::TestWithParam<std::size_t> {};

TEST_P(PayloadOf, IsReadAsItWasWritten) {
  const Payload payload(GetParam());
  std::vector<std::byte> message(GetParam());
  for (std::uint64_t stamp = 0; stamp < 20; ++stamp) {
    payload.write(message.data(), stamp);
    EXPECT_EQ(payload.read(message.data()), stamp);
  }
}

TEST_P(PayloadOf, AnyWordThatIsAnotherMessagesShows) {
  const Payload payload(GetParam());
  std::vector<std::byte> message(GetParam());
  std::vector<std::byte> other(GetParam());
  payload.write(message.data(), 7);
  payload.write(other.data(), 8);
  for (std::size_t at = 8; at < message.size(); at += 8) {
    std::vector<std::byte> mixed = message;
    std::copy_n(other.begin() + static_cast<std::ptrdiff_t>(at), 8,
                mixed.begin() + static_cast<std::ptrdiff_t>(at));
    EXPECT_EQ(payload.read(mixed.data()), Payload::damaged) << "word at " << at;
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, PayloadOf, testing::Values(8, 24, 64, 1024));

}  // namespace
}  // namespace spillring::bench
