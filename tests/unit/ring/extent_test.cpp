// Where a message lies is taken from its descriptor only as far as it is in the ring.
#include "ring/extent.hpp"

#include "ring/ring_fixture.hpp"

namespace spillring::ring {
namespace {

class ExtentTest : public RingFixture {
 protected:
  [[nodiscard]] bool lies_in_the_ring() const { return extent_of(ring_, descriptor_).has_value(); }

  layout::Descriptor descriptor_{};
};

TEST_F(ExtentTest, InlinePayloadsAreAsLongAsADescriptorHasRoomFor) {
  descriptor_.flags = layout::payload_inline;
  descriptor_.size = layout::inline_size;
  const auto extent = extent_of(ring_, descriptor_);
  ASSERT_TRUE(extent);
  EXPECT_EQ(extent->payload.data(), descriptor_.bytes);
  EXPECT_EQ(extent->payload.size(), layout::inline_size);
  descriptor_.size = layout::inline_size + 1;
  EXPECT_FALSE(lies_in_the_ring());
  descriptor_.size = 0;
  descriptor_.metadata_size = 1;
  EXPECT_FALSE(lies_in_the_ring()) << "metadata is nowhere inline";
}

TEST_F(ExtentTest, PayloadAndMetadataAreTogetherNoLongerThanTheArena) {
  descriptor_.start = 128;
  descriptor_.metadata_size = 65;
  descriptor_.size = geometry.arena - 128;
  const auto extent = extent_of(ring_, descriptor_);
  ASSERT_TRUE(extent);
  EXPECT_EQ(extent->payload.data(), ring_.bytes(128));
  EXPECT_EQ(extent->metadata.data(), ring_.bytes(0));
  EXPECT_EQ(extent->metadata.size(), 65U);
  ++descriptor_.size;
  EXPECT_FALSE(lies_in_the_ring());
  descriptor_.size = 0;
  descriptor_.start = 127;
  EXPECT_FALSE(lies_in_the_ring()) << "its metadata would begin before the first byte";
  descriptor_.start = geometry.arena;
  descriptor_.metadata_size = geometry.arena + 1;
  EXPECT_FALSE(lies_in_the_ring()) << "the metadata alone is longer";
  descriptor_.metadata_size = UINT32_MAX;
  EXPECT_FALSE(lies_in_the_ring());
}

}  // namespace
}  // namespace spillring::ring
