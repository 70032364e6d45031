// The rings of a queue, oldest first, as far as this client needs them mapped.
//
// Sequences run on from ring to ring; each but the newest is sealed. M names every ring by its
// first sequence; a ring is asked for by that name when the handle comes to it.
//
// The supervisor counts what a handle may have mapped. It is told of each ring that the handle does
// without, sooner or later: nobody who reads or writes waits for a supervisor that is stopped, nor
// for another thread that asks it something.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "client/attachment.hpp"
#include "client/source.hpp"
#include "ring/ring_view.hpp"

namespace spillring::client {

/// Where M says whether a ring is condemned.
struct Mark {
  const os::Atomic<std::uint64_t>* word = nullptr;
  std::uint64_t ring = 0;  // its name

  /// Nothing in it is believed any more. By any thread.
  [[nodiscard]] bool is_set() const noexcept { return layout::is_condemned(*word, ring); }
};

/// A mapped ring.
struct Ring : Source {
  Mappings::Shared map;
  ring::RingView view;
  Mark mark;

  [[nodiscard]] bool is_condemned() const noexcept { return mark.is_set(); }
};

class RingChain {
 public:
  explicit RingChain(Attachment& attachment) noexcept : attachment_(&attachment) {}

  /// The name of the newest ring in M; 0: none (the queue is being removed).
  [[nodiscard]] std::uint64_t newest_name() const noexcept;
  /// The name of the ring that `s` is or will be in; 0: it was let go.
  [[nodiscard]] std::uint64_t name_for(std::uint64_t s) const noexcept;
  /// Whether M says so of the ring of that name, mapped or not.
  [[nodiscard]] bool is_condemned(std::uint64_t name) const noexcept;
  /// The name of the ring behind the one of that name; no_sequence: there is none yet.
  [[nodiscard]] std::uint64_t name_behind(std::uint64_t name) const noexcept;

  /// The ring of that name, mapped if need be. Stays mapped until M has let go of it, nobody uses
  /// it and another one has been mapped, or drop_unused() was called: forget the former result
  /// then. Throws `Error`; not_found: it was let go meanwhile.
  Ring* at(std::uint64_t name);
  /// Unmaps what M has let go of and nobody uses; true if there was any. The supervisor counts what
  /// is mapped of rings that somebody was in the way of: there are few of these at a time. Waits
  /// for nobody.
  bool drop_unused() noexcept;
  /// There may be something to unmap, or the supervisor is still to be told of it.
  [[nodiscard]] bool may_drop() const noexcept { return rings_.size() > 1 || !untold_.empty(); }
  /// The greatest first sequence mapped so far; 0: none.
  [[nodiscard]] std::uint64_t newest_mapped() const noexcept { return newest_mapped_; }

  /// The ring that holds `s` if it is mapped. Thread-safe beside at().
  [[nodiscard]] std::shared_ptr<Ring> mapped_for(std::uint64_t s) const;

 private:
  std::shared_ptr<Ring> fetch(std::uint64_t name) const;
  bool unmap_unused() noexcept;

  Attachment* attachment_;
  mutable std::mutex mutex_;                  // of rings_ against mapped_for()
  std::vector<std::shared_ptr<Ring>> rings_;  // ascending
  // Names of rings that are not mapped, though the supervisor may believe so. It has room for the
  // names of all that are mapped.
  std::vector<std::uint64_t> untold_;
  std::uint64_t newest_mapped_ = 0;
};

}  // namespace spillring::client
