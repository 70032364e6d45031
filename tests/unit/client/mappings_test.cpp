#include "client/mappings.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <fstream>
#include <vector>

#include "client/supervisor_fixture.hpp"
#include "os/kernel.hpp"

namespace spillring::client {
namespace {

/// Shared memory that is mapped into this process, in regions.
std::ptrdiff_t regions() {
  std::ifstream maps("/proc/self/maps");
  std::ptrdiff_t count = 0;
  for (std::string line; std::getline(maps, line);) count += line.find("/memfd:") != line.npos;
  return count;
}

os::Fd memory() { return os::create_memory("mappings test", os::page_size); }

TEST(Mappings, TheSameMemoryIsMappedOnceForEachKindOfRights) {
  Mappings mappings;
  const os::Fd one = memory();
  const os::Fd other = memory();
  const auto first = mappings.map(one, os::page_size, os::Rights::read_write);
  EXPECT_EQ(mappings.map(one, os::page_size, os::Rights::read_write), first);
  const auto read = mappings.map(one, os::page_size, os::Rights::read);
  EXPECT_NE(read, first) << "who may only read must not be able to write";
  EXPECT_NE(mappings.map(other, os::page_size, os::Rights::read_write), first);
  EXPECT_THROW(mappings.map(one, 2 * os::page_size, os::Rights::read_write), Error)
      << "it has no second page";
}

TEST(Mappings, AMappingEndsWithTheLastOneWhoUsesIt) {
  Mappings mappings;
  const os::Fd fd = memory();
  const std::ptrdiff_t before = regions();
  auto one = mappings.map(fd, os::page_size, os::Rights::read);
  auto other = mappings.map(fd, os::page_size, os::Rights::read);
  EXPECT_EQ(regions(), before + 1);
  one.reset();
  EXPECT_EQ(regions(), before + 1);
  other.reset();
  EXPECT_EQ(regions(), before);
  EXPECT_NE(mappings.map(fd, os::page_size, os::Rights::read), nullptr);
}

class MappingsOfHandles : public WithSupervisor {};

TEST_F(MappingsOfHandles, ManyHandlesOfAQueueTakeNoMoreMappingsThanOne) {
  Queue queue = bus_.create("q");
  Producer out = queue.producer();
  std::vector<Consumer> readers;
  readers.push_back(queue.subscriber());
  const std::ptrdiff_t one = regions();
  for (int i = 0; i < 20; ++i) readers.push_back(queue.subscriber());
  EXPECT_EQ(regions(), one);
  send(out, "x");
  for (Consumer& reader : readers) EXPECT_EQ(take(reader), "x");
  readers.erase(readers.begin(), readers.end() - 1);
  send(out, "y");
  EXPECT_EQ(take(readers.front()), "y") << "others have gone";
}

/// So often has this thread waited for a page that was in memory.
long faults() {
  rusage usage{};
  ::getrusage(RUSAGE_THREAD, &usage);
  return usage.ru_minflt;
}

TEST_F(MappingsOfHandles, NoMessageWaitsForAPageWhereTheQueueIsThereFromTheStart) {
  if (!os::populates_pages()) GTEST_SKIP() << "Linux 5.14";
  const std::string message(64 * KiB, 'x');
  const auto waited = [&](const char* name, bool prealloc) {
    Queue queue = bus_.create(name, {.capacity = 4 * MiB, .slots = 64, .prealloc = prealloc});
    Consumer reader = queue.subscriber();
    Producer out = queue.producer();
    const long before = faults();
    for (int i = 0; i != 48; ++i) send(out, message);
    for (int i = 0; i != 48; ++i) EXPECT_EQ(reader.receive(1s).value().text().size(), 64 * KiB);
    return faults() - before;
  };
  static_cast<void>(waited("first", true));  // what this thread itself touches for the first time
  const long growing = waited("growing", false);
  if (growing < 700) GTEST_SKIP() << "pages are larger here";
  EXPECT_LT(waited("there", true), growing / 3) << "what is left is the sanitizers' own";
}

}  // namespace
}  // namespace spillring::client
