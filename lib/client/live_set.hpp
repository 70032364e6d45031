// The sequences a consumer handle may still be looking at, oldest first.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>

#include "layout/limits.hpp"

namespace spillring::client {

class LiveSet {
 public:
  /// Messages come in order, but for those that were handed back.
  void add(std::uint64_t s) {
    if (entries_.empty() || entries_.back().sequence < s) {
      entries_.push_back({s, true});
      return;
    }
    const auto at = find(s);
    if (at != entries_.end() && at->sequence == s) {
      at->live = true;  // ended before, and delivered again
    } else {
      entries_.insert(at, {s, true});
    }
  }

  void end(std::uint64_t s) noexcept {
    const auto at = find(s);
    if (at == entries_.end() || at->sequence != s) return;
    at->live = false;
    while (!entries_.empty() && !entries_.front().live) entries_.pop_front();
    while (!entries_.empty() && !entries_.back().live) entries_.pop_back();
  }

  /// The oldest that is not below `from`; no_sequence: none.
  [[nodiscard]] std::uint64_t oldest(std::uint64_t from = 0) const noexcept {
    for (const Entry& entry : entries_) {
      if (entry.live && entry.sequence >= from) return entry.sequence;
    }
    return layout::no_sequence;
  }

 private:
  struct Entry {
    std::uint64_t sequence;
    bool live;
  };
  std::deque<Entry>::iterator find(std::uint64_t s) noexcept {
    if (!entries_.empty() && entries_.front().sequence >= s) return entries_.begin();
    return std::lower_bound(entries_.begin(), entries_.end(), s,
                            [](const Entry& entry, std::uint64_t key) { return entry.sequence < key; });
  }
  std::deque<Entry> entries_;  // front and back are live
};

}  // namespace spillring::client
