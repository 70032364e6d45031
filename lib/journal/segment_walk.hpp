// Goes through a segment from its first number to its last, past what is damaged, and says of every
// number that it can be read, or why it cannot.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "journal/block.hpp"
#include "journal/names.hpp"
#include "journal/segment_reader.hpp"
#include "journal/storage.hpp"

namespace spillring::journal {

/// Numbers that lie side by side and fare alike.
struct Run {
  std::uint64_t first = 0;
  std::uint64_t end = 0;         // the same as first: how many there were is unknown
  std::shared_ptr<Block> block;  // has them; nullptr: they cannot be read
  std::string why;               // not
  bool torn = false;  // not, and that is nobody's loss: so a file ends whose writer was killed
};

class SegmentWalk {
 public:
  struct Options {
    std::uint64_t queue_id = 0;
    Place place;
    std::uint64_t from = 0;  // numbers below are passed over
    // Whether a supervisor may have been killed while it wrote the last batch (or is writing it):
    // that batch is torn then, and not damaged.
    bool may_be_torn = false;
    // Numbers below are known to have been written, where this is the last segment.
    std::uint64_t counted = 0;
  };
  /// `path` is that of the segment; one that is not there any more has no numbers, nor has one that
  /// is being written over. What cannot be read is a run: nothing throws because of it.
  SegmentWalk(Storage& storage, const std::string& path, const Options& options);

  /// The next run; nullopt: that was all.
  std::optional<Run> next();

  /// What the header says; nullopt: it cannot be read.
  [[nodiscard]] std::optional<std::uint64_t> created() const noexcept;
  /// Of the batches that were found so far: how many, and the latest timestamp in them.
  [[nodiscard]] std::uint64_t batches() const noexcept;
  [[nodiscard]] std::uint64_t newest() const noexcept;

 private:
  void open(Storage& storage, const std::string& path);
  std::optional<Run> look();
  std::optional<Run> tail();
  std::optional<Run> part_of(SegmentReader::Spot spot);
  Run unread(std::uint64_t end, std::string why, bool torn = false);
  Run rest(const std::string& why, bool torn = false);

  Options options_;
  std::optional<SegmentReader> reader_;
  std::optional<Run> refused_;    // the whole segment
  std::shared_ptr<Block> spare_;  // memory that has been read into is cheaper than new
  std::uint64_t at_;              // the first number that no run had yet
  bool done_ = false;
};

/// What the headers of a segment say, which is quickly read and not checked any further.
struct Outline {
  std::uint64_t end = 0;  // of the numbers that are looked for in it and can be found
  std::uint64_t messages = 0;
};
[[nodiscard]] Outline outline_of(Storage& storage, const std::string& path, std::uint64_t queue_id,
                                 const Place& place);

}  // namespace spillring::journal
