// A client's end of the control protocol.
#pragma once

#include <cstdint>
#include <mutex>
#include <set>
#include <string>

#include "control/channel.hpp"
#include "layout/control.hpp"
#include "os/clock.hpp"
#include "os/fd.hpp"
#include "os/fork.hpp"
#include "spillring/options.hpp"

namespace spillring::client {

/// A connection to a supervisor, greeted. Thread-safe: one request at a time.
class Connection {
 public:
  /// Connects and agrees on versions. Throws `Error`.
  Connection(std::string path, Timeout timeout);

  /// Asks and waits for the answer. Throws what the supervisor answers, and unavailable, timeout,
  /// forked.
  control::Answered call(layout::Request request);
  /// Says something that is not answered. Never blocks, never fails.
  void tell(const layout::Request& request) noexcept;

  [[nodiscard]] const std::string& path() const noexcept { return path_; }

 private:
  control::Answered receive(std::uint64_t id, os::Instant until);
  /// An answer to another request than the last: to one that timed out here, whose handle nobody
  /// waits for any more, or the second to one that a supervisor had answered when it died.
  void give_back(const layout::Reply& late) noexcept;

  std::string path_;
  Timeout timeout_;
  os::Fd socket_;
  os::NotInherited not_inherited_{socket_};
  std::mutex mutex_;
  std::uint64_t last_id_ = 0;
  std::set<std::uint64_t> timed_out_;  // requests that were not answered in time
  std::uint32_t fork_generation_;
};

}  // namespace spillring::client
