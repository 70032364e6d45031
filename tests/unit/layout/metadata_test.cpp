#include "layout/metadata.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace spillring::layout {
namespace {

std::span<const std::byte> bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

std::vector<std::byte> encoded(const Metadata& metadata) {
  std::vector<std::byte> result(encoded_size(metadata).value());
  if (!result.empty()) encode(metadata, result.data());
  return result;
}

TEST(Metadata, NothingTakesNoBytes) { EXPECT_EQ(encoded_size({}), 0U); }

TEST(Metadata, ComesBackAsItWas) {
  const std::vector<Header> headers{{"type", bytes("text")}, {"", bytes("")}, {"x", bytes("1")}};
  const auto wire = encoded({bytes("the key"), headers});
  const auto key = decode_key(wire);
  ASSERT_TRUE(key);
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(key->data()), key->size()), "the key");
  const auto back = decode_headers(wire);
  ASSERT_EQ(back.size(), 3U);
  EXPECT_EQ(back[0].name, "type");
  EXPECT_EQ(back[0].value.size(), 4U);
  EXPECT_EQ(back[1].name, "");
}

TEST(Metadata, AnEmptyKeyIsAKey) {
  const auto wire = encoded({bytes(""), {}});
  ASSERT_TRUE(decode_key(wire));
  EXPECT_TRUE(decode_key(wire)->empty());
  const std::vector<Header> headers{{"a", bytes("b")}};
  EXPECT_FALSE(decode_key(encoded({std::nullopt, headers})));
}

TEST(Metadata, MoreThanTheLimitIsRefused) {
  const std::string large(max_metadata, 'x');
  EXPECT_FALSE(encoded_size({bytes(large), {}}));
  const std::string fits(max_metadata - 4, 'x');
  EXPECT_EQ(encoded_size({bytes(fits), {}}), max_metadata);
}

TEST(Metadata, AnyBytesAreReadWithoutLeavingThem) {
  std::mt19937 random(7);
  for (int round = 0; round < 20000; ++round) {
    std::vector<std::byte> wire(random() % 40);
    for (auto& byte : wire) byte = static_cast<std::byte>(random() % 8);
    const std::byte* end = wire.data() + wire.size();
    if (const auto key = decode_key(wire)) {
      ASSERT_LE(key->data() + key->size(), end);
    }
    for (const Header& header : decode_headers(wire)) {
      ASSERT_LE(header.value.data() + header.value.size(), end);
    }
  }
}

}  // namespace
}  // namespace spillring::layout
