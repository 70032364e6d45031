#include "client/row.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <random>

namespace spillring::client {
namespace {

TEST(Row, DoesWhatADequeDoes) {
  Row<unsigned> row;
  std::deque<unsigned> same;
  std::minstd_rand random(7);
  for (unsigned i = 0; i < 200'000; ++i) {
    const auto at = static_cast<std::ptrdiff_t>(same.empty() ? 0 : random() % same.size());
    switch (random() % 5) {
      case 0:
      case 1:
        row.push_back(i);
        same.push_back(i);
        break;
      case 2:
        row.insert(row.begin() + at, i);
        same.insert(same.begin() + at, i);
        break;
      case 3:
        if (same.empty()) break;
        row.pop_front();
        same.pop_front();
        break;
      default:
        if (same.empty()) break;
        row.pop_back();
        same.pop_back();
    }
    ASSERT_EQ(row.size(), same.size());
    if (same.empty()) continue;
    ASSERT_EQ(row.front(), same.front());
    ASSERT_EQ(row.back(), same.back());
    ASSERT_EQ(*(row.begin() + at % static_cast<std::ptrdiff_t>(same.size())),
              same[static_cast<std::size_t>(at) % same.size()]);
  }
}

TEST(Row, KeepsItsMemoryWhereTheFrontComesAndGoes) {
  Row<unsigned> row;
  row.push_back(1000);
  row.push_back(1001);
  for (unsigned i = 0; i < 100'000; ++i) {
    row.insert(row.begin(), i);
    row.pop_front();
  }
  EXPECT_LE(row.capacity(), 16U);
}

TEST(Row, KeepsItsMemoryWhereItIsNeverEmpty) {
  Row<unsigned> row;
  row.push_back(0);
  for (unsigned i = 1; i < 100'000; ++i) {
    row.push_back(i);
    row.pop_front();
  }
  EXPECT_EQ(row.front(), 99'999U);
  EXPECT_LE(row.capacity(), 16U);
}

}  // namespace
}  // namespace spillring::client
