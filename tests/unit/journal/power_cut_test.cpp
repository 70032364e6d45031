// What was synced is there after a power cut at any moment, whatever else is there or not.
#include <gtest/gtest.h>

#include <iostream>
#include <random>

#include "journal/recorded_storage.hpp"
#include "journal/recovered.hpp"
#include "journal/sample.hpp"
#include "journal/segment_writer.hpp"
#include "spillring/error.hpp"

namespace spillring::journal {
namespace {

const std::string first_folder = "/state/journal/q";

/// A journal that was written, and what was promised of it.
struct Written {
  RecordedStorage storage;
  bool all_synced = false;
  int spares = 0;  // segments that were left to be written over
  /// From `point` on, numbers [from, to) are there; or, to == 0: below `from` nothing has to be.
  struct Promise {
    std::size_t point;
    std::uint64_t from;
    std::uint64_t to;
  };
  std::vector<Promise> promises;
};

/// Appends, and now and then removes the oldest segment, or has it written over by the next one.
/// `with_faults`: single calls fail, and what failed is written again. Otherwise some batches are
/// synced later, or never.
void write(Written& written, std::mt19937_64& random, bool with_faults) {
  RecordedStorage& storage = written.storage;
  written.all_synced = with_faults;
  storage.make_directory("/state");
  storage.sync_directory("/");
  // Somebody who was killed before they were on the disk may have made the directories.
  if (random() % 2 == 0)
    storage.make_directory(random() % 2 == 0 ? first_folder : "/state/journal");
  SegmentWriter out(storage, {first_folder, queue_id, small_segment});
  struct Segment {
    Spare file;
    bool sound = true;
  };
  std::vector<Segment> segments;
  Spare spare;
  for (std::uint64_t s = 1; s < 150;) {
    const std::uint64_t end = s + 1 + random() % 8;
    const bool sync = with_faults || random() % 3 == 0;
    if (with_faults && random() % 4 == 0) storage.inject({.first = 1 + random() % 6, .count = 1});
    try {
      const SampleBatch batch(s, end);
      const bool begins = !out.has_room_for(*batch);
      const SegmentWriter::Begun begun =
          out.append(*batch, sync, begins ? std::exchange(spare, {}) : Spare{});
      if (begun.cut != 0) segments.back().file.size = begun.cut;
      if (begun.first != 0) segments.push_back({{begun.first, begun.size}});
      if (sync) out.sync();
    } catch (const Error&) {
      storage.repair();
      if (!segments.empty()) segments.back().sound = false;
      continue;
    }
    storage.repair();
    const bool sync_later = !sync && random() % 4 == 0;
    if (sync_later) out.sync();
    if (sync || sync_later)
      written.promises.push_back({storage.now(), segments.back().file.first, end});
    s = end;
    if (segments.size() > 3 && random() % 3 == 0) {
      written.promises.push_back({storage.now(), segments[1].file.first, 0});
      if (segments[0].sound && spare.first == 0) {
        spare = segments[0].file;
        ++written.spares;
      } else {
        storage.remove(first_folder + "/" + segment_name(segments[0].file.first));
      }
      segments.erase(segments.begin());
    }
  }
}

void expect_promises_kept(const Written& written, std::size_t point, const Image& image) {
  const Recovered found = recovered(image, queue_id);
  if (written.all_synced) {
    ASSERT_EQ(found.refused, 0) << "a file has its name, but not its header";
  }
  std::uint64_t least = 1;
  for (const Written::Promise& promise : written.promises) {
    if (promise.point <= point && promise.to == 0) least = promise.from;
  }
  for (const Written::Promise& promise : written.promises) {
    if (promise.point > point) break;
    for (std::uint64_t s = std::max(promise.from, least); s < promise.to; ++s) {
      ASSERT_TRUE(found.contains(s)) << s << " of those below " << promise.to << " is lost";
    }
  }
}

class PowerCut : public ::testing::TestWithParam<bool> {};

TEST_P(PowerCut, LeavesWhatWasSynced) {
  constexpr int journals = 100;
  constexpr int images = 800;
  const char* given = std::getenv("SPILLRING_SEED");
  const std::uint64_t seed =
      given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  std::mt19937_64 random(seed);
  std::uint64_t tried = 0;
  int spares = 0;
  for (int i = 0; i < journals && !HasFailure(); ++i) {
    Written written;
    write(written, random, GetParam());
    spares += written.spares;
    for (int k = 0; k < images && !HasFailure(); ++k, ++tried) {
      const std::size_t point = random() % (written.storage.now() + 1);
      SCOPED_TRACE("journal " + std::to_string(i) + ", point " + std::to_string(point));
      const unsigned survives = std::array{0U, 10U, 50U, 90U, 99U}[random() % 5];
      expect_promises_kept(written, point, written.storage.crash(point, random, survives));
    }
    for (std::size_t point = 0; point <= written.storage.now() && !HasFailure(); ++point, ++tried) {
      SCOPED_TRACE("journal " + std::to_string(i) + ", the least at point " +
                   std::to_string(point));
      expect_promises_kept(written, point, written.storage.least(point));
    }
  }
  std::cout << tried << " power cuts, SPILLRING_SEED=" << seed << '\n';
  EXPECT_TRUE(HasFailure() || tried >= 80'000);
  EXPECT_TRUE(HasFailure() || spares > journals);
}

/// What somebody removed has gone; what was synced into the directories that were made anew has
/// not.
TEST(PowerCutTest, LeavesWhatWasSyncedInDirectoriesThatWereMadeAnew) {
  for (const bool sync_follows : {true, false}) {
    RecordedStorage storage;
    storage.make_directory("/state");
    storage.sync_directory("/");
    SegmentWriter out(storage, {first_folder, queue_id, small_segment});
    out.append(*SampleBatch(1, 3), sync_follows);
    out.sync();
    ASSERT_TRUE(recovered(storage.least(storage.now()), queue_id).contains(2));
    storage.remove(first_folder + "/" + segment_name(1));
    storage.remove_directory(first_folder);
    storage.remove_directory("/state/journal");
    storage.sync_directory("/state");
    out.append(*SampleBatch(3, 5), sync_follows);
    out.sync();
    const Recovered found = recovered(storage.least(storage.now()), queue_id);
    EXPECT_FALSE(found.contains(2));
    EXPECT_TRUE(found.contains(4)) << "the directories were made anew";
  }
}

TEST(PowerCutTest, LeavesWhatWasSyncedWhereTheFileToBeWrittenOverWasRemoved) {
  RecordedStorage storage;
  storage.make_directory("/state");
  storage.sync_directory("/");
  SegmentWriter out(storage, {first_folder, queue_id, small_segment});
  const std::uint64_t size = out.append(*SampleBatch(1, 3), true).size;
  out.sync();
  out.finish();
  storage.remove(first_folder + "/" + segment_name(1));
  EXPECT_EQ(out.append(*SampleBatch(3, 5), true, {1, size}).first, 3U);
  out.sync();
  EXPECT_TRUE(recovered(storage.least(storage.now()), queue_id).contains(4));
}

INSTANTIATE_TEST_SUITE_P(, PowerCut, ::testing::Values(false, true), [](const auto& with_faults) {
  return with_faults.param ? "AfterFaults" : "WithoutFaults";
});

}  // namespace
}  // namespace spillring::journal
