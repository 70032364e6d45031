// What is written to a segment comes back, and of a segment that was damaged nothing false does.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <map>
#include <thread>

#include "journal/checksum.hpp"
#include "journal/names.hpp"
#include "journal/sample.hpp"
#include "journal/segment_reader.hpp"
#include "journal/segment_writer.hpp"
#include "layout/last_sequence.hpp"
#include "os/fd.hpp"
#include "spillring/error.hpp"
#include "temporary_directory.hpp"

namespace spillring::journal {
namespace {

namespace fs = std::filesystem;

class SegmentTest : public ::testing::Test {
 protected:
  SegmentWriter writer(std::uint64_t segment_size, const std::string& folder = "q") {
    return SegmentWriter(disk_, {directory_.path() / folder, queue_id, segment_size});
  }
  SegmentReader reader(std::uint64_t first, const std::string& folder = "q") {
    return SegmentReader(disk_.open(directory_.path() / folder / segment_name(first)), queue_id);
  }
  static void expect_right(SegmentReader& in, std::uint64_t from, std::uint64_t to,
                           std::size_t largest = 900) {
    for (std::uint64_t s = from; s < to; ++s) {
      const SegmentReader::Spot* spot = in.find(s);
      ASSERT_NE(spot, nullptr) << s;
      ASSERT_LE(spot->first, s);
      ASSERT_LT(s, spot->end());
      const auto block = in.read(*spot, nullptr);
      ASSERT_NE(block, nullptr) << s;
      ASSERT_TRUE(is_right(*block, s, sample(s, largest))) << s;
    }
  }

