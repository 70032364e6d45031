// Looking without taking part: all maps read-only, no handle, no hold.
#pragma once

#include <vector>

#include "client/attachment.hpp"
#include "client/journal_cursor.hpp"
#include "client/ring_chain.hpp"
#include "spillring/queue.hpp"

namespace spillring::client {

class Observer {
 public:
  explicit Observer(QueueRef& queue);

  /// The sequence of the first message that was sent at `time` or later, in nanoseconds since
  /// 1970; the queue's end where there is none.
  std::uint64_t sequence_at(std::uint64_t time);

  /// Copies up to `most` messages from sequence `from` on (0: the oldest that somebody still
  /// needs).
  std::vector<PeekedMessage> peek(std::size_t most, std::uint64_t from);

 private:
  [[nodiscard]] std::uint64_t oldest() const noexcept;
  /// The first sequence that is not claimed.
  [[nodiscard]] std::uint64_t end();
  /// The ring of `s`, nullptr where it was let go.
  const Ring* ring_of(std::uint64_t s);
  /// False if the message went away while it was copied.
  bool copy(const ring::RingView& ring, std::uint64_t s, PeekedMessage& into);

  struct Found {
    bool copied = false;
    std::uint64_t next = 0;  // where to go on
  };
  Found copy_from_journal(std::uint64_t s, PeekedMessage& into);
  [[nodiscard]] Found copy_from_block(const journal::Block& block, std::uint64_t s,
                                      PeekedMessage& into) const;
  /// Of a condemned ring only what the journal has is there.
  Found copy_from_condemned(const Ring& ring, std::uint64_t s, PeekedMessage& into);
  /// The first number behind `s`, which the journal does not have any more, that may still be
  /// there. Throws `Error` (corrupt).
  std::uint64_t behind_what_is_gone(std::uint64_t s);
  /// The same for one that the journal never had. no_sequence: there is none.
  [[nodiscard]] std::uint64_t behind_what_was_reclaimed(const Ring& ring, std::uint64_t s) const;

  static constexpr int most_asked_in_vain = 16;

  QueueRef* queue_;
  int asked_in_vain_ = 0;
  std::uint64_t earliest_ = 0;  // that could be read when the supervisor was asked
  Attachment attachment_;
  RingChain rings_;
  JournalCursor journal_;
};

}  // namespace spillring::client
