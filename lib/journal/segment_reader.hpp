// Reads one segment: where its batches are, and what is in them.
//
// What is read is believed only as far as its checksums go. A batch whose header is good and whose
// body is not is damaged: its numbers are lost, those behind it are not. Where a header is not
// good, nothing behind it can be found.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "journal/block.hpp"
#include "os/fd.hpp"

namespace spillring::journal {

/// True: a segment was to begin with this file, and nothing was written to it. Throws `Error` (io).
[[nodiscard]] bool is_blank(const os::Fd& file);

class SegmentReader {
 public:
  /// Throws `Error` (corrupt: it is no segment of this queue; io).
  SegmentReader(os::Fd file, std::uint64_t queue_id);

  /// Where a batch is.
  struct Spot {
    std::uint64_t first = 0;
    std::uint64_t count = 0;
    std::uint64_t offset = 0;
    std::uint64_t size = 0;
    std::uint64_t time = 0;
    [[nodiscard]] std::uint64_t end() const noexcept { return first + count; }
  };

  /// Where the batches are, as far as they are known: with it another reader of the same file,
  /// which has the same salt, does not have to go through their headers again.
  using Index = std::vector<Spot>;
  void know(Index index) noexcept { spots_ = std::move(index); }
  [[nodiscard]] Index take_index() noexcept { return std::exchange(spots_, {}); }

  /// The first batch that ends behind `s`. nullptr: there is none, so far. Throws `Error` (io).
  const Spot* find(std::uint64_t s);
  /// The batch at `spot`, in `block` where that has room for it and nobody else has it, else in a
  /// new one. nullptr: it is damaged. Throws `Error` (io).
  std::shared_ptr<Block> read(const Spot& spot, std::shared_ptr<Block> block);

  [[nodiscard]] std::uint64_t first() const noexcept { return header_.first; }
  [[nodiscard]] const layout::SegmentHeader& header() const noexcept { return header_; }
  /// Finds all batches; returns the end of the last one. Throws `Error` (io).
  std::uint64_t end();
  /// How many of the batch's numbers from `from` to below `until` are messages, as its entries say,
  /// which are not checked. Throws `Error` (io).
  [[nodiscard]] std::uint64_t count_messages(const Spot& spot, std::uint64_t from,
                                             std::uint64_t until) const;
  /// True: where the next batch would begin, nothing was ever written. Throws `Error` (io).
  [[nodiscard]] bool ended() const;
  /// True: its file has become another segment since (segment_writer.hpp, O1), so what does not add
  /// up was over. Throws `Error` (io).
  [[nodiscard]] bool was_written_over() const;
  [[nodiscard]] const std::vector<Spot>& spots() const noexcept { return spots_; }

 private:
  bool walk_on();
  [[nodiscard]] bool check(const layout::BatchHeader& header) const noexcept;
  [[nodiscard]] std::uint64_t next_offset() const noexcept;

  os::Fd file_;
  layout::SegmentHeader header_{};
  std::vector<Spot> spots_;  // as far as they are known
};

}  // namespace spillring::journal
