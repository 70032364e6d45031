// One client's connection: who it is, and which handles it has.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <utility>

#include "accounts.hpp"
#include "os/clock.hpp"
#include "os/fd.hpp"
#include "os/fork.hpp"
#include "os/process.hpp"
#include "watch.hpp"

namespace spillring::daemon {

/// {queue id, handle slot}
using HandleKey = std::pair<std::uint64_t, std::uint32_t>;

struct Session {
  std::uint64_t id = 0;
  os::Fd socket;  // empty once the connection has ended while the process lives on
  os::Peer peer;
  bool greeted = false;
  os::Instant greet_until = os::never;
  Accounts::Charge charge;
  std::set<HandleKey> handles;
  std::unique_ptr<os::NotInherited> not_inherited;  // of the socket, where a process embeds us
  std::unique_ptr<Watch> socket_watch;
  std::unique_ptr<Watch> process_watch;
};

}  // namespace spillring::daemon
