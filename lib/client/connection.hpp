// A client's end of the control protocol.
//
// A connection may end for good: with its supervisor and its keeper. The next request that may go
// to any supervisor makes another one. What the old supervisor gave out (numbers of queues,
// handles, places) means something else to the new one, or nothing. So every number is kept
// together with the generation of the line it came over, and:
//
//   INVARIANT: a request that carries a number goes over the line that the number came over, or
//   nowhere.
//
// A request that was sent is never sent again: nobody knows whether it was carried out.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "client/socket_path.hpp"
#include "control/channel.hpp"
#include "layout/control.hpp"
#include "os/clock.hpp"
#include "os/fd.hpp"
#include "os/fork.hpp"
#include "spillring/options.hpp"
#include "wait/waiter.hpp"

namespace spillring::client {

/// Which line, of those that a connection has had. Never used again.
using Generation = std::uint64_t;

/// An answer, and the line it came over: what its numbers belong to.
struct Answered : control::Answered {
  Generation generation = 0;
};

/// A connection to a supervisor, greeted, and made anew when it has ended. Thread-safe: one request
/// at a time.
class Connection {
 public:
  /// Connects and agrees on versions; starts the user's own supervisor where `autostart` says so
  /// and none runs. Throws `Error`.
  Connection(SocketChoice socket, bool autostart, Timeout timeout);

  /// Asks whatever supervisor there is, and waits for the answer. Throws what the supervisor
  /// answers, and unavailable, timeout, forked. REQUIRES: the request carries no numbers.
  Answered call(layout::Request request);
  /// Asks over the line of that generation; nullopt: it has ended, and nothing was sent. Throws as
  /// above.
  std::optional<Answered> call_over(Generation line, layout::Request request);
  /// Says over the line of that generation something that is not answered. False: not now, as
  /// somebody is asking, or the line is full. True also where it has ended: nobody is to be told.
  [[nodiscard]] bool tell_over(Generation line, const layout::Request& request) noexcept;

  /// The line of that generation has ended, as far as can be seen without asking, and without
  /// waiting for whoever asks at this moment, who finds out.
  [[nodiscard]] bool has_ended(Generation line);

  /// The line in use.
  [[nodiscard]] Generation generation() const noexcept {
    return generation_.load(std::memory_order_acquire);
  }
  [[nodiscard]] const std::string& path() const noexcept { return socket_.path; }
  /// The threads that wait for those who poll.
  [[nodiscard]] wait::Waiters& waiters() noexcept { return waiters_; }

 private:
  /// One connected socket, and what was asked over it.
  struct Line {
    explicit Line(os::Fd connected) : socket(std::move(connected)) {}
    os::Fd socket;
    os::NotInherited not_inherited{socket};
    std::set<std::uint64_t> not_withdrawn;  // requests not answered in time, as the line was full
  };

  void check_fork() const;
  // REQUIRES of all below: mutex_ is held.
  void connect();
  [[nodiscard]] os::Fd reach() const;
  std::optional<Answered> try_call(layout::Request request);
  control::Answered receive(const layout::Request& request, os::Instant until);
  /// Nobody waits for the handle any more that this asked for: it is given back as soon as there is
  /// one, because a place may be another's.
  void withdraw(const layout::Request& request);
  /// An answer to another request than the last: to one that timed out here, or the second to one
  /// that a supervisor had answered when it died.
  void give_back(const layout::Reply& late) noexcept;

  SocketChoice socket_;
  bool autostart_;
  Timeout timeout_;
  std::mutex mutex_;
  std::optional<Line> line_;  // empty: it has ended
  std::atomic<Generation> generation_{0};
  std::uint64_t last_id_ = 0;
  std::uint32_t fork_generation_;
  wait::Waiters waiters_;
};

}  // namespace spillring::client
