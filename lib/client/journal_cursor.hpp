// A client's way into its queue's journal: the segment it reads, and the blocks that messages view.
//
// Only what is below `Manifest::journaled` is read, so what is not there was lost, and not merely
// not written yet. Segments come from the supervisor one by one; an open one is read on without it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "client/attachment.hpp"
#include "client/source.hpp"
#include "journal/segment_reader.hpp"

namespace spillring::client {

struct Block : Source {
  explicit Block(std::shared_ptr<journal::Block> read) : data(std::move(read)) { is_ring = false; }
  std::shared_ptr<journal::Block> data;
};

class JournalCursor {
 public:
  explicit JournalCursor(Attachment& attachment) noexcept : attachment_(&attachment) {}

  struct Sight {
    Block* block =
        nullptr;  // it has the number; stays while it has users, or is the last one found
    std::uint64_t lost = 0;  // no block: nothing can be read from there up to this number; 0: all
                             // of it was finished with
  };
  /// The block with `s`. REQUIRES: s < Manifest::journaled. Throws `Error` (io, unavailable, ...).
  Sight look(std::uint64_t s);
  /// The block found last, if it has `s`.
  [[nodiscard]] Block* current(std::uint64_t s) const noexcept {
    return current_ != nullptr && current_->data->has(s) ? current_ : nullptr;
  }

 private:
  [[nodiscard]] bool covers(std::uint64_t s) const noexcept;
  /// The first number of the segment that the supervisor has `s` in; 0: there is none.
  std::uint64_t open_segment(std::uint64_t s);
  /// Of the open segment alone.
  Sight look_in_segment(std::uint64_t s, std::uint64_t journaled);
  Block* keep(std::shared_ptr<journal::Block> read);
  std::shared_ptr<journal::Block> spare();

  Attachment* attachment_;
  std::optional<journal::SegmentReader> segment_;
  std::uint64_t next_ = 0;  // first number of the segment behind; 0: there was none
  std::vector<std::unique_ptr<Block>> blocks_;
  Block* current_ = nullptr;
};

}  // namespace spillring::client
