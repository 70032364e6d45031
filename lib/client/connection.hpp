// A client's end of the control protocol.
#pragma once

#include <mutex>
#include <string>

#include "control/channel.hpp"
#include "layout/control.hpp"
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
  void greet();
  /// Nobody waits any more for the handle that this answer brings.
  void give_back(const layout::Reply& late) noexcept;

  std::string path_;
  Timeout timeout_;
  os::Fd socket_;
  os::NotInherited not_inherited_{socket_};
  std::mutex mutex_;
  std::uint64_t last_id_ = 0;
  std::uint32_t fork_generation_;
};

}  // namespace spillring::client
