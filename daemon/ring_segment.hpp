// A ring as the supervisor holds it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "accounts.hpp"
#include "os/clock.hpp"
#include "os/memory.hpp"
#include "ring/claim.hpp"
#include "ring/ring_view.hpp"

namespace spillring::daemon {

class RingSegment {
 public:
  /// Allocates the memory of a ring; `begin` makes it one. Throws `Error` (no_memory, busy).
  RingSegment(const std::string& name, layout::RingGeometry geometry)
      : RingSegment(os::create_memory(name, geometry.segment_size()), geometry) {}
  /// Maps a ring that was kept and begins at `first`. Throws `Error`.
  RingSegment(os::Fd memory, layout::RingGeometry geometry, std::uint64_t first)
      : RingSegment(std::move(memory), geometry) {
    view_ = ring::RingView(map_.data(), geometry_, first);
    settled_ = first;
  }

  /// Writes the first state of a ring whose first sequence is `first`.
  void begin(std::uint64_t first) noexcept {
    view_ = ring::RingView(map_.data(), geometry_, first);
    ring::initialise(view_);
    settled_ = first;
  }

  [[nodiscard]] const ring::RingView& view() const noexcept { return view_; }
  [[nodiscard]] layout::RingGeometry geometry() const noexcept { return geometry_; }
  [[nodiscard]] const os::Fd& writable() const noexcept { return writable_; }
  [[nodiscard]] const os::Fd& read_only() const noexcept { return read_only_; }

  /// The first sequence that is not published or given up yet. Amortised: it only moves on.
  std::uint64_t settled() noexcept;

  /// Arena bytes that sequences from `s` on occupy.
  [[nodiscard]] std::uint64_t bytes_from(std::uint64_t s) const noexcept;

  /// Claims that stand in somebody's way, and since when.
  std::map<std::uint64_t, os::Instant> stalls;
  Accounts::Charge charge;  // on the account of the queue's owner

 private:
  RingSegment(os::Fd memory, layout::RingGeometry geometry)
      : geometry_(geometry),
        writable_(std::move(memory)),
        read_only_(os::reopen_read_only(writable_)),
        map_(writable_, geometry.arena_at(), geometry.arena, os::Rights::read_write) {}

  layout::RingGeometry geometry_;
  os::Fd writable_;
  os::Fd read_only_;
  os::Mapping map_;
  ring::RingView view_;
  std::uint64_t settled_ = 0;
};

}  // namespace spillring::daemon
