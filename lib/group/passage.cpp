#include "group/passage.hpp"

namespace spillring::group {

void note_dropped(layout::GroupCursor& cursor, Passage at, std::uint64_t messages) noexcept {
  // Words that consumers write: a sum that cannot be is none.
  const std::uint64_t now = messages > at.settled ? messages - at.settled : 0;
  std::uint64_t seen = cursor.dropped.load(std::memory_order_seq_cst);
  while (seen < now &&
         !cursor.dropped.compare_exchange_weak(seen, now, std::memory_order_seq_cst)) {
  }
}

std::uint64_t hear_of_dropped(layout::GroupCursor& cursor) noexcept {
  const std::uint64_t dropped = cursor.dropped.load(std::memory_order_seq_cst);
  std::uint64_t told = cursor.told.load(std::memory_order_relaxed);
  while (told < dropped) {
    if (cursor.told.compare_exchange_weak(told, dropped, std::memory_order_seq_cst)) {
      return dropped - told;
    }
  }
  return 0;
}

}  // namespace spillring::group