  Disk disk_;
  TemporaryDirectory directory_;
};

TEST_F(SegmentTest, EveryKindOfMessageComesBack) {
  writer(1 << 20).append(*SampleBatch(1, 100), false);
  SegmentReader in = reader(1);
  EXPECT_EQ(in.first(), 1U);
  EXPECT_EQ(in.end(), 100U);
  EXPECT_EQ(in.find(100), nullptr);
  expect_right(in, 1, 100);
}

/// Whoever still reads a segment that is over finds nothing in it, or what was there.
TEST_F(SegmentTest, WhatIsWrittenOverIsNeverTakenForWhatWasThere) {
  SegmentWriter out = writer(32 * 1024);
  out.append(*SampleBatch(1, 20), false);
  out.append(*SampleBatch(20, 50), false);
  SegmentReader former = reader(1);
  ASSERT_EQ(former.end(), 50U);
  const auto spots = former.spots();
  const auto size = std::filesystem::file_size(directory_.path() / "q" / segment_name(1));
  out.finish();
  out.append(*SampleBatch(50, 60), false, {1, size});
  EXPECT_FALSE(std::filesystem::exists(directory_.path() / "q" / segment_name(1)));
  EXPECT_EQ(former.read(spots[0], nullptr), nullptr) << "there is another batch";
  EXPECT_NE(former.read(spots[1], nullptr), nullptr) << "nothing was written there so far";
  EXPECT_TRUE(former.was_written_over());
  SegmentReader in = reader(50);
  EXPECT_EQ(in.end(), 60U) << "what the file had before does not count";
  EXPECT_TRUE(in.ended());
  EXPECT_FALSE(in.was_written_over());
  expect_right(in, 50, 60);
  for (std::uint64_t s = 60; s < 80; s += 5) out.append(*SampleBatch(s, s + 5), false);
  EXPECT_EQ(in.end(), 80U);
  EXPECT_TRUE(in.ended());
  expect_right(in, 50, 80);
}

/// Of a file that somebody has removed, with its directory or without it, nothing is written over.
TEST_F(SegmentTest, AFileToBeWrittenOverThatWasRemovedIsMadeAnew) {
  for (const bool sync_follows : {false, true}) {
    SegmentWriter out = writer(32 * 1024);
    const std::uint64_t size = out.append(*SampleBatch(1, 20), sync_follows).size;
    out.finish();
    std::filesystem::remove_all(directory_.path() / "q");
    EXPECT_EQ(out.append(*SampleBatch(50, 60), sync_follows, {1, size}).first, 50U);
    SegmentReader in = reader(50);
    EXPECT_EQ(in.end(), 60U);
    EXPECT_TRUE(in.ended());
    expect_right(in, 50, 60);
  }
}

TEST_F(SegmentTest, TheNamesOfADirectoryThatWasRemovedCanBeSynced) {
  SegmentWriter out = writer(32 * 1024);
  out.append(*SampleBatch(1, 20), true);
  out.sync();
  std::filesystem::remove_all(directory_.path() / "q");
  EXPECT_NO_THROW(out.sync_names());
}

/// A read that was under way may have got any part of what was there and any part of what came.
TEST_F(SegmentTest, AReadThatMeetsTheWritingOverGivesWhatWasThereOrNothing) {
  constexpr std::uint64_t size = 16 * 1024;
  const std::string directory = directory_.path() / "q";
  SegmentWriter out = writer(size);
  for (std::uint64_t s = 1; s < 20; s += 5) out.append(*SampleBatch(s, s + 5, 300), false);
  const auto content_of = [&](std::uint64_t first) {
    std::vector<std::byte> content(size);
    const os::Fd file = disk_.open(directory + "/" + segment_name(first));
    EXPECT_GT(::pread(file.get(), content.data(), size, 0), 0);
    return content;
  };
  const std::vector<std::byte> before = content_of(1);
  out.finish();
  for (std::uint64_t s = 1001; s < 1020; s += 5) {
    out.append(*SampleBatch(s, s + 5, 300), false, s == 1001 ? Spare{1, size} : Spare{});
  }
  const std::vector<std::byte> after = content_of(1001);
  std::uint64_t whole = 0;
  std::uint64_t refused = 0;
  for (std::uint64_t cut = 0; cut <= size; cut += layout::batch_unit) {
    for (const bool begins_new : {false, true}) {
      const os::Fd file(::memfd_create("segment", MFD_CLOEXEC));
      ASSERT_EQ(::pwrite(file.get(), before.data(), size, 0), static_cast<ssize_t>(size));
      SegmentReader in(os::Fd(::dup(file.get())), queue_id);  // it had looked before
      ASSERT_EQ(in.end(), 21U);
      const std::uint64_t from = begins_new ? 0 : cut;
      const std::uint64_t length = begins_new ? cut : size - cut;
      ASSERT_EQ(::pwrite(file.get(), &after[from % size], length, static_cast<off_t>(from)),
                static_cast<ssize_t>(length));
      for (const SegmentReader::Spot& spot : in.spots()) {
        const auto block = in.read(spot, nullptr);
        ++(block != nullptr ? whole : refused);
        for (std::uint64_t s = spot.first; block != nullptr && s < spot.end(); ++s) {
          ASSERT_TRUE(is_right(*block, s, sample(s, 300))) << s << " at " << cut;
        }
      }
    }
  }
  EXPECT_GT(whole, 100U);
  EXPECT_GT(refused, 100U);
}

TEST_F(SegmentTest, ConcurrentReadsOfWhatIsWrittenOverNeverGiveAnythingElse) {
  constexpr std::uint64_t size = 2 * 1024 * 1024;
  constexpr std::size_t largest = 60'000;  // so that a read takes a while
  const std::string directory = directory_.path() / "q";
  SegmentWriter out = writer(size);
  std::uint64_t first = 1;
  const auto fill = [&](const Spare& spare) {
    const std::uint64_t begin = first;
    do {
      out.append(*SampleBatch(first, first + 20, largest), false, first == begin ? spare : Spare{});
      first += 20;
    } while (out.has_room_for(*SampleBatch(first, first + 20, largest)));
    out.finish();
    return begin;
  };
  std::uint64_t refused = 0;
  for (int round = 0; round < 40; ++round) {
    const std::uint64_t begin = fill({});
    SegmentReader in(disk_.open(directory + "/" + segment_name(begin)), queue_id);
    in.end();
    std::atomic<bool> over{false};
    std::thread reader([&] {
      for (bool last = false; !last;) {
        last = over;
        for (const SegmentReader::Spot& spot : in.spots()) {
          const auto block = in.read(spot, nullptr);
          if (block == nullptr) ++refused;
          for (std::uint64_t s = spot.first; block != nullptr && s < spot.end(); ++s) {
            EXPECT_TRUE(is_right(*block, s, sample(s, largest))) << s;
          }
        }
      }
    });
    const std::uint64_t next =
        fill({begin, std::filesystem::file_size(directory + "/" + segment_name(begin))});
    over = true;
    reader.join();
    EXPECT_TRUE(in.was_written_over());
    disk_.remove(directory + "/" + segment_name(next));
  }
  EXPECT_GT(refused, 40U);
}

TEST_F(SegmentTest, WhoKnowsWhereTheBatchesAreDoesNotLookForThem) {
  SegmentWriter out = writer(1 << 20);
  for (std::uint64_t s = 1; s < 100; s += 10) out.append(*SampleBatch(s, s + 10), false);
  SegmentReader first = reader(1);
  ASSERT_EQ(first.end(), 101U);
  SegmentReader::Index index = first.take_index();
  std::fstream file(directory_.path() / "q" / segment_name(1),
                    std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(layout::first_batch_at);
  file.put('x');  // so nobody finds what is behind
  file.close();
  ASSERT_EQ(reader(1).find(95), nullptr);
  SegmentReader next = reader(1);
  next.know(std::move(index));
  expect_right(next, 91, 101);
  out.append(*SampleBatch(101, 110), false);
  expect_right(next, 101, 110);
}

TEST_F(SegmentTest, ARunWithoutAnyMessageComesBack) {
  writer(1 << 20).append(*SampleBatch(8, 9), false);
  SegmentReader in = reader(8);
  EXPECT_EQ(in.end(), 9U);
  expect_right(in, 8, 9);
}

TEST_F(SegmentTest, TimeNeverGoesBack) {
  SegmentWriter out = writer(1 << 20);
  for (std::uint64_t s = 1; s < 30; ++s) out.append(*SampleBatch(s, s + 1), false);
  SegmentReader in = reader(1);
  EXPECT_EQ(in.end(), 30U);
  std::uint64_t latest = 0;
  for (const auto& spot : in.spots()) {
    const Sample truth = sample(spot.first);
    if (truth.is_message) latest = std::max(latest, truth.timestamp);
    EXPECT_EQ(spot.time, latest) << spot.first;
  }
}

TEST_F(SegmentTest, WhatDoesNotFitBeginsASegmentAndTheOneBeforeIsCut) {
  SegmentWriter out = writer(16384);
  std::map<std::uint64_t, std::uint64_t> segments;  // first: end
  for (std::uint64_t s = 1; s < 200; s += 3) {
    const SegmentWriter::Begun begun = out.append(*SampleBatch(s, s + 3), false);
    if (begun.first != 0) {
      EXPECT_EQ(begun.first, s);
      EXPECT_EQ(begun.size, 16384U);
    }
    if (begun.first != 0) segments[s] = s;
    std::prev(segments.end())->second = s + 3;
  }
  out.finish();
  ASSERT_GT(segments.size(), 3U);
  for (const auto& [first, end] : segments) {
    SegmentReader in = reader(first);
    EXPECT_EQ(in.end(), end);
    expect_right(in, first, end);
    const auto& last = in.spots().back();
    EXPECT_EQ(fs::file_size(directory_.path() / "q" / segment_name(first)),
              last.offset + last.size);
  }
}

TEST_F(SegmentTest, ALargeMessageGetsASegmentOfItsSize) {
  constexpr std::size_t largest = 3 << 20;
  constexpr std::uint64_t s = 68701;  // 1.5 MiB of it
  ASSERT_GT(sample(s, largest).payload.size(), std::size_t{1} << 20);
  const SampleBatch batch(s, s + 1, largest);
  SegmentWriter out = writer(65536);
  out.append(*SampleBatch(1, 4), false);
  const SegmentWriter::Begun begun = out.append(*batch, false);
  EXPECT_EQ(begun.first, s);
  EXPECT_EQ(begun.size, layout::first_batch_at + layout::batch_size(1, batch->data));
  EXPECT_EQ(out.append(*SampleBatch(s + 1, s + 2), false).first, s + 1);
  SegmentReader in = reader(s);
  expect_right(in, s, s + 1, largest);
}

TEST_F(SegmentTest, EverySegmentHasASaltOfItsOwn) {
  writer(65536).append(*SampleBatch(1, 4), false);
  const std::uint64_t before = reader(1).header().salt;
  writer(65536).append(*SampleBatch(1, 4), false);  // the same file again
  EXPECT_NE(reader(1).header().salt, before);
}

TEST_F(SegmentTest, ABatchOfAnEarlierUseOfTheSameBlocksIsNotTaken) {
  writer(65536, "old").append(*SampleBatch(1, 4), false);
  writer(65536, "new").append(*SampleBatch(1, 2), false);
  const os::Fd from = disk_.open(directory_.path() / "old" / segment_name(1));
  const os::Fd to(
      ::open((directory_.path() / "new" / segment_name(1)).c_str(), O_RDWR | O_CLOEXEC));
  std::vector<std::byte> old(65536 - layout::first_batch_at);
  ASSERT_EQ(::pread(from.get(), old.data(), old.size(), layout::first_batch_at),
            static_cast<ssize_t>(old.size()));
  ASSERT_EQ(::pwrite(to.get(), old.data(), old.size(), layout::first_batch_at),
            static_cast<ssize_t>(old.size()));
  EXPECT_EQ(reader(1, "old").end(), 4U);
  EXPECT_EQ(reader(1, "new").end(), 1U) << "it is whole, but of another segment";
}

TEST_F(SegmentTest, ASegmentOfAnotherQueueIsRefused) {
  writer(65536).append(*SampleBatch(1, 4), false);
  try {
    const SegmentReader in(disk_.open(directory_.path() / "q" / segment_name(1)), queue_id + 1);
    FAIL() << "it was read";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::corrupt);
  }
}

/// A small segment whose headers say anything, with checksums that are right: the sums are secrets
/// to nobody.
class ForgedSegmentTest : public SegmentTest {
 protected:
  ForgedSegmentTest() {
    SegmentWriter out = writer(65536);
    out.append(*SampleBatch(1, 4), false);
    out.append(*SampleBatch(4, 8), false);
    SegmentReader in = reader(1);
    EXPECT_EQ(in.end(), 8U);
    spots_ = in.spots();
    salt_ = in.header().salt;
    file_ = os::Fd(::open((directory_.path() / "q" / segment_name(1)).c_str(), O_RDWR | O_CLOEXEC));
  }
  template <typename Header>
  Header header_at(std::uint64_t offset) const {
    Header header{};
    EXPECT_EQ(::pread(file_.get(), &header, sizeof header, static_cast<off_t>(offset)),
              static_cast<ssize_t>(sizeof header));
    return header;
  }
  template <typename Header>
  void write_at(std::uint64_t offset, const Header& header) const {
    EXPECT_EQ(::pwrite(file_.get(), &header, sizeof header, static_cast<off_t>(offset)),
              static_cast<ssize_t>(sizeof header));
  }
  /// Changes the header of one of the two batches.
  template <typename Change>
  void forge(std::size_t batch, Change change) const {
    auto header = header_at<layout::BatchHeader>(spots_[batch].offset);
    change(header);
    header.checksum = checksum_of(header, salt_);
    write_at(spots_[batch].offset, header);
  }

