// Whatever a producer may have written over is found where it can be proven, and nothing else is.
#include "ring/contradiction.hpp"

#include <functional>
#include <string>

#include "ring/ring_fixture.hpp"

namespace spillring::ring {
namespace {

using layout::Published;

class ContradictionTest : public RingFixture {
 protected:
  /// As producers do: a message that lies where it was claimed.
  std::uint64_t send_whole(std::uint64_t length = 128) {
    const Claim at = claim_one(alice, length);
    EXPECT_EQ(at.status, ClaimStatus::claimed);
    layout::Descriptor& descriptor = ring_.descriptor(at.sequence);
    descriptor.start = at.start + 64;
    descriptor.size = static_cast<std::uint32_t>(length - 64);
    descriptor.metadata_size = 10;
    descriptor.flags = 0;
    EXPECT_EQ(publish(ring_, at.sequence), PublishStatus::ok);
    return at.sequence;
  }
  void pass(std::uint64_t until) {
    set_floor(until);
    reclaim_all();
  }
  /// Three messages behind some that are finished, one claimed.
  void fill() {
    for (int i = 0; i < 100; ++i) pass(send_whole() + 1);
    oldest_ = send_whole();
    send_whole();
    send_whole();
    claimed_ = claim_one(bob).sequence;
    set_floor(oldest_);
  }
  void publish_as(std::uint64_t s, std::uint32_t lap, Published state) {
    ring_.descriptor(s).published.store(layout::publish_word(lap, state));
  }
  void claim_as(std::uint64_t s, std::uint32_t lap, layout::Owner owner) {
    ring_.claim(s).word.store(layout::claim_word(lap, owner));
  }
  [[nodiscard]] std::string found() const {
    const auto found = find_contradiction(ring_);
    return found ? std::string(found->what) : "nothing";
  }

