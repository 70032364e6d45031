// A walk through a damaged segment says something of every number, once, and nothing false of any.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <filesystem>

#include "journal/sample.hpp"
#include "journal/segment_walk.hpp"
#include "journal/segment_writer.hpp"
#include "os/fd.hpp"
#include "temporary_directory.hpp"

namespace spillring::journal {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t size = 16 * 1024;

/// Numbers by how they fare.
struct Fates {
  std::uint64_t readable = 0;
  std::uint64_t lost = 0;
  std::uint64_t torn = 0;
  bool complained = false;
  std::uint64_t end = 0;
};

class WalkTest : public ::testing::Test {
 public:
  ~WalkTest() override { ::munmap(bytes_, size); }

 protected:
  WalkTest() {
    path_ = directory_.path() / segment_name(1);
    SegmentWriter out(disk_, {directory_.path(), queue_id, size});
    for (end_ = 1;; end_ += 5) {
      if (out.append(*SampleBatch(end_, end_ + 5, 300), false).first > 1) break;
    }
    fs::resize_file(path_, size);
    const os::Fd file(::open(path_.c_str(), O_RDWR | O_CLOEXEC));
    void* at = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
    EXPECT_NE(at, MAP_FAILED);
    bytes_ = static_cast<unsigned char*>(at);
  }

  /// The file becomes that of a later segment.
  void write_over() {
    SegmentWriter out(disk_, {directory_.path(), queue_id, size});
    out.append(*SampleBatch(1000, 1005, 300), false, {1, size});
  }

  std::vector<SegmentReader::Spot> all_spots() {
    SegmentReader in(disk_.open(path_), queue_id);
    EXPECT_EQ(in.end(), end_);
    return in.spots();
  }
  /// Done again, it takes the damage back.
  void damage_body_of(const SegmentReader::Spot& spot) const {
    bytes_[spot.offset + sizeof(layout::BatchHeader)] ^= 1;
  }

  /// Walks from `from`; what is readable is right, and no number is passed over or comes twice.
  Fates walk(std::uint64_t until, bool may_be_torn = false, std::uint64_t from = 1,
             std::uint64_t counted = 0) {
    SegmentWalk walk(disk_, path_, {queue_id, {1, until}, from, may_be_torn, counted});
    Fates fates{0, 0, 0, false, from};
    while (const auto run = walk.next()) {
      EXPECT_EQ(run->first, fates.end);
      EXPECT_LE(run->first, run->end);
      EXPECT_EQ(run->why.empty(), run->block != nullptr);
      fates.complained = fates.complained || run->block == nullptr;
      (run->block != nullptr ? fates.readable
       : run->torn           ? fates.torn
                             : fates.lost) += run->end - run->first;
      for (std::uint64_t s = run->first; run->block != nullptr && s < run->end; ++s) {
        EXPECT_TRUE(is_right(*run->block, s, sample(s, 300))) << s;
      }
      fates.end = run->end;
    }
    return fates;
  }