  std::vector<SegmentReader::Spot> spots_;
  std::uint64_t salt_ = 0;
  os::Fd file_;
};

/// So much more address space than there is in use now, for as long as it lives.
class ScarceMemory {
 public:
  explicit ScarceMemory(std::uint64_t more) {
    std::uint64_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    EXPECT_EQ(::getrlimit(RLIMIT_AS, &before_), 0);
    const rlimit scarce{pages * layout::page + more, before_.rlim_max};
    EXPECT_EQ(::setrlimit(RLIMIT_AS, &scarce), 0);
  }
  ScarceMemory(const ScarceMemory&) = delete;
  ScarceMemory& operator=(const ScarceMemory&) = delete;
  ~ScarceMemory() { ::setrlimit(RLIMIT_AS, &before_); }

 private:
  rlimit before_{};
};

TEST_F(ForgedSegmentTest, NoMemoryForGigabytesThatAreNotInTheFile) {
  forge(1, [](layout::BatchHeader& header) { header.data = layout::max_batch; });
  SegmentReader in = reader(1);
  const SegmentReader::Spot* spot = in.find(4);
  ASSERT_NE(spot, nullptr);
  ASSERT_GT(spot->size, std::uint64_t{1} << 32);
  const ScarceMemory scarce(std::uint64_t{1} << 30);
  EXPECT_EQ(in.read(*spot, nullptr), nullptr) << "damaged";
  expect_right(in, 1, 4);
}

TEST_F(ForgedSegmentTest, MoreThanABatchCanHaveIsNoBatch) {
  forge(1, [](layout::BatchHeader& header) { header.data = layout::max_batch + 1; });
  EXPECT_EQ(reader(1).end(), 4U);
  forge(1, [](layout::BatchHeader& header) {
    header.data = 0;
    header.count = layout::most_in_batch + 1;
  });
  EXPECT_EQ(reader(1).end(), 4U);
}

TEST_F(ForgedSegmentTest, ABatchBehindTheLastNumberIsNone) {
  for (const std::uint64_t first : {layout::last_sequence + 1, UINT64_MAX - 1, UINT64_MAX}) {
    forge(1, [first](layout::BatchHeader& header) { header.first = first; });
    SegmentReader in = reader(1);
    EXPECT_EQ(in.end(), 4U) << first;
    EXPECT_EQ(in.find(first), nullptr);
    EXPECT_EQ(in.find(UINT64_MAX), nullptr);
  }
  forge(1, [](layout::BatchHeader& header) { header.first = layout::last_sequence; });
  EXPECT_EQ(reader(1).end(), layout::last_sequence + 4);
}

TEST_F(ForgedSegmentTest, ASegmentBehindTheLastNumberIsRefused) {
  auto header = header_at<layout::SegmentHeader>(0);
  for (const std::uint64_t first : {layout::last_sequence + 1, UINT64_MAX}) {
    header.first = first;
    header.checksum = checksum_of(header);
    write_at(0, header);
    try {
      const SegmentReader in = reader(1);
      FAIL() << "it was read";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::corrupt);
    }
  }
}

TEST_F(ForgedSegmentTest, ASegmentOfAnotherVersionIsNotReadAndNotCalledDamaged) {
  auto header = header_at<layout::SegmentHeader>(0);
  ++header.version;
  header.checksum = checksum_of(header);
  write_at(0, header);
  try {
    const SegmentReader in = reader(1);
    FAIL() << "it was read";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::version_mismatch);
  }
}

