// The example of docs/journal.md is a segment.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>

#include "journal/recorded_storage.hpp"
#include "journal/segment_reader.hpp"

namespace spillring::journal {
namespace {

/// The bytes of all lines of the page that are a line of a hex dump, each at its offset.
Bytes documented() {
  std::ifstream page(SPILLRING_DOCS "/journal.md");
  Bytes bytes;
  for (std::string line; std::getline(page, line);) {
    if (line.find_first_not_of("0123456789abcdef") != 8 || line[8] != ':') continue;
    std::size_t offset = std::stoul(line.substr(0, 8), nullptr, 16);
    std::istringstream words(line.substr(10, 40));
    for (std::string word; words >> word;) {
      bytes.resize(std::max(bytes.size(), offset + 2));
      bytes[offset++] = static_cast<std::byte>(std::stoul(word.substr(0, 2), nullptr, 16));
      bytes[offset++] = static_cast<std::byte>(std::stoul(word.substr(2, 2), nullptr, 16));
    }
  }
  return bytes;
}

std::string text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

TEST(JournalExample, OfThePageIsASegment) {
  SegmentReader in(file_of(documented()), 1);
  EXPECT_EQ(in.header().salt, 0xde701d6e98b4d7cf);
  ASSERT_EQ(in.end(), 3U);
  const auto block = in.read(in.spots().at(0), nullptr);
  ASSERT_NE(block, nullptr);
  EXPECT_EQ(text(block->message(1)->payload), "hello");
  EXPECT_EQ(text(block->message(1)->metadata), "");
  EXPECT_EQ(text(block->message(2)->payload), "a message that is longer than 24 bytes");
  EXPECT_EQ(text(block->message(2)->metadata), std::string("\2\0\0\0k1", 6));
}

}  // namespace
}  // namespace spillring::journal
