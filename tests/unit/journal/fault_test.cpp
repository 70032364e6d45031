// Each call to the storage fails in turn. Nobody is told that a batch is written when it is not,
// and when the fault is gone writing goes on in a new file.
#include <gtest/gtest.h>

#include <iostream>
#include <string>

#include "journal/recorded_storage.hpp"
#include "journal/recovered.hpp"
#include "journal/sample.hpp"
#include "journal/segment_writer.hpp"
#include "spillring/error.hpp"

namespace spillring::journal {
namespace {

constexpr std::uint64_t messages = 60;
constexpr std::uint64_t in_batch = 4;

struct Trouble {
  Code code;
  bool lasts;  // until somebody repairs it; else only one call fails
  bool sync;   // of each batch; else once, at the end
};

class Faults : public ::testing::TestWithParam<Trouble> {
 protected:
  /// Writes everything, while call `n` fails (and those after it). True: no call has failed.
  static bool run(std::uint64_t n, const Trouble& trouble) {
    RecordedStorage storage;
    storage.inject({.first = n, .count = trouble.lasts ? UINT64_MAX : 1, .code = trouble.code});
    SegmentWriter out(storage, {"/q", queue_id, small_segment});
    std::uint64_t segment = 0;
    for (std::uint64_t s = 1; s < messages; s += in_batch) {
      if (const auto begun = append(storage, out, s, trouble); begun.first != 0) segment = s;
      const std::uint64_t point = storage.now();
      const auto there = recovered(trouble.sync ? storage.least(point) : storage.live(), queue_id);
      for (std::uint64_t i = 1; i < s + in_batch; ++i) EXPECT_TRUE(there.contains(i)) << i;
    }
    if (!trouble.sync) sync(storage, out, segment, trouble);
    return storage.failures() == 0;
  }

 private:
  /// Until it succeeds.
  static SegmentWriter::Begun append(RecordedStorage& storage, SegmentWriter& out, std::uint64_t s,
                                     const Trouble& trouble) {
    const SampleBatch batch(s, s + in_batch);
    for (int tries = 0; tries < 3; ++tries) {
      const std::uint64_t before = storage.failures();
      const std::size_t files = storage.files_made();
      try {
        const SegmentWriter::Begun begun = out.append(*batch, trouble.sync);
        if (trouble.sync) out.sync();
        EXPECT_EQ(storage.failures(), before) << "it failed, and nobody was told";
        if (tries > 0) {
          EXPECT_EQ(begun.first, s) << "in a new file";
          EXPECT_GT(storage.files_made(), files);
        }
        return begun;
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), trouble.code);
        EXPECT_GT(storage.failures(), before) << "nothing has failed";
      }
      if (tries == 1) storage.repair();
    }
    ADD_FAILURE() << "batch " << s << " is not written though the fault is gone";
    return {};
  }

  static void sync(RecordedStorage& storage, SegmentWriter& out, std::uint64_t segment,
                   const Trouble& trouble) {
    const std::uint64_t before = storage.failures();
    try {
      out.sync();
      EXPECT_EQ(storage.failures(), before) << "it failed, and nobody was told";
      const auto there = recovered(storage.least(storage.now()), queue_id);
      for (std::uint64_t s = segment; s < messages; ++s) EXPECT_TRUE(there.contains(s)) << s;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), trouble.code);
      EXPECT_GT(storage.failures(), before);
      storage.repair();
      out.sync();  // of nothing: the file that has failed is not synced again
      EXPECT_EQ(out.append(*SampleBatch(messages + 9, messages + 10), false).first, messages + 9)
          << "in a new file";
    }
  }
};

TEST_P(Faults, OfEachCallInTurnAreToldAndGotOver) {
  std::uint64_t n = 1;
  while (!run(n, GetParam()) && !HasFailure()) ++n;
  EXPECT_GT(n, 20U) << "calls that were made to fail";
  std::cout << n - 1 << " calls failed\n";
}

INSTANTIATE_TEST_SUITE_P(
    , Faults,
    ::testing::Values(Trouble{Code::no_space, false, true}, Trouble{Code::no_space, true, true},
                      Trouble{Code::io, false, true}, Trouble{Code::io, true, true},
                      Trouble{Code::no_space, false, false}, Trouble{Code::io, true, false}),
    [](const auto& trouble) {
      return std::string(trouble.param.code == Code::io ? "Io" : "NoSpace") +
             (trouble.param.lasts ? "Lasting" : "Once") +
             (trouble.param.sync ? "Synced" : "Unsynced");
    });

}  // namespace
}  // namespace spillring::journal
