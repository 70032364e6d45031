#include "daemon/disk_reserve.hpp"

#include <gtest/gtest.h>

#include "os/disk_space.hpp"
#include "spillring/error.hpp"
#include "temporary_directory.hpp"

namespace spillring::daemon {
namespace {

class DiskReserveTest : public ::testing::Test {
 protected:
  TemporaryDirectory directory_;
  std::string path_ = directory_.path().string();
  os::DiskSpace disk_ = os::disk_space(path_);
};

TEST_F(DiskReserveTest, IsATenthOfTheFileSystemAtMost) {
  EXPECT_EQ(DiskReserve(path_, UINT64_MAX).look().reserved, disk_.total / 10);
  EXPECT_EQ(DiskReserve(path_, 4096).look().reserved, 4096U);
}

TEST_F(DiskReserveTest, PermitsWhatLeavesItAlone) {
  const DiskReserve reserve(path_, 4096);
  EXPECT_TRUE(reserve.permits(1));
  EXPECT_FALSE(reserve.permits(disk_.total));
}

TEST_F(DiskReserveTest, WithoutOneTheDiskItselfSaysWhatItHas) {
  EXPECT_TRUE(DiskReserve(path_, 0).permits(UINT64_MAX));
}

TEST_F(DiskReserveTest, AFileThatIsOnItsWayCounts) {
  const DiskReserve reserve(path_, 4096);
  DiskReserve::Claim claim = reserve.claim(disk_.total);
  EXPECT_EQ(reserve.look().left(), 0U);
  EXPECT_FALSE(reserve.permits(1));
  claim.reset();
  EXPECT_TRUE(reserve.permits(1));
}

TEST_F(DiskReserveTest, ADirectoryThatIsNotThereHasNoFileSystem) {
  EXPECT_THROW(static_cast<void>(DiskReserve(path_ + "/none", 1).look()), Error);
}

}  // namespace
}  // namespace spillring::daemon
