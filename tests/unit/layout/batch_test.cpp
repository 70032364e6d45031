// The table of an atomic batch, written and read, and read where it makes no sense.
#include "layout/batch.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "spillring/parts.hpp"

namespace spillring {
namespace {

using Views = std::vector<std::span<const std::byte>>;

Views views_of(const std::vector<std::string>& texts) {
  Views views;
  for (const std::string& text : texts) views.push_back(std::as_bytes(std::span(text)));
  return views;
}

std::vector<std::byte> encoded(const std::vector<std::string>& texts) {
  const Views views = views_of(texts);
  std::vector<std::byte> bytes(layout::encoded_batch_size(views).value(), std::byte{0xff});
  layout::encode_batch(views, bytes.data());
  return bytes;
}

std::vector<std::string> texts_of(const Parts& parts) {
  std::vector<std::string> texts;
  for (const auto part : parts) {
    texts.emplace_back(reinterpret_cast<const char*>(part.data()), part.size());
  }
  return texts;
}

TEST(BatchTableTest, PartsComeBackAsTheyWere) {
  for (const std::vector<std::string>& texts : {std::vector<std::string>{"a"},
                                                {"", ""},
                                                {"12345678", "1", "", "123456789"},
                                                std::vector<std::string>(1000, "x")}) {
    const auto bytes = encoded(texts);
    const Parts parts(bytes, true);
    EXPECT_EQ(texts_of(parts), texts);
    for (const auto part : parts) {
      EXPECT_EQ((part.data() - bytes.data()) % 8, 0) << "each is aligned";
    }
  }
}

// Two of the same parts are the same bytes: nothing of what was there before shows.
TEST(BatchTableTest, WhatLiesBetweenIsZero) {
  const auto bytes = encoded({"a", "b"});
  ASSERT_EQ(bytes.size(), 25U);  // 12 of the table, 4, a, 7, b
  for (const std::size_t at : {12, 13, 14, 15, 17, 18, 19, 20, 21, 22, 23}) {
    EXPECT_EQ(bytes[at], std::byte{0}) << at;
  }
}

TEST(BatchTableTest, AnyOtherMessageIsItsOnlyPart) {
  const std::string text = "hello";
  EXPECT_EQ(texts_of(Parts(std::as_bytes(std::span(text)), false)), std::vector{text});
}

TEST(BatchTableTest, MoreThanItsNumbersCanSayIsNone) {
  const std::span<const std::byte> large(static_cast<const std::byte*>(nullptr), 0xffff'ffff);
  EXPECT_FALSE(layout::encoded_batch_size(Views{large}));
  EXPECT_FALSE(layout::encoded_batch_size(Views{large, large}));
}

// Whatever a sender writes, no part lies outside of its message.
TEST(BatchTableTest, ATableThatMakesNoSenseLeadsNowhere) {
  std::mt19937 random(1);
  const auto whole = encoded({"one", "two", "", "three", std::string(50, 'x')});
  for (int round = 0; round < 100'000; ++round) {
    std::vector<std::byte> bytes(whole.begin(), whole.begin() + random() % (whole.size() + 1));
    for (unsigned changes = random() % 4; changes != 0 && !bytes.empty(); --changes) {
      bytes[random() % std::min<std::size_t>(bytes.size(), 24)] = static_cast<std::byte>(random());
    }
    const Parts parts(bytes, true);
    ASSERT_LE(parts.size() * 4, bytes.size());
    std::size_t shown = 0;
    for (const auto part : parts) {
      shown += part.size();
      if (part.empty()) continue;
      ASSERT_GE(part.data(), bytes.data());
      ASSERT_LE(part.data() + part.size(), bytes.data() + bytes.size());
    }
    ASSERT_LE(shown, bytes.size()) << "who copies them all needs no more than the message";
  }
}

// A sender can say that its batch begins anywhere.
TEST(BatchTableTest, ABatchThatIsNotAlignedHasNoParts) {
  const auto whole = encoded({"one", "two"});
  std::vector<std::byte> bytes(8);
  for (std::size_t away = 0; away < 8; ++away) {
    bytes.resize(away);
    bytes.insert(bytes.end(), whole.begin(), whole.end());
    const Parts parts(std::span<const std::byte>(bytes).subspan(away), true);
    EXPECT_EQ(parts.size(), away % 4 == 0 ? 2U : 0U) << away;
  }
}

}  // namespace
}  // namespace spillring
