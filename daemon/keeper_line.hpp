// The supervisor's line to its keeper.
#pragma once

#include <sys/types.h>

#include <initializer_list>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "layout/keeping.hpp"
#include "os/clock.hpp"
#include "os/fd.hpp"

namespace spillring::daemon {

/// A packet as the keeper keeps it.
struct KeptPacket {
  layout::KeepingRecord record{};
  std::vector<os::Fd> descriptors;
};

layout::KeepingRecord keeping_record(layout::Keeping op, layout::Kept kind, std::uint64_t id = 0,
                                     std::uint64_t number = 0);

/// The first of this kind; nullptr: there is none.
KeptPacket* find_kept(std::vector<KeptPacket>& kept, layout::Kept kind) noexcept;

/// Sends one packet; waits while the other side is slow, up to `patience`. False if it is gone or
/// does not read.
bool send_kept(const os::Fd& line, const layout::KeepingRecord& record,
               std::span<const int> descriptors, os::Instant patience) noexcept;

/// The next packet; waits for it. nullopt: the other side is gone. Throws `Error` (corrupt): what
/// came is no packet, or descriptors were lost on the way.
std::optional<KeptPacket> receive_kept(const os::Fd& line);

/// Says what is to be kept. Without a keeper (in a supervisor that a process embeds) it says
/// nothing.
class KeeperLine {
 public:
  KeeperLine() = default;
  KeeperLine(os::Fd line, os::Fd process, pid_t pid)
      : line_(std::move(line)), process_(std::move(process)), pid_(pid) {}

  [[nodiscard]] bool attached() const noexcept { return static_cast<bool>(line_); }
  /// The keeper's pidfd.
  [[nodiscard]] const os::Fd& process() const noexcept { return process_; }
  [[nodiscard]] pid_t pid() const noexcept { return pid_; }

  /// The keeper holds copies of the descriptors from now on, even if this process dies at once.
  /// A keeper that does not read for a second is killed: the next one is given everything anew, as
  /// after any other death of a keeper (Supervisor::replace_keeper).
  void keep(const layout::KeepingRecord& record, std::initializer_list<int> descriptors) noexcept;
  void drop(layout::Kept kind, std::uint64_t id, std::uint64_t number = 0) noexcept;
  void say(layout::Keeping op) noexcept;

 private:
  os::Fd line_;
  os::Fd process_;
  pid_t pid_ = 0;
  bool given_up_ = false;
};

}  // namespace spillring::daemon
