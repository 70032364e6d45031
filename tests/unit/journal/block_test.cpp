// What a batch's entries say, whoever wrote them.
#include "journal/block.hpp"

#include <gtest/gtest.h>

#include <cstring>

namespace spillring::journal {
namespace {

/// A batch of one empty message, with this entry.
Block block_of(const layout::Entry& entry) {
  Block block(sizeof(layout::BatchHeader) + sizeof(entry));
  layout::BatchHeader header{};
  header.count = 1;
  header.first = 7;
  std::memcpy(block.memory().data() + sizeof header, &entry, sizeof entry);
  block.hold(header);
  return block;
}

layout::Entry message_with_ttl(std::uint64_t ttl) {
  layout::Entry entry{};
  entry.state = static_cast<std::uint64_t>(layout::Published::committed);
  entry.flags = layout::expires;
  entry.expiry.ttl = ttl;
  return entry;
}

TEST(Block, ATtlIsNeverMoreThanADurationCanSay) {
  EXPECT_EQ(block_of(message_with_ttl(1000)).message(7)->ttl, 1000U);
  for (const std::uint64_t forged : {std::uint64_t{INT64_MAX} + 1, UINT64_MAX}) {
    const auto ttl = block_of(message_with_ttl(forged)).message(7)->ttl;
    EXPECT_EQ(ttl, std::uint64_t{INT64_MAX});
  }
}

TEST(Block, WhatLiesOutsideItsDataIsNoMessage) {
  layout::Entry entry = message_with_ttl(0);
  entry.size = 1;
  EXPECT_FALSE(block_of(entry).message(7));
  entry.size = 0;
  entry.metadata_size = 64;
  EXPECT_FALSE(block_of(entry).message(7)) << "its metadata lies before its payload";
}

TEST(Block, DataThatBeginsBehindItsEndIsNoMessage) {
  layout::Entry entry = message_with_ttl(0);
  entry.start = 1;
  EXPECT_FALSE(block_of(entry).message(7));
}

TEST(Block, AnInlineMessageIsNoLongerThanItsEntryHasRoomFor) {
  layout::Entry entry{};
  entry.state = static_cast<std::uint64_t>(layout::Published::committed);
  entry.flags = layout::payload_inline;
  entry.size = layout::inline_size;
  EXPECT_EQ(block_of(entry).message(7)->payload.size(), layout::inline_size);
  entry.size = layout::inline_size + 1;
  EXPECT_FALSE(block_of(entry).message(7));
  entry.size = 0;
  entry.metadata_size = 1;
  EXPECT_FALSE(block_of(entry).message(7));
}

}  // namespace
}  // namespace spillring::journal
