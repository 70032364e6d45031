// What can be read of a journal, by the rules by which the supervisor and its clients read it: a
// number is in the last segment that begins at it or before it.
#pragma once

#include <gtest/gtest.h>

#include <charconv>
#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "journal/recorded_storage.hpp"
#include "journal/sample.hpp"
#include "journal/segment_reader.hpp"
#include "journal/segment_writer.hpp"
#include "spillring/error.hpp"

namespace spillring::journal {

struct Recovered {
  std::set<std::uint64_t> numbers;
  int refused = 0;  // segments whose header is damaged, or of an earlier segment
  [[nodiscard]] bool contains(std::uint64_t s) const { return numbers.contains(s); }
};

/// What can be read. Fails the test where one of them is not what it has to be.
inline Recovered recovered(const Image& image, std::uint64_t queue) {
  std::map<std::uint64_t, const Bytes*> segments;
  for (const auto& [path, bytes] : image) {
    const std::string name = path.substr(path.rfind('/') + 1);
    std::uint64_t first = 0;
    std::from_chars(name.data(), name.data() + name.size(), first, 16);
    if (name == segment_name(first)) segments.emplace(first, &bytes);
  }
  Recovered found;
  std::shared_ptr<Block> block;
  for (auto at = segments.begin(); at != segments.end(); ++at) {
    const std::uint64_t next = std::next(at) == segments.end() ? UINT64_MAX : std::next(at)->first;
    try {
      SegmentReader in(file_of(*at->second), queue);
      if (in.first() > at->first) continue;  // it was over, and was about to be another
      if (in.first() < at->first) {
        ++found.refused;
        continue;
      }
      in.end();
      for (const SegmentReader::Spot& spot : in.spots()) {
        block = in.read(spot, std::move(block));
        if (block == nullptr) continue;
        for (std::uint64_t s = spot.first; s < std::min(spot.end(), next); ++s) {
          EXPECT_TRUE(is_right(*block, s, sample(s))) << s;
          found.numbers.insert(s);
        }
      }
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::corrupt);
      ++found.refused;
    }
  }
  return found;
}

}  // namespace spillring::journal
