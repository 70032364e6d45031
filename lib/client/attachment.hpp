// What a producer, a consumer or an observer of one queue has in common: the queue's segments.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "client/queue_ref.hpp"
#include "layout/bells.hpp"
#include "layout/groups.hpp"
#include "layout/manifest.hpp"
#include "os/fork.hpp"
#include "os/memory.hpp"
#include "spillring/error.hpp"
#include "wait/room.hpp"

namespace spillring::client {

class Attachment {
 public:
  enum class Kind : std::uint8_t { producer, consumer, observer };

  /// Maps what came with `answer` to a produce, consume or observe. Throws `Error` (corrupt,
  /// version).
  Attachment(const QueueRef& queue, Answered& answer, Kind kind);

  [[nodiscard]] const layout::Manifest& manifest() const noexcept { return *manifest_; }
  [[nodiscard]] layout::Groups& groups() const noexcept { return *groups_; }
  [[nodiscard]] layout::Bells& bells() const noexcept { return *bells_; }
  [[nodiscard]] layout::Owner owner() const noexcept { return owner_; }
  [[nodiscard]] const std::string& queue_name() const noexcept { return name_; }
  [[nodiscard]] Kind kind() const noexcept { return kind_; }
  /// What other handles of this queue have mapped already.
  [[nodiscard]] Mappings& mappings() const noexcept { return *mappings_; }

  /// Why nothing can be done here any more; ok while it can.
  [[nodiscard]] Code condition() const noexcept {
    if (forked()) return Code::forked;
    // SYNC POINT READ: condition. seq_cst: also a sleeper's second look (wait/bell.hpp, W1).
    const auto condition =
        static_cast<layout::Condition>(manifest_->condition.load(std::memory_order_seq_cst));
    return condition == layout::Condition::ok ? Code::ok : code_of(condition);
  }
  /// True in a child that was forked since: nothing may be touched there.
  [[nodiscard]] bool forked() const noexcept { return fork_generation_ != os::fork_generation(); }

  /// Asks in the name of this handle the supervisor that gave it; `request.queue` and `.handle` are
  /// filled in. Throws as `Connection::call`; unavailable: that supervisor is gone for good.
  [[nodiscard]] Answered ask(layout::Request request) const;
  /// Tells that supervisor something, without waiting for anybody. False: it cannot be told now.
  [[nodiscard]] bool tell(layout::Request request) const noexcept;

  /// The supervisor that gave this handle, and its keeper, have ended, as far as can be seen.
  [[nodiscard]] bool supervisor_is_gone() const {
    return connection_->has_ended(queue_.generation);
  }
  /// Until when a call sleeps that would sleep until `until`: a client that is stopped may be the
  /// one to wake it, and is in nobody's way for longer than the stall timeout.
  [[nodiscard]] os::Instant nap_until(os::Instant until) const noexcept;
  /// Asks the supervisor to look at the queue. Never blocks, works without a supervisor.
  void ask_service() const noexcept;
  /// Says that shared memory contradicts itself. Returns the code to hand on.
  Code report_damage() const noexcept;

  /// wait::ring_room() of this queue.
  void ring_room(std::uint64_t from, std::uint64_t to) const noexcept {
    wait::ring_room(*manifest_, *bells_, from, to);
  }

  Attachment(const Attachment&) = delete;
  Attachment& operator=(const Attachment&) = delete;
  /// Gives the handle's place back.
  ~Attachment();

 private:
  static Code code_of(layout::Condition condition) noexcept;
  void map(control::Answered& answer);
  void detach() noexcept;

  [[nodiscard]] layout::Request signed_by_this(layout::Request request) const noexcept;

  std::shared_ptr<Connection> connection_;
  std::shared_ptr<Mappings> mappings_;
  std::string name_;
  QueueNumber queue_;
  Kind kind_;
  layout::Owner owner_;
  std::uint32_t fork_generation_;
  Mappings::Shared manifest_map_;
  Mappings::Shared groups_map_;
  Mappings::Shared bells_map_;
  os::Fd service_;
  const layout::Manifest* manifest_ = nullptr;
  layout::Groups* groups_ = nullptr;
  layout::Bells* bells_ = nullptr;
};

}  // namespace spillring::client
