#include "client/journal_cursor.hpp"

#include <algorithm>

namespace spillring::client {

bool JournalCursor::covers(std::uint64_t s) const noexcept {
  return segment_ && segment_->first() <= s && (next_ == 0 || s < next_);
}

std::uint64_t JournalCursor::open_segment(std::uint64_t s) {
  layout::Request request = control::request(layout::Ask::journal);
  request.number = s;
  std::uint64_t first = 0;
  try {
    Answered answer = attachment_->ask(request);
    if (answer.descriptors.empty()) {
      throw Error(Code::unavailable, "a segment of the journal did not arrive",
                  "this process may have no descriptors left",
                  "close files, or raise its limit of open files");
    }
    segment_.reset();
    first = answer.reply.number;
    next_ = answer.reply.window;
    segment_.emplace(std::move(answer.descriptors.front()), attachment_->manifest().queue_id);
  } catch (const Error& error) {
    if (error.code() == Code::not_found) return 0;
    if (error.code() != Code::corrupt) throw;  // else nothing in it can be read
  }
  return first;
}

/// Memory that has been read into before is cheaper than new.
std::shared_ptr<journal::Block> JournalCursor::spare() {
  const auto unused = std::find_if(blocks_.begin(), blocks_.end(),
                                   [](const auto& block) { return block->users == 0; });
  if (unused == blocks_.end()) return nullptr;
  auto data = std::move((*unused)->data);
  if (unused->get() == current_) current_ = nullptr;
  blocks_.erase(unused);
  // More than one without users: views of old blocks have ended meanwhile.
  std::erase_if(blocks_, [this](const auto& block) {
    if (block->users != 0) return false;
    if (block.get() == current_) current_ = nullptr;
    return true;
  });
  return data;
}

Block* JournalCursor::keep(std::shared_ptr<journal::Block> read) {
  blocks_.push_back(std::make_unique<Block>(std::move(read)));
  current_ = blocks_.back().get();
  return current_;
}

JournalCursor::Sight JournalCursor::look_in_segment(std::uint64_t s, std::uint64_t journaled) {
  const journal::SegmentReader::Spot* spot = segment_ ? segment_->find(s) : nullptr;
  if (spot == nullptr) return {nullptr, next_ == 0 ? journaled : next_};
  if (spot->first > s) return {nullptr, spot->first};
  const std::uint64_t end = spot->end();
  auto read = segment_->read(*spot, spare());
  // Not held open any longer: who closes a removed file last has to free its pages.
  if (end == next_) segment_.reset();
  if (read == nullptr) return {nullptr, end};
  return {keep(std::move(read)), 0};
}

JournalCursor::Sight JournalCursor::look(std::uint64_t s) {
  for (const auto& block : blocks_) {
    if (block->data->has(s)) {
      current_ = block.get();
      return {current_, 0};
    }
  }
  const std::uint64_t journaled = attachment_->manifest().journaled.load(std::memory_order_acquire);
  Sight sight;
  if (covers(s)) sight = look_in_segment(s, journaled);
  // What an open segment does not have, or not whole, may be in one that was begun since: a batch
  // that was cut short by a supervisor's death, or by the disk, was written again behind it. And
  // the file of one that everybody is past may be written over at any moment: only what the
  // supervisor has in the same segment before the look and after it is lost.
  for (std::uint64_t before = 0; sight.block == nullptr;) {
    const std::uint64_t first = open_segment(s);
    if (first == 0) return {};
    if (first == before) return sight;
    before = first;
    sight = look_in_segment(s, journaled);
  }
  return sight;
}

}  // namespace spillring::client
