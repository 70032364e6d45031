// Who comes, who is let in, who has gone.
#include <fmt/format.h>

#include <algorithm>

#include "log.hpp"
#include "os/socket.hpp"
#include "supervisor.hpp"

namespace spillring::daemon {

namespace {

// New clients before others get their turn.
constexpr int most_at_once = 16;

// Who has not said hello by then is not a client.
constexpr os::Instant greeting_timeout = 5'000'000'000;

/// Says why, and nothing more. To whom it cannot be said at once, it is not said.
void turn_away(const os::Fd& socket, const Error& error) noexcept try {
  const control::Answer refusal(control::request(layout::Ask::hello), error);
  (void)refusal.send(socket);
} catch (const std::exception&) {  // no memory for a few lines of text
}

}  // namespace

void Supervisor::accept() {
  for (int count = 0; count < most_at_once; ++count) {
    os::Fd socket = os::accept_from(instance_.listener());
    if (socket) {
      receive(std::move(socket));
    } else if (errno == EMFILE || errno == ENFILE) {
      turn_away_without_descriptor();
    } else if (errno != ECONNABORTED && errno != EINTR) {
      return;
    }
  }
}

/// Who waits must not keep the listening socket readable for ever.
void Supervisor::turn_away_without_descriptor() {
  reserve_.reset();
  const os::Fd socket = os::accept_from(instance_.listener());
  if (socket) {
    turn_away(socket, Error(Code::busy, "the supervisor has no descriptors left", "",
                            "close connections, or raise its limit of open files (LimitNOFILE)"));
  }
  reserve_ = os::reserve_descriptor();
}

void Supervisor::receive(os::Fd socket) try {
  // Whose death could not be noticed is not served: the end of a connection is not a death.
  os::Peer peer = os::peer_of(socket);
  auto charge = accounts_.take(peer.uid, Accounts::Item::client);
  Sessions one(1);
  const auto session = one.begin();
  session->id = instance_.notes().last_session.fetch_add(1, std::memory_order_relaxed) + 1;
  session->socket = std::move(socket);
  session->peer = std::move(peer);
  session->charge = std::move(charge);
  expect_greeting(*session);
  admit(session);
  sessions_.splice(sessions_.end(), one);
} catch (const Error& error) {
  turn_away(socket, error);
}

void Supervisor::expect_greeting(Session& session) {
  session.greet_until = os::now() + greeting_timeout;
  if (greeting_timer_.expiry() > std::chrono::steady_clock::now()) return;
  greeting_timer_.expires_after(std::chrono::nanoseconds(greeting_timeout));
  greeting_timer_.async_wait([this](const boost::system::error_code& cancelled) {
    if (!cancelled) close_silent();
  });
}

void Supervisor::close_silent() {
  const os::Instant now = os::now();
  os::Instant next = os::never;
  for (auto at = sessions_.begin(); at != sessions_.end();) {
    const auto session = at++;
    if (session->greeted) continue;
    if (session->greet_until <= now) {
      process_ended(session);
    } else {
      next = std::min(next, session->greet_until);
    }
  }
  if (next == os::never) return;
  greeting_timer_.expires_after(std::chrono::nanoseconds(next - now));
  greeting_timer_.async_wait([this](const boost::system::error_code& cancelled) {
    if (!cancelled) close_silent();
  });
}

void Supervisor::admit(Sessions::iterator session) {
  if (session->socket) {
    session->not_inherited = std::make_unique<os::NotInherited>(session->socket);
    session->socket_watch =
        std::make_unique<Watch>(loop_, session->socket, [this, session] { read(session); });
  }
  session->process_watch = std::make_unique<Watch>(loop_, session->peer.pidfd,
                                                   [this, session] { process_ended(session); });
}

void Supervisor::connection_ended(Sessions::iterator session) {
  session->socket_watch.reset();
  session->not_inherited.reset();
  session->socket.reset();
  // The end of a connection is not the end of a process: one that closed our socket (a daemon that
  // closes everything) may still use its maps. One that called exec has none any more.
  const bool lives_on = !os::is_dead(session->peer.pidfd) && still_maps_something(*session);
  if (!lives_on) return process_ended(session);
  deposit_session(*session);
}

bool Supervisor::still_maps_something(const Session& session) const {
  std::set<std::uint64_t> inodes;
  for (const auto& [id, slot] : session.handles) {
    if (const auto found = queues_.find(id); found != queues_.end()) {
      inodes.merge(found->second->queue.inodes());
    }
  }
  if (inodes.empty()) return false;
  return os::maps_any(session.peer.pid, inodes) != os::Maps::none;
}

void Supervisor::process_ended(Sessions::iterator session) {
  if (!options_.without_recovery) retire_all(*session);
  keeper_.drop(layout::Kept::session, session->id);
  sessions_.erase(session);
  consider_leaving();
}

/// Whose death was not noticed yet is in nobody's way.
void Supervisor::retire_if_dead(std::uint64_t session) {
  const auto found = std::find_if(sessions_.begin(), sessions_.end(),
                                  [session](const Session& at) { return at.id == session; });
  if (found == sessions_.end() || options_.without_recovery) return;
  if (os::is_dead(found->peer.pidfd)) retire_all(*found);
}

void Supervisor::retire_all(Session& session) {
  std::set<std::uint64_t> touched;
  for (const auto& [id, slot] : session.handles) {
    if (const auto found = queues_.find(id); found != queues_.end()) {
      found->second->queue.retire(slot);
      touched.insert(id);
    }
  }
  session.handles.clear();
  for (const std::uint64_t id : touched) service(id);
}

}  // namespace spillring::daemon