TEST_F(ForgedSegmentTest, ABatchOfNothingIsNone) {
  forge(1, [](layout::BatchHeader& header) { header.count = 0; });
  EXPECT_EQ(reader(1).end(), 4U);
}

/// A header that is another one by the time the batch is read, and adds up.
TEST_F(ForgedSegmentTest, ABatchThatBecameAnotherIsNotRead) {
  SegmentReader in = reader(1);
  ASSERT_EQ(in.end(), 8U);
  const SegmentReader::Spot spot = in.spots()[1];
  const auto sound = header_at<layout::BatchHeader>(spot.offset);
  ASSERT_NE(in.read(spot, nullptr), nullptr);
  const std::function<void(layout::BatchHeader&)> changes[] = {
      [](layout::BatchHeader& header) { ++header.first; },
      [](layout::BatchHeader& header) { ++header.count; },
      [](layout::BatchHeader& header) { header.data += layout::batch_unit; },
      [](layout::BatchHeader& header) { ++header.body_sum; }};
  for (const auto& change : changes) {
    forge(1, change);
    EXPECT_EQ(in.read(spot, nullptr), nullptr);
    write_at(spot.offset, sound);
    EXPECT_NE(in.read(spot, nullptr), nullptr);
  }
  auto unsummed = sound;
  unsummed.time = sound.time + 1;
  write_at(spot.offset, unsummed);
  EXPECT_EQ(in.read(spot, nullptr), nullptr);
}

