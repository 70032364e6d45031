// What counts of a journal, and where, when the work that writes to it ends early.
#include "daemon/journal.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <stdexcept>
#include <thread>

#include "journal/recorded_storage.hpp"
#include "journal/recovered.hpp"
#include "journal/sample.hpp"
#include "journal/segment_reader.hpp"
#include "spillring/error.hpp"
#include "temporary_directory.hpp"

namespace spillring::daemon {
namespace {

using journal::SampleBatch;
using namespace std::chrono_literals;

constexpr std::uint64_t queue_id = 7;

/// Takes its time to remove a file.
class SlowToRemove final : public journal::Disk {
 public:
  void remove(const std::string& path) override {
    std::this_thread::sleep_for(std::chrono::milliseconds(delay_));
    Disk::remove(path);
  }
  void set_delay(int milliseconds) { delay_ = milliseconds; }

 private:
  std::atomic<int> delay_{0};
};

class JournalTest : public ::testing::Test {
 protected:
  [[nodiscard]] Journal made(std::uint64_t segment_size = 1 << 20) {
    return {{disk_, spooler_, directory_.path() / "journal", segment_size}, queue_id};
  }
  /// Until it is done. What it threw, or nullptr.
  std::exception_ptr write(Journal& journal, std::uint64_t first, Journal::Work work) {
    std::exception_ptr failure;
    bool done = false;
    journal.write(first, std::move(work), [&](std::exception_ptr thrown) {
      failure = std::move(thrown);
      done = true;
    });
    loop_.restart();
    const auto guard = boost::asio::make_work_guard(loop_);
    while (!done) loop_.run_one();
    return failure;
  }
  /// The first number that cannot be read.
  [[nodiscard]] static std::uint64_t end_of(const Journal& journal) {
    return journal::SegmentReader(journal.segment_of(1).file, queue_id).end();
  }
  static void append(Journal::Appender& to, std::uint64_t from, std::uint64_t end) {
    to.append(*SampleBatch(from, end), true);
  }
  static void append_and_count(Journal::Appender& to, std::uint64_t from, std::uint64_t end) {
    append(to, from, end);
    to.sync();
    to.count(end);
  }

  boost::asio::io_context loop_;
  SlowToRemove disk_;

 private:
  TemporaryDirectory directory_;

