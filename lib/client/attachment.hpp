// What a producer, a consumer or an observer of one queue has in common: the queue's segments.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "client/connection.hpp"
#include "layout/bells.hpp"
#include "layout/groups.hpp"
#include "layout/manifest.hpp"
#include "os/memory.hpp"
#include "spillring/error.hpp"

namespace spillring::client {

/// A queue as opened by a client.
struct QueueRef {
  std::shared_ptr<Connection> connection;
  std::uint64_t id = 0;
  std::string name;
};

class Attachment {
 public:
  enum class Kind : std::uint8_t { producer, consumer, observer };

  /// Maps what came with `answer` to a produce, consume or observe. Throws `Error` (corrupt,
  /// version).
  Attachment(std::shared_ptr<QueueRef> queue, control::Answered& answer, Kind kind);

  [[nodiscard]] const layout::Manifest& manifest() const noexcept { return *manifest_; }
  [[nodiscard]] layout::Groups& groups() const noexcept { return *groups_; }
  [[nodiscard]] layout::Bells& bells() const noexcept { return *bells_; }
  [[nodiscard]] layout::Owner owner() const noexcept { return owner_; }
  [[nodiscard]] Kind kind() const noexcept { return kind_; }
  [[nodiscard]] QueueRef& queue() const noexcept { return *queue_; }

  /// Why nothing can be done here any more; ok while it can.
  [[nodiscard]] Code condition() const noexcept;
  /// True in a child that was forked since: nothing may be touched there.
  [[nodiscard]] bool forked() const noexcept;

  /// Asks the supervisor to look at the queue. Never blocks, works without a supervisor.
  void ask_service() const noexcept;
  /// Says that shared memory contradicts itself. Returns the code to hand on.
  Code report_damage() const noexcept;

  /// Wakes producers whose need lies in (from, to]. REQUIRES: what rose did so by a seq_cst
  /// operation.
  void ring_room(std::uint64_t from, std::uint64_t to) const noexcept;

  Attachment(const Attachment&) = delete;
  Attachment& operator=(const Attachment&) = delete;
  /// Gives the handle's place back.
  ~Attachment();

 private:
  void map(control::Answered& answer);
  void detach() noexcept;

  std::shared_ptr<QueueRef> queue_;
  Kind kind_;
  layout::Owner owner_;
  std::uint32_t fork_generation_;
  os::Mapping manifest_map_;
  os::Mapping groups_map_;
  os::Mapping bells_map_;
  os::Fd service_;
  const layout::Manifest* manifest_ = nullptr;
  layout::Groups* groups_ = nullptr;
  layout::Bells* bells_ = nullptr;
};

}  // namespace spillring::client