TEST_F(ForgedSegmentTest, ABatchThatWasCutAwayIsNotReadIntoMemoryThatIsThere) {
  SegmentReader in = reader(1);
  ASSERT_EQ(in.end(), 8U);
  const SegmentReader::Spot spot = in.spots()[1];
  auto block = in.read(spot, nullptr);
  ASSERT_NE(block, nullptr);
  for (const std::uint64_t left : {sizeof(layout::BatchHeader), sizeof(layout::BatchHeader) - 1}) {
    ASSERT_EQ(::ftruncate(file_.get(), static_cast<off_t>(spot.offset + left)), 0);
    auto memory = std::make_shared<Block>(spot.size);
    EXPECT_EQ(in.read(spot, std::move(memory)), nullptr) << left;
  }
  EXPECT_TRUE(is_right(*block, 4, sample(4))) << "what was read stays";
}

TEST_F(SegmentTest, WhatIsNoFileCannotBeRead) {
  try {
    const SegmentReader in(disk_.open(directory_.path()), queue_id);
    FAIL() << "a directory was read";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::io);
  }
}

TEST_F(SegmentTest, ASyncOfWhatWasRemovedFailsAndTheNextBatchBeginsAFile) {
  SegmentWriter out = writer(65536);
  out.append(*SampleBatch(1, 4), false);
  fs::remove(directory_.path() / "q" / segment_name(1));
  try {
    out.sync();
    FAIL() << "nobody will find what was written";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::io);
  }
  EXPECT_EQ(out.append(*SampleBatch(4, 8), false).first, 4U);
  EXPECT_NO_THROW(out.sync());
  SegmentReader in = reader(4);
  expect_right(in, 4, 8);
}