 protected:
  Spooler spooler_{loop_};
};

TEST_F(JournalTest, WhatDoesNotCountIsNotInTheWayOfWhatComes) {
  Journal journal = made();
  journal.adopt(1);
  const auto counted = [](Journal::Appender& to) { append_and_count(to, 1, 5); };
  ASSERT_EQ(write(journal, 1, counted), nullptr);
  const auto cut_short = [](Journal::Appender& to) {
    append(to, 5, 9);
    throw std::bad_alloc();
  };
  EXPECT_NE(write(journal, 5, cut_short), nullptr);
  const auto again = [](Journal::Appender& to) {
    append_and_count(to, 5, 12);
    append_and_count(to, 12, 20);
  };
  ASSERT_EQ(write(journal, 5, again), nullptr);
  EXPECT_EQ(journal.segment_of(4).first, 1U);
  const Journal::Segment behind = journal.segment_of(5);
  EXPECT_EQ(behind.first, 5U) << "a file of its own";
  EXPECT_EQ(end_of(journal), 9U) << "the first file is left as it is";
  EXPECT_EQ(journal::SegmentReader(journal.segment_of(19).file, queue_id).end(), 20U);
}

TEST_F(JournalTest, AFileThatNothingCountsInIsNotKept) {
  Journal journal = made();
  journal.adopt(1);
  const auto cut_short = [](Journal::Appender& to) {
    append(to, 1, 5);
    throw std::bad_alloc();
  };
  EXPECT_NE(write(journal, 1, cut_short), nullptr);
  EXPECT_TRUE(journal.empty());
  EXPECT_EQ(journal.bytes(), 0U);
}

/// As at a clean stop, which writes by itself.
TEST_F(JournalTest, WhatIsWrittenAtOnceIsBehindWhatWasLeftToBeDone) {
  Journal journal = made();
  journal.adopt(1);
  const auto cut_short = [](Journal::Appender& to) {
    append(to, 1, 5);
    throw std::bad_alloc();
  };
  disk_.set_delay(200);
  EXPECT_NE(write(journal, 1, cut_short), nullptr);
  journal.write_now(1, [](Journal::Appender& to) { append_and_count(to, 1, 5); });
  disk_.set_delay(0);
  ASSERT_EQ(write(journal, 5, [](Journal::Appender&) {}),
            nullptr);  // behind all that is to be done
  EXPECT_EQ(end_of(journal), 5U) << "its file has the name of the one that was removed";
}

/// What spills is not synced. Its queue may be removed while it is written.
TEST_F(JournalTest, ItCanBeRemovedWhileItIsWritten) {
  Journal journal = made();
  journal.adopt(1);
  std::atomic<bool> writing{false};
  std::atomic<bool> removed{false};
  bool done = false;
  const auto work = [&](Journal::Appender& to) {
    to.append(*SampleBatch(1, 5), false);
    writing = true;
    while (!removed) std::this_thread::yield();
    to.append(*SampleBatch(5, 9), false);  // in a file that has gone
  };
  journal.write(1, work, [&](const std::exception_ptr&) { done = true; });
  while (!writing) std::this_thread::yield();
  journal.remove();
  removed = true;
  const auto guard = boost::asio::make_work_guard(loop_);
  while (!done) loop_.run_one();
  EXPECT_TRUE(journal.empty());
}

TEST_F(JournalTest, AFileThatIsFullCountsWithWhatIsInIt) {
  Journal journal = made(64 * 1024);
  journal.adopt(1);
  const auto work = [](Journal::Appender& to) {
    for (std::uint64_t s = 1; to.has_room_for(*SampleBatch(s, s + 40)) || s == 1; s += 40) {
      append_and_count(to, s, s + 40);
    }
  };
  ASSERT_EQ(write(journal, 1, work), nullptr);
  EXPECT_EQ(journal.bytes(), 64U * 1024);
  const std::uint64_t end = end_of(journal);
  const auto next = [end](Journal::Appender& to) { append_and_count(to, end, end + 40); };
  ASSERT_EQ(write(journal, end, next), nullptr);
  EXPECT_EQ(journal.segments(), 2U);
  EXPECT_LT(journal.bytes(), 2U * 64 * 1024);
}

/// As at a clean stop of a queue that is not durable.
TEST_F(JournalTest, AllThatWasWrittenIsOnTheDiskAfterASync) {
  journal::RecordedStorage storage;
  storage.make_directory("/state");
  storage.sync_directory("/");
  Journal journal({storage, spooler_, "/state/journal", journal::small_segment}, queue_id);
  journal.adopt(1);
  constexpr std::uint64_t end = 200;
  for (std::uint64_t s = 1; s < end; s += 10) {
    journal.write_now(s, [s](Journal::Appender& to) {
      to.append(*SampleBatch(s, s + 10), false);
      to.count(s + 10);
    });
  }
  ASSERT_GT(journal.segments(), 3U);
  journal.sync_now();
  const auto there = journal::recovered(storage.least(storage.now()), queue_id);
  for (std::uint64_t s = 1; s < end; ++s) EXPECT_TRUE(there.contains(s)) << s;
}

/// The oldest first, so that there is never a gap; and not one that something has failed in.
TEST_F(JournalTest, WhatIsOverIsWrittenOver) {
  Journal journal = made(64 * 1024);
  journal.adopt(1);
  std::uint64_t next = 1;
  const auto fill = [&](std::size_t segments) {
    const auto work = [&](Journal::Appender& to) {
      while (journal.segments() < segments) {
        append_and_count(to, next, next + 40);
        next += 40;
      }
    };
    ASSERT_EQ(write(journal, next, work), nullptr);
  };
  const auto inode_of = [&](std::uint64_t s) {
    struct stat status {};
    EXPECT_EQ(::fstat(journal.segment_of(s).file.get(), &status), 0);
    return status.st_ino;
  };
  fill(4);
  const ino_t oldest = inode_of(1);
  const std::uint64_t second = journal.segment_of(1).next;
  const std::uint64_t third = journal.segment_of(second).next;
  EXPECT_TRUE(journal.has_below(third, false));
  journal.drop_below(third, false);
  EXPECT_GE(journal.spare_bytes(), 32U * 1024);
  const std::uint64_t bytes = journal.bytes();
  EXPECT_THROW(static_cast<void>(journal.segment_of(1)), Error);
  fill(3);
  EXPECT_EQ(inode_of(next - 1), oldest);
  EXPECT_LT(journal.bytes(), bytes + 16 * 1024) << "nothing new was set aside";
  EXPECT_EQ(journal::SegmentReader(journal.segment_of(next - 1).file, queue_id).end(), next);
  EXPECT_EQ(journal.remove_what_is_over(os::now() + 60'000'000'000), os::never);
  EXPECT_EQ(journal.spare_bytes(), 0U);

  const std::uint64_t failed = next;
  EXPECT_NE(write(journal, next, [](Journal::Appender&) { throw std::bad_alloc(); }), nullptr);
  fill(4);
  EXPECT_EQ(journal.segment_of(failed).first, failed) << "a file of its own";
  EXPECT_TRUE(journal.has_below(failed, false));
  journal.drop_below(failed, false);
  EXPECT_EQ(journal.spare_bytes(), 0U) << "one of them was given up";
}

/// What is let go of may be charged to somebody, and accounts are the loop's.
TEST_F(JournalTest, ConcurrentWorkIsLetGoOfInTheLoop) {
  Journal journal = made();
  journal.adopt(1);
  for (int i = 0; i < 200; ++i) {
    std::thread::id where;
    std::shared_ptr<const int> held(new int(0), [&where](const int* p) {
      where = std::this_thread::get_id();
      delete p;
    });
    auto work = [held = std::move(held)](Journal::Appender&) {};
    ASSERT_EQ(write(journal, 1, std::move(work)), nullptr);
    ASSERT_EQ(where, std::this_thread::get_id()) << i;
  }
}

}  // namespace
}  // namespace spillring::daemon
