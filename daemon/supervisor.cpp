#include "supervisor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "log.hpp"
#include "os/socket.hpp"
#include "spillring/client.hpp"
#include "spillring/version.hpp"

namespace spillring::daemon {

using layout::Ask;

namespace {

// Packets of one client, or new clients, before others get their turn.
constexpr int most_at_once = 16;

Error unknown_queue(std::string_view name) {
  return {Code::not_found, fmt::format("there is no queue '{}'", name), "",
          fmt::format("create it with: spillring create {}", name)};
}

Instance instance_of(const std::string& socket, std::vector<KeptPacket>& kept) {
  const auto found = std::find_if(kept.begin(), kept.end(), [](const KeptPacket& packet) {
    return static_cast<layout::Kept>(packet.record.kind) == layout::Kept::instance;
  });
  return found == kept.end() ? Instance(socket) : Instance(std::move(*found));
}

void check_hello(const layout::Request& request) {
  if (request.protocol_version == protocol_version && request.layout_version == layout_version) {
    return;
  }
  throw Error(Code::version_mismatch, "this client and the supervisor are of different versions",
              fmt::format("client: protocol {}, layout {}; supervisor {}: protocol {}, layout {}",
                          request.protocol_version, request.layout_version, version,
                          protocol_version, layout_version),
              "install the library and the supervisor of one release");
}

}  // namespace

Supervisor::Supervisor(Options options, Keeper keeper, KeeperMaker new_keeper)
    : options_(std::move(options)),
      keeper_(std::move(keeper.line)),
      new_keeper_(std::move(new_keeper)),
      instance_(instance_of(options_.socket, keeper.kept)) {
  instance_.notes().starts.fetch_add(1, std::memory_order_relaxed);
  instance_.deposit(keeper_);
  adopt(std::move(keeper.kept));
  guard_socket();
  look_after_socket();
  watch_keeper();
  consider_leaving();
}

Supervisor::~Supervisor() {
  keeper_.say(layout::Keeping::stop);
  instance_.remove(options_.socket);
}

void Supervisor::run() {
  while (!loop_.stopped()) {
    try {
      loop_.run();
    } catch (
        const std::exception& failure) {  // no memory, most likely: everybody else is served on
      log(failure.what());
    }
  }
}

// ---- connections --------------------------------------------------------------------------------

void Supervisor::accept() {
  for (int count = 0; count < most_at_once; ++count) {
    os::Fd socket = os::accept_from(instance_.listener());
    if (!socket) return;
    os::Peer peer;
    try {
      peer = os::peer_of(socket);
    } catch (const Error&) {
      continue;  // gone already
    }
    // Whose death could not be noticed is not served: the end of a connection is not a death.
    if (!peer.pidfd) {
      log("a client was turned away: its process cannot be watched");
      continue;
    }
    sessions_.push_back({});
    const auto session = std::prev(sessions_.end());
    session->id = instance_.notes().last_session.fetch_add(1, std::memory_order_relaxed) + 1;
    session->socket = std::move(socket);
    session->peer = std::move(peer);
    admit(session);
  }
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

void Supervisor::read(Sessions::iterator session) {
  for (int count = 0; count < most_at_once; ++count) {
    layout::Request request{};
    layout::Notes& notes = instance_.notes();
    switch (control::peek(session->socket, request)) {
      case os::Transfer::would_block:
        return;
      case os::Transfer::done: {
        notes.request.store(request.id, std::memory_order_relaxed);
        notes.session.store(session->id, std::memory_order_release);
        const bool goes_on = answer(*session, request);
        os::discard_packet(session->socket);
        notes.session.store(0, std::memory_order_relaxed);
        if (goes_on) continue;
        return connection_ended(session);
      }
      case os::Transfer::closed:
        return connection_ended(session);
      case os::Transfer::broken:
        os::discard_packet(session->socket);  // unread, it would tell the other side of an error
        return connection_ended(session);
    }
  }
}

bool Supervisor::answer(Session& session, const layout::Request& request) {
  control::Answer answer(request);
  try {
    dispatch(session, request, answer);
    if (static_cast<Ask>(request.ask) == Ask::drop_ring) return true;  // nobody waits for an answer
    return answer.send(session.socket) == os::Transfer::done;
  } catch (const std::exception& failure) {
    const auto* known = dynamic_cast<const Error*>(&failure);
    const control::Answer refusal(
        request, known != nullptr ? *known : Error(Code::internal, failure.what()));
    // Who speaks another version is told so, and then left.
    return refusal.send(session.socket) == os::Transfer::done && session.greeted;
  }
}

void Supervisor::dispatch(Session& session, const layout::Request& request,
                          control::Answer& answer) {
  const auto ask = static_cast<Ask>(request.ask);
  if (!session.greeted && ask != Ask::hello) {
    throw Error(Code::version_mismatch, "the first request of a connection is hello");
  }
  const Requester requester{session.peer.pid, session.id, request.id,
                            unanswered_ == std::pair(session.id, request.id)};
  switch (ask) {
    case Ask::hello:
      check_hello(request);
      session.greeted = true;
      return deposit_session(session);
    case Ask::create:
      return create(requester, request, answer);
    case Ask::open:
      answer.reply.queue = served(request.name.view()).queue.id();
      return;
    case Ask::list:
      return list(request, answer);
    case Ask::remove:
      return remove(requester, request.name.view());
    case Ask::info:
      answer.add(served(request.queue).queue.record());
      return;
    case Ask::groups:
      return served(request.queue).queue.groups(request, answer);
    case Ask::produce:
      session.handles.emplace(request.queue,
                              served(request.queue).queue.produce(requester, answer));
      return;
    case Ask::consume:
      session.handles.emplace(request.queue,
                              served(request.queue).queue.consume(requester, request, answer));
      return;
    case Ask::observe:
      return served(request.queue).queue.observe(answer);
    case Ask::ring:
    case Ask::drop_ring: {
      // A handle counts only for the connection that it was given to.
      layout::Request own = request;
      if (!session.handles.contains({request.queue, request.handle})) own.handle = 0;
      Queue& queue = served(request.queue).queue;
      return ask == Ask::ring ? queue.ring(own, answer) : queue.drop_ring(own.handle, own.number);
    }
    case Ask::detach:
      if (session.handles.erase({request.queue, request.handle}) != 0) {
        served(request.queue).queue.retire(request.handle);
        service(request.queue);
      }
      return;
    case Ask::purge:
      return served(request.queue).queue.purge(answer);
    case Ask::remove_group:
      remove_group(requester, request);
      return service(request.queue);
  }
  throw Error(Code::unsupported, fmt::format("request {} is not known", request.ask));
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

// ---- queues -------------------------------------------------------------------------------------

Supervisor::Served& Supervisor::served(std::uint64_t id) {
  const auto found = queues_.find(id);
  if (found == queues_.end()) {
    throw Error(Code::deleted, "the queue was removed", "", "create it again, or open another");
  }
  return *found->second;
}

Supervisor::Served& Supervisor::served(std::string_view name) {
  const auto found = names_.find(name);
  if (found == names_.end()) throw unknown_queue(name);
  return *queues_.at(found->second);
}

void Supervisor::create(const Requester& requester, const layout::Request& request,
                        control::Answer& answer) {
  const std::string name(request.name.view());
  if (!valid_name(name)) {
    throw Error(Code::invalid, fmt::format("'{}' is not a queue name", name),
                "a name has 1 to 120 characters of A-Z a-z 0-9 . _ - and begins with no dot",
                "choose another name");
  }
  if (const auto found = names_.find(name); found != names_.end()) {
    if (requester.repeated && queues_.at(found->second)->queue.made_by(requester)) {
      answer.reply.queue = found->second;
      return;
    }
    throw Error(Code::exists, fmt::format("queue '{}' exists already", name), "",
                fmt::format("use it as it is, or remove it first: spillring rm {}", name));
  }
  const std::uint64_t id = instance_.notes().last_queue.fetch_add(1, std::memory_order_relaxed) + 1;
  serve(std::make_unique<Served>(loop_, id, name, request, requester, keeper_));
  answer.reply.queue = id;
}

void Supervisor::serve(std::unique_ptr<Served> made) {
  const std::uint64_t id = made->queue.id();
  made->watch = std::make_unique<Watch>(loop_, made->queue.service_event(), [this, id] {
    os::clear_event(queues_.at(id)->queue.service_event());
    service(id);
  });
  names_.emplace(made->queue.name(), id);
  queues_.emplace(id, std::move(made));
}

void Supervisor::list(const layout::Request& request, control::Answer& answer) const {
  for (auto at = names_.upper_bound(request.name.view()); at != names_.end(); ++at) {
    if (!answer.add(queues_.at(at->second)->queue.record())) {
      answer.reply.number = 1;
      return;
    }
  }
}

void Supervisor::remove(const Requester& requester, std::string_view name) {
  if (requester.repeated && !names_.contains(name)) return;  // it was done, and not answered
  Served& gone = served(name);
  const std::uint64_t id = gone.queue.id();
  gone.queue.condemn(layout::Condition::deleted);
  keeper_.drop(layout::Kept::queue, id);
  names_.erase(gone.queue.name());
  queues_.erase(id);
  for (Session& session : sessions_) {
    std::erase_if(session.handles, [&](const HandleKey& key) { return key.first == id; });
  }
}

void Supervisor::remove_group(const Requester& requester, const layout::Request& request) {
  try {
    served(request.queue).queue.remove_group(request.name.view());
  } catch (const Error& error) {
    if (!requester.repeated || error.code() != Code::not_found) throw;
  }
}

void Supervisor::service(std::uint64_t id) {
  const auto found = queues_.find(id);
  if (found == queues_.end() || options_.without_recovery) return;
  Served& at = *found->second;
  const os::Instant now = os::now();
  const os::Instant next = at.queue.service(now);
  if (next == os::never) {
    at.timer.cancel();
    return;
  }
  at.timer.expires_after(std::chrono::nanoseconds(next - now));
  at.timer.async_wait([this, id](const boost::system::error_code& error) {
    if (!error) service(id);
  });
}

}  // namespace spillring::daemon