TEST_F(SegmentTest, ASpareThatCannotBeOpenedIsAFailureAndNotAFileThatIsMissing) {
  SegmentWriter out = writer(65536);
  fs::create_directories(directory_.path() / "q" / segment_name(1) / "inside");
  EXPECT_THROW(out.append(*SampleBatch(5, 8), false, {1, 65536}), Error);
  EXPECT_EQ(out.append(*SampleBatch(5, 8), false).first, 5U);
  SegmentReader in = reader(5);
  expect_right(in, 5, 8);
}

TEST(SegmentNames, EndWithTheLastNumber) {
  EXPECT_EQ(first_of(segment_name(layout::last_sequence)), layout::last_sequence);
  EXPECT_EQ(first_of(segment_name(layout::last_sequence + 1)), 0U);
  EXPECT_EQ(first_of(segment_name(UINT64_MAX)), 0U);
}

/// A full segment of 64 KiB in memory, to be damaged, and what is true of it.
class DamageTest : public SegmentTest {
 public:
  ~DamageTest() override { ::munmap(bytes_, size); }

 protected:
  static constexpr std::uint64_t size = 65536;

  DamageTest() {
    SegmentWriter out = writer(size);
    for (end_ = 1;; end_ += 5) {
      if (out.append(*SampleBatch(end_, end_ + 5), false).first > 1) break;
    }
    for (std::uint64_t s = 1; s < end_; ++s) truth_.push_back(sample(s));
    SegmentReader in = reader(1);
    EXPECT_EQ(in.end(), end_);
    spots_ = in.spots();
    for (const auto& spot : spots_) {
      const auto block = in.read(spot, nullptr);
      layout::BatchHeader header{};
      std::memcpy(&header, block->memory().data(), sizeof header);
      body_ends_.push_back(spot.offset + sizeof header + header.count * sizeof(layout::Entry) +
                           header.data);
    }
    const os::Fd file = disk_.open(directory_.path() / "q" / segment_name(1));
    copy_.resize(size);
    EXPECT_GT(::pread(file.get(), copy_.data(), size, 0), static_cast<ssize_t>(size * 9 / 10));
    memory_ = os::Fd(::memfd_create("segment", MFD_CLOEXEC));
    restore();
    void* at = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, memory_.get(), 0);
    EXPECT_NE(at, MAP_FAILED);
    bytes_ = static_cast<unsigned char*>(at);
  }

  void restore() const {
    ASSERT_EQ(::pwrite(memory_.get(), copy_.data(), size, 0), static_cast<ssize_t>(size));
  }

  /// How many batches can be found; nullopt: the segment is refused.
  std::optional<std::size_t> find_batches() {
    in_.reset();
    try {
      in_.emplace(os::Fd(::dup(memory_.get())), queue_id);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::corrupt);
      return std::nullopt;
    }
    const std::uint64_t end = in_->end();
    const std::size_t found = in_->spots().size();
    EXPECT_EQ(end, found == 0 ? 1 : spots_.at(found - 1).end()) << "the rest is not missed";
    return found;
  }
  /// Reads a batch that was found. False: it is damaged. What is delivered is right.
  bool read(std::size_t batch) {
    const SegmentReader::Spot& spot = in_->spots().at(batch);
    EXPECT_EQ(spot.first, spots_[batch].first);
    auto block = in_->read(spot, std::move(block_));
    if (block == nullptr) return false;
    for (std::uint64_t s = spot.first; s < spot.end(); ++s) {
      EXPECT_TRUE(is_right(*block, s, truth_[s - 1])) << s;
    }
    block_ = std::move(block);
    return true;
  }

  std::uint64_t end_ = 0;
  std::vector<Sample> truth_;
  std::vector<SegmentReader::Spot> spots_;
  std::vector<std::uint64_t> body_ends_;  // of each batch, padding excluded
  std::vector<std::byte> copy_;
  os::Fd memory_;
  unsigned char* bytes_ = nullptr;
  std::optional<SegmentReader> in_;
  std::shared_ptr<Block> block_;
};