  std::uint64_t oldest_ = 0;
  std::uint64_t claimed_ = 0;
};

TEST_F(ContradictionTest, NothingIsFoundInWhatIsWhole) {
  EXPECT_EQ(found(), "nothing") << "as it begins";
  for (int i = 0; i < 300; ++i) {
    const std::uint64_t s = send_whole(128 + 64 * (static_cast<std::uint64_t>(i) % 3));
    ASSERT_EQ(found(), "nothing") << i;
    if (i % 5 == 4) pass(s - 1);
    ASSERT_EQ(found(), "nothing") << i;
  }
  while (claim_one(bob, 64).status == ClaimStatus::claimed) {
  }
  EXPECT_EQ(found(), "nothing") << "full of what is claimed";
  for (std::uint64_t s = limit(); s < limit() + geometry.slots; s += 2) revoke(ring_, s);
  EXPECT_EQ(found(), "nothing") << "half of it revoked";
  abort_claims_of(ring_, bob);
  EXPECT_EQ(found(), "nothing") << "its owner dead";
  seal(ring_);
  EXPECT_EQ(found(), "nothing") << "sealed";
  pass(layout::no_sequence);
  EXPECT_EQ(found(), "nothing") << "finished";
}

TEST_F(ContradictionTest, NorInARingThatBeginsAnywhere) {
  for (const std::uint64_t first : {2U, 63U, 64U, 65U, 1'000'001U}) {
    begin(first);
    room_ = {};
    EXPECT_EQ(found(), "nothing") << first;
    for (int i = 0; i < 40; ++i) send_whole();
    EXPECT_EQ(found(), "nothing") << first;
  }
}

TEST_F(ContradictionTest, WordsThatNoStepsLeadToAreFound) {
  struct Damage {
    const char* what;
    std::function<void()> write;
    const char* found;
  };
  auto& header = ring_.header();
  const auto lap = [&](std::uint64_t s) { return ring_.lap(s); };
  const Damage damages[] = {
      {"limit forward", [&] { header.limit.store(claimed_ + 3); },
       "is not gone, and the limit is behind it"},
      {"both forward", [&] { header.gone.store(claimed_ + 3), header.limit.store(claimed_ + 3); },
       "was never claimed, and what needs that was"},
      {"limit back", [&] { header.limit.store(oldest_ - 70); },
       "was claimed again before it was free"},
      {"limit before the ring", [&] { header.limit.store(0); },
       "is none of its numbers, and the limit"},
      {"limit without end", [&] { header.limit.store(UINT64_MAX - 1); },
       "is none of its numbers, and the limit"},
      {"gone back", [&] { header.gone.store(1); }, "is not gone, and the limit is behind it"},
      {"gone forward", [&] { header.gone.store(claimed_ + 2); }, "is gone, and was never claimed"},
      {"gone without end", [&] { header.gone.store(UINT64_MAX); },
       "is gone, and was never claimed"},
      {"a claim undone", [&] { claim_as(oldest_ + 1, lap(oldest_ + 1) - 1, alice); },
       "was never claimed, and what needs that was"},
      {"a claim long ago", [&] { claim_as(claimed_ + 9, 0, alice); },
       "was never claimed, and what needs that was"},
      {"a claim too early", [&] { claim_as(oldest_, lap(oldest_) + 1, alice); },
       "was claimed again before it was free"},
      {"a claim far ahead", [&] { claim_as(claimed_ + 1, lap(claimed_ + 1) + 5, alice); },
       "was claimed again before it was free"},
      {"a claim behind a hole", [&] { claim_as(claimed_ + 2, lap(claimed_ + 2), alice); },
       "was never claimed, and what needs that was"},
      {"a seal in between", [&] { claim_as(oldest_ + 1, lap(oldest_ + 1), layout::seal_owner); },
       "is the seal, and something is behind it"},
      {"an end further back", [&] { ring_.claim(oldest_ + 1).end.store(64); },
       "does not lie where it was claimed"},
      {"an end further on", [&] { ring_.claim(oldest_ - 1).end.fetch_add(640); },
       "does not lie where it was claimed"},
      {"an end behind the last", [&] { ring_.claim(oldest_ + 2).end.fetch_add(640); },
       "ends behind what follows it"},
      {"an end in between", [&] { ring_.claim(claimed_).end.fetch_add(1); },
       "ends behind what follows it"},
      {"the last end far away", [&] { ring_.claim(claimed_).end.fetch_add(geometry.arena); },
       "is followed by more bytes than there are"},
      {"published twice", [&] { publish_as(oldest_, lap(oldest_) + 1, Published::committed); },
       "was published before it was claimed"},
      {"published unclaimed",
       [&] { publish_as(claimed_ + 1, lap(claimed_ + 1), Published::committed); },
       "was published before it was claimed"},
      {"no state", [&] { ring_.descriptor(oldest_).published.store(0); },
       "was published as what there is not"},
      {"another state", [&] { publish_as(oldest_, lap(oldest_), static_cast<Published>(9)); },
       "was published as what there is not"},
      {"a state with more beside it",
       [&] { ring_.descriptor(oldest_).published.fetch_or(std::uint64_t{1} << 8); },
       "was published as what there is not"},
      {"inline with metadata",
       [&] {
         ring_.descriptor(oldest_).flags = layout::payload_inline;
         ring_.descriptor(oldest_).size = 1;
       },
       "does not lie where it was claimed"},
      {"more metadata than there may be",
       [&] { ring_.descriptor(oldest_).metadata_size = layout::max_metadata + 1; },
       "does not lie where it was claimed"},
      {"start before", [&] { ring_.descriptor(oldest_ + 1).start -= 64; },
       "does not lie where it was claimed"},
      {"start behind", [&] { ring_.descriptor(oldest_ + 1).start += 1; },
       "does not lie where it was claimed"},
      {"size", [&] { ring_.descriptor(oldest_).size = UINT32_MAX; },
       "does not lie where it was claimed"},
      {"metadata", [&] { ring_.descriptor(oldest_).metadata_size = 65; },
       "does not lie where it was claimed"},
      {"flags", [&] { ring_.descriptor(oldest_).flags = layout::payload_inline; },
       "does not lie where it was claimed"},
  };
  for (const Damage& damage : damages) {
    begin(1);
    room_ = {};
    fill();
    ASSERT_EQ(found(), "nothing") << damage.what;
    damage.write();
    EXPECT_EQ(found(), damage.found) << damage.what;
  }
}

TEST_F(ContradictionTest, WhatIsNoTruthIsNotFound) {
  fill();
  for (const std::uint64_t hint : {std::uint64_t{0}, claimed_ + 40, UINT64_MAX}) {
    ring_.header().tail.store(hint);
    EXPECT_EQ(found(), "nothing") << "a hint may say anything: " << hint;
  }
  ring_.descriptor(claimed_).size = UINT32_MAX;
  EXPECT_EQ(found(), "nothing") << "its owner is still writing it";
  ring_.descriptor(oldest_ - 1).size = UINT32_MAX;
  EXPECT_EQ(found(), "nothing") << "it may be overwritten";
}

}  // namespace
}  // namespace spillring::ring
