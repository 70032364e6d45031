// The sequences a consumer handle may still be looking at, oldest first.
#pragma once

#include <algorithm>
#include <cstdint>

#include "client/row.hpp"
#include "layout/limits.hpp"

namespace spillring::client {

class LiveSet {
 public:
  /// Where a view's bytes are: in the ring, which the handle's hold keeps, or in memory of its own.
  enum class Where : std::uint8_t { ring, apart };

  /// Messages come in order, but for those that were handed back.
  void add(std::uint64_t s, Where where = Where::ring) {
    const unsigned in_ring = where == Where::ring ? 1 : 0;
    if (entries_.empty() || entries_.back().sequence < s) [[likely]] {
      return entries_.push_back({s, 1, in_ring});
    }
    add_among(s, in_ring);
  }

  /// They end in order, too, as a rule.
  void end(std::uint64_t s, Where where = Where::ring) noexcept {
    if (!entries_.empty() && entries_.front().sequence == s && entries_.front().views == 1)
        [[likely]] {
      entries_.pop_front();
      return drop_ended_at_front();
    }
    end_among(s, where == Where::ring ? 1 : 0);
  }

  /// The oldest; no_sequence: none.
  [[nodiscard]] std::uint64_t oldest() const noexcept {
    return entries_.empty() ? layout::no_sequence : entries_.front().sequence;
  }

  /// The oldest in a ring that is not below `from`; no_sequence: none.
  [[nodiscard]] std::uint64_t oldest_in_ring(std::uint64_t from = 0) const noexcept {
    for (const Entry& entry : entries_) {
      if (entry.in_ring != 0 && entry.sequence >= from) return entry.sequence;
    }
    return layout::no_sequence;
  }

 private:
  struct Entry {
    std::uint64_t sequence;
    unsigned views;
    unsigned in_ring;  // of these
  };
  [[gnu::noinline]] void add_among(std::uint64_t s, unsigned in_ring) {
    Entry* const at = find(s);
    if (at != entries_.end() && at->sequence == s) {
      ++at->views;  // taken away by a lease, and delivered to the same handle again
      at->in_ring += in_ring;
    } else {
      entries_.insert(at, {s, 1, in_ring});
    }
  }
  [[gnu::noinline]] void end_among(std::uint64_t s, unsigned in_ring) noexcept {
    Entry* const at = find(s);
    if (at == entries_.end() || at->sequence != s || at->views == 0) return;
    --at->views;
    at->in_ring -= std::min(in_ring, at->in_ring);
    drop_ended_at_front();
    while (!entries_.empty() && entries_.back().views == 0) entries_.pop_back();
  }
  void drop_ended_at_front() noexcept {
    while (!entries_.empty() && entries_.front().views == 0) entries_.pop_front();
  }
  [[nodiscard]] Entry* find(std::uint64_t s) noexcept {
    if (!entries_.empty() && entries_.front().sequence >= s) return entries_.begin();
    return std::lower_bound(
        entries_.begin(), entries_.end(), s,
        [](const Entry& entry, std::uint64_t key) { return entry.sequence < key; });
  }
  Row<Entry> entries_;  // front and back have views
};

}  // namespace spillring::client