TEST_F(DamageTest, CutAtEveryLengthWhatIsWholeIsThereAndTheRestIsKnown) {
  ASSERT_GT(spots_.size(), 12U);
  for (std::uint64_t length = size; length-- > 0 && !HasFailure();) {
    SCOPED_TRACE(length);
    ASSERT_EQ(::ftruncate(memory_.get(), static_cast<off_t>(length)), 0);
    const auto found = find_batches();
    ASSERT_EQ(found.has_value(), length >= sizeof(layout::SegmentHeader));
    if (!found) continue;
    std::size_t headers = 0;
    while (headers < spots_.size() &&
           spots_[headers].offset + sizeof(layout::BatchHeader) <= length) {
      ++headers;
    }
    ASSERT_EQ(*found, headers);
    // Of those before the last one nothing has changed since the length before this.
    if (headers > 1) {
      EXPECT_TRUE(read(headers - 2));
    }
    if (headers > 0) {
      EXPECT_EQ(read(headers - 1), body_ends_[headers - 1] <= length);
    }
  }
  std::cout << size << " cuts and flips\n";
}

TEST_F(DamageTest, WithAnyBitFlippedOnlyWhatItTouchesIsLostAndThatIsKnown) {
  std::uint64_t flips = 0;
  for (std::uint64_t bit = 0; bit < size * 8 && !HasFailure(); ++bit, ++flips) {
    SCOPED_TRACE(bit);
    const std::uint64_t offset = bit / 8;
    bytes_[offset] ^= static_cast<unsigned char>(1U << bit % 8);
    // The batch that it is in.
    std::size_t hit = 0;
    while (hit < spots_.size() && spots_[hit].offset + spots_[hit].size <= offset) ++hit;
    const bool in_a_batch = hit < spots_.size() && offset >= spots_[hit].offset;
    const bool in_its_header =
        in_a_batch && offset < spots_[hit].offset + sizeof(layout::BatchHeader);
    const bool in_its_body = in_a_batch && !in_its_header && offset < body_ends_[hit];

    const auto found = find_batches();
    ASSERT_EQ(found.has_value(), offset >= sizeof(layout::SegmentHeader));
    if (found) {
      ASSERT_EQ(*found, in_its_header ? hit : spots_.size());
      if (in_a_batch && !in_its_header) {
        EXPECT_EQ(read(hit), !in_its_body);
      }
      if (bit % 64 == 0) {  // the others are as they were: a look now and then is enough
        for (std::size_t i = 0; i < *found; ++i) EXPECT_EQ(read(i), !(in_its_body && i == hit));
      }
    }
    bytes_[offset] ^= static_cast<unsigned char>(1U << bit % 8);
  }
  std::cout << flips << " cuts and flips\n";
  EXPECT_EQ(flips, size * 8);
}

}  // namespace
}  // namespace spillring::journal
