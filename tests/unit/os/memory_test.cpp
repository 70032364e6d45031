#include "os/memory.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

#include "os/kernel.hpp"
#include "spillring/error.hpp"

namespace spillring::os {
namespace {

TEST(Memory, IsSealedPrivateAndWholeFromTheStart) {
  const Fd memory = create_memory("spillring:test", 3 * page_size);
  struct stat status {};
  ASSERT_EQ(::fstat(memory.get(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  EXPECT_EQ(status.st_size, static_cast<off_t>(3 * page_size));
  EXPECT_GE(status.st_blocks * 512, static_cast<off_t>(3 * page_size));  // no holes
  EXPECT_NE(::ftruncate(memory.get(), 0), 0);
  EXPECT_NE(::ftruncate(memory.get(), 1 << 20), 0);
}

TEST(Memory, AReadOnlyDescriptorCannotBeMappedForWriting) {
  const Fd memory = create_memory("spillring:test", page_size);
  const Fd reader = reopen_read_only(memory);
  EXPECT_EQ(::mmap(nullptr, page_size, PROT_READ | PROT_WRITE, MAP_SHARED, reader.get(), 0),
            MAP_FAILED);
  const Mapping writable(memory, page_size, Rights::read_write);
  const Mapping readable(reader, page_size, Rights::read);
  writable.data()[100] = std::byte{42};
  EXPECT_EQ(readable.data()[100], std::byte{42});
}

TEST(Memory, WhatIsNotTheAnnouncedSizeIsNotMapped) {
  const Fd memory = create_memory("spillring:test", page_size);
  EXPECT_THROW(Mapping(memory, 2 * page_size, Rights::read), Error);
  const Fd unsealed(::memfd_create("unsealed", MFD_CLOEXEC));
  ASSERT_EQ(::ftruncate(unsealed.get(), static_cast<off_t>(page_size)), 0);
  EXPECT_THROW(Mapping(unsealed, page_size, Rights::read), Error);
}

TEST(Memory, TheTailIsMappedTwiceInARow) {
  const Fd memory = create_memory("spillring:test", 3 * page_size);
  const Mapping map(memory, page_size, 2 * page_size, Rights::read_write);
  std::byte* tail = map.data() + page_size;
  tail[5] = std::byte{1};
  EXPECT_EQ(tail[2 * page_size + 5], std::byte{1});
  std::memset(tail + 2 * page_size - 8, 7, 16);  // across the end
  EXPECT_EQ(tail[7], std::byte{7});
  EXPECT_EQ(tail[8], std::byte{0});
}

/// So often has this thread waited for a page that was in memory.
long faults() {
  rusage usage{};
  ::getrusage(RUSAGE_THREAD, &usage);
  return usage.ru_minflt;
}

TEST(Memory, NobodyWaitsForAPageOfWhatIsPopulated) {
  if (!populates_pages()) GTEST_SKIP() << "Linux 5.14";
  constexpr std::size_t pages = 1024;
  const Fd memory = create_memory("spillring:test", (pages + 1) * page_size);
  for (const Rights rights : {Rights::read, Rights::read_write}) {
    long unpopulated = 0;
    for (const bool populated : {false, true}) {
      const Mapping map(memory, page_size, pages * page_size, rights);
      if (populated) map.populate();
      const long before = faults();
      std::byte sum{};
      for (std::size_t i = 0; i != pages; ++i) {
        std::byte& byte = map.data()[(i + 1) * page_size];
        if (rights == Rights::read) {
          sum ^= *static_cast<volatile std::byte*>(&byte);
        } else {
          byte = sum;
        }
      }
      const long waited = faults() - before;
      if (populated) {
        EXPECT_LT(waited, unpopulated / 4);
      } else if (waited < 32) {  // the kernel brings up to 16 at once
        GTEST_SKIP() << "pages are larger here";
      }
      unpopulated = waited;
    }
  }
}

TEST(Memory, AFileSizeLimitIsAnErrorAndNoSignal) {
  const pid_t child = ::fork();
  if (child == 0) {
    const rlimit limit{page_size, page_size};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    try {
      create_memory("spillring:test", 2 * page_size);
      ::_exit(1);
    } catch (const Error& error) {
      ::_exit(error.code() == Code::no_memory && !error.hint().empty() ? 0 : 2);
    }
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(Memory, AChildDoesNotInheritAMapping) {
  const Fd memory = create_memory("spillring:test", page_size);
  auto map = std::make_unique<Mapping>(memory, page_size, Rights::read_write);
  const pid_t child = ::fork();
  if (child == 0) {
    void* at = map->data();
    // What is there now is the child's own; destroying its copy of the object must not unmap it.
    void* own = ::mmap(at, page_size, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if (own != at) ::_exit(1);
    map.reset();
    *static_cast<volatile char*>(own) = 1;
    ::_exit(0);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

}  // namespace
}  // namespace spillring::os