  Disk disk_;
  TemporaryDirectory directory_;
  fs::path path_;
  std::uint64_t end_ = 0;
  unsigned char* bytes_ = nullptr;
};

TEST_F(WalkTest, OfASoundSegmentAllCanBeRead) {
  const Fates all = walk(0);
  EXPECT_EQ(all.readable, end_ - 1);
  EXPECT_EQ(all.end, end_);
  EXPECT_FALSE(all.complained);
  EXPECT_EQ(walk(0, false, 8).readable, end_ - 8);
  EXPECT_EQ(walk(8).readable, 7U) << "numbers of the next segment are not looked for";
  const Fates more = walk(end_ + 10);
  EXPECT_EQ(more.lost, 10U);
  EXPECT_EQ(more.end, end_ + 10);
  EXPECT_EQ(walk(0, false, end_).end, end_);
}

TEST_F(WalkTest, WithAnyBitFlippedEveryNumberIsAccountedFor) {
  std::uint64_t losses = 0;
  for (std::uint64_t bit = 0; bit < size * 8 && !HasFailure(); ++bit) {
    SCOPED_TRACE(bit);
    bytes_[bit / 8] ^= static_cast<unsigned char>(1U << bit % 8);
    const Fates fates = walk(end_);
    EXPECT_EQ(fates.end, end_);
    EXPECT_EQ(fates.readable + fates.lost, end_ - 1);
    EXPECT_EQ(fates.torn, 0U);
    if (fates.lost != 0) ++losses;
    bytes_[bit / 8] ^= static_cast<unsigned char>(1U << bit % 8);
  }
  EXPECT_GT(losses, size * 8 / 2);
  EXPECT_EQ(walk(end_).readable, end_ - 1);
}

TEST_F(WalkTest, CutAtAnyLengthTheEndIsTornAndAllBeforeItIsRead) {
  std::uint64_t readable = end_ - 1;
  for (std::uint64_t length = size; length >= sizeof(layout::SegmentHeader) && !HasFailure();
       length -= 8) {
    SCOPED_TRACE(length);
    fs::resize_file(path_, length);
    const Fates fates = walk(0, true);
    EXPECT_EQ(fates.lost, 0U);
    EXPECT_LE(fates.readable, readable);
    EXPECT_EQ(walk(end_).readable, fates.readable);
    EXPECT_EQ(walk(end_).lost, end_ - 1 - fates.readable) << "it is none before another segment";
    readable = fates.readable;
  }
  EXPECT_EQ(readable, 0U);
  fs::resize_file(path_, 0);
  EXPECT_TRUE(walk(0, true).complained);
  EXPECT_EQ(walk(0, true).lost, 0U) << "nothing was written to it yet";
  fs::remove(path_);
  EXPECT_FALSE(walk(0).complained) << "it went while somebody looked";
}

/// What is known to have been written is no torn end, wherever the damage is.
TEST_F(WalkTest, AtTheEndOfTheLastSegmentWhatCountedIsLostAndTheRestIsTorn) {
  for (std::uint64_t bit = 0; bit < size * 8 && !HasFailure(); bit += 11) {
    SCOPED_TRACE(bit);
    bytes_[bit / 8] ^= static_cast<unsigned char>(1U << bit % 8);
    const std::uint64_t readable = walk(0, true).readable;
    const Fates all = walk(0, true, 1, end_);
    EXPECT_EQ(all.readable, readable);
    EXPECT_EQ(all.readable + all.lost, end_ - 1) << "nothing of that is silently dropped";
    EXPECT_EQ(all.torn, 0U);
    EXPECT_EQ(walk(0, true, 1, 2).lost + walk(0, true, 1, 2).torn,
              walk(0, true).lost + walk(0, true).torn + (readable == 0 ? 1 : 0))
        << "a watermark that does not reach it changes nothing";
    bytes_[bit / 8] ^= static_cast<unsigned char>(1U << bit % 8);
  }
  for (std::uint64_t length = size; length >= sizeof(layout::SegmentHeader); length -= 8) {
    fs::resize_file(path_, length);
    const Fates all = walk(0, true, 1, end_);
    ASSERT_EQ(all.readable + all.lost, end_ - 1) << length;
    ASSERT_EQ(all.torn, 0U) << length;
  }
}

TEST_F(WalkTest, WhatItsHeadersSayIsWhatIsInIt) {
  std::uint64_t written = 0;
  for (std::uint64_t s = 1; s < end_; ++s) written += sample(s, 300).is_message ? 1 : 0;
  const Outline all = outline_of(disk_, path_, queue_id, {1, 0});
  EXPECT_EQ(all.end, end_);
  EXPECT_EQ(all.messages, written);
  std::uint64_t sum = 0;
  for (std::uint64_t s = 1; s < end_; ++s) {
    const Outline one = outline_of(disk_, path_, queue_id, {s, s + 1});
    EXPECT_EQ(one.end, s + 1);
    sum += one.messages;
  }
  EXPECT_EQ(sum, written);
  EXPECT_EQ(outline_of(disk_, path_, queue_id + 1, {1, 0}).messages, 0U);
}

TEST(Names, SaySomethingOnlyOfWhatTheyName) {
  EXPECT_EQ(segment_name(26), "000000000000001a.segment");
  EXPECT_EQ(first_of("000000000000001a.segment"), 26U);
  for (const char* name : {"", "1a.segment", "000000000000001A.segment", "000000000000001a",
                           "000000000000001a.segment.new", "0000000000000000.segment",
                           "0x0000000000001a.segment", "notes.txt"}) {
    EXPECT_EQ(first_of(name), 0U) << name;
  }
  EXPECT_EQ(queue_of("000000000000000f"), 15U);
  for (const char* name : {"", "f", "000000000000000F", "000000000000000f.damaged", "lock"}) {
    EXPECT_FALSE(queue_of(name)) << name;
  }
  const auto places = places_of({segment_name(9), "notes.txt", segment_name(300), segment_name(1)});
  ASSERT_EQ(places.size(), 3U);
  EXPECT_EQ(places[0].first, 1U);
  EXPECT_EQ(places[0].until, 9U);
  EXPECT_EQ(places[1].until, 300U);
  EXPECT_EQ(places[2].first, 300U);
  EXPECT_EQ(places[2].until, 0U);
}

TEST_F(WalkTest, WhatIsWrittenOverMeanwhileIsNoLoss) {
  SegmentWalk walk(disk_, path_, {queue_id, {1, end_}, 1, false});
  ASSERT_TRUE(walk.next());
  write_over();
  while (const auto run = walk.next()) EXPECT_NE(run->block, nullptr) << run->why;
}

TEST_F(WalkTest, WhatIsKnownOfASegmentIsWhatItsHeadersSay) {
  SegmentWalk walk(disk_, path_, {queue_id, {1, end_}, 1, false});
  ASSERT_TRUE(walk.created());
  EXPECT_NE(*walk.created(), 0U);
  EXPECT_EQ(walk.batches(), 0U) << "none was looked for yet";
  EXPECT_EQ(walk.newest(), 0U);
  while (walk.next()) {
  }
  EXPECT_EQ(walk.batches(), (end_ - 1) / 5);
  std::uint64_t newest = 0;
  for (std::uint64_t s = 1; s < end_; ++s) {
    if (sample(s, 300).is_message) newest = std::max(newest, sample(s, 300).timestamp);
  }
  EXPECT_EQ(walk.newest(), newest);
  fs::remove(path_);
  const SegmentWalk missing(disk_, path_, {queue_id, {1, end_}, 1, false});
  EXPECT_FALSE(missing.created());
  EXPECT_EQ(missing.batches(), 0U);
  EXPECT_EQ(missing.newest(), 0U);
}

TEST_F(WalkTest, OnlyTheLastBatchThatNobodyCountedIsTorn) {
  const std::vector<SegmentReader::Spot> spots = all_spots();
  damage_body_of(spots.back());
  EXPECT_EQ(walk(0, true).torn, 5U);
  EXPECT_EQ(walk(0, true).readable, end_ - 6);
  EXPECT_EQ(walk(0, true, 1, spots.back().first).torn, 5U) << "what counted lies before it";
  EXPECT_EQ(walk(0, true, 1, end_).lost, 5U) << "it counted";
  EXPECT_EQ(walk(0, false).lost, 5U) << "nobody was killed";
  EXPECT_EQ(walk(end_, true).lost, 5U) << "another segment follows";
  damage_body_of(spots.back());
  damage_body_of(spots.front());
  EXPECT_EQ(walk(0, true).lost, 5U) << "another batch follows";
  EXPECT_EQ(walk(0, true).torn, 0U);
  EXPECT_EQ(walk(0, true).readable, end_ - 6);
}

TEST_F(WalkTest, BehindAHeaderThatDoesNotAddUpAsMuchIsLostAsWasCounted) {
  bytes_[all_spots()[1].offset] ^= 1;
  const Fates unknown = walk(0, true);
  EXPECT_EQ(unknown.readable, 5U);
  EXPECT_EQ(unknown.lost + unknown.torn, 0U) << "nobody knows how many there were";
  EXPECT_TRUE(unknown.complained);
  EXPECT_EQ(walk(0, true, 1, 9).lost, 3U);
  EXPECT_EQ(walk(end_).lost, end_ - 6);
}

TEST_F(WalkTest, OfASegmentThatWasOnlyBegunNothingIsLostUnlessItCounted) {
  fs::resize_file(path_, 0);
  EXPECT_TRUE(walk(0).complained);
  EXPECT_EQ(walk(0).lost, 0U);
  EXPECT_EQ(walk(0, true, 1, 4).lost, 3U);
  EXPECT_EQ(walk(end_).lost, end_ - 1);
}

TEST_F(WalkTest, ABatchThatIsBeingWrittenOverIsNoLoss) {
  const std::vector<SegmentReader::Spot> spots = all_spots();
  SegmentWalk walk(disk_, path_, {queue_id, {1, end_}, 1, false});
  for (std::size_t i = 1; i < spots.size(); ++i) ASSERT_TRUE(walk.next());
  write_over();
  damage_body_of(spots.back());
  EXPECT_FALSE(walk.next());
  EXPECT_FALSE(walk.next()) << "that was all";
}

TEST_F(WalkTest, NumbersThatNoBatchHasAreLostOnce) {
  const fs::path path = directory_.path() / "gap" / segment_name(1);
  SegmentWriter out(disk_, {directory_.path() / "gap", queue_id, size});
  out.append(*SampleBatch(1, 5, 300), false);
  out.append(*SampleBatch(9, 12, 300), false);
  path_ = path;
  const Fates fates = walk(12);
  EXPECT_EQ(fates.readable, 4U + 3U);
  EXPECT_EQ(fates.lost, 4U);
  EXPECT_EQ(fates.end, 12U);
  EXPECT_EQ(walk(7).end, 7U) << "none of the next segment";
  EXPECT_EQ(outline_of(disk_, path_, queue_id, {1, 7}).end, 5U);
}

TEST_F(WalkTest, WhatIsNoFileIsLostWhereSomethingIsLookedForInIt) {
  fs::remove(path_);
  fs::create_directory(path_);
  const Fates fates = walk(end_);
  EXPECT_EQ(fates.lost, end_ - 1);
  EXPECT_TRUE(fates.complained);
  EXPECT_FALSE(walk(end_, false, end_).complained);
  EXPECT_EQ(outline_of(disk_, path_, queue_id, {1, end_}).messages, 0U);
}

TEST_F(WalkTest, ANameWhoseFileWasAboutToBeAnotherHasNoNumbers) {
  write_over();
  fs::rename(directory_.path() / segment_name(1000), path_);
  SegmentWalk walk(disk_, path_, {queue_id, {1, end_}, 1, false});
  EXPECT_FALSE(walk.next());
  EXPECT_EQ(outline_of(disk_, path_, queue_id, {1, end_}).messages, 0U);
}

}  // namespace
}  // namespace spillring::journal
