#include "supervisor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/system/system_error.hpp>
#include <chrono>
#include <new>

#include "log.hpp"
#include "os/failure.hpp"
#include "os/memory.hpp"
#include "os/socket.hpp"
#include "spillring/client.hpp"
#include "spillring/version.hpp"

namespace spillring::daemon {

using layout::Ask;

namespace {

// Packets of one client before others get their turn.
constexpr int most_at_once = 16;

// After a look at a queue that could not be finished.
constexpr std::uint64_t look_after_failure = 1'000'000'000;

// So many supervisors may die while they carry out one request.
constexpr std::uint64_t most_attempts = 5;

Error unknown_queue(std::string_view name) {
  return {Code::not_found, fmt::format("there is no queue '{}'", name), "",
          fmt::format("create it with: spillring create {}", name)};
}

Instance instance_of(const Supervisor::Options& options, std::vector<KeptPacket>& kept) {
  KeptPacket* instance = find_kept(kept, layout::Kept::instance);
  KeptPacket* passed = find_kept(kept, layout::Kept::listener);
  if (instance != nullptr) return {std::move(*instance), passed != nullptr};
  os::Fd listener = passed == nullptr ? os::Fd() : std::move(passed->descriptors.at(0));
  return {options.socket, options.socket_mode, std::move(listener)};
}

/// Only a keeper can have it for the next supervisor.
os::Fd settings_of(const Supervisor::Options& options, const KeeperLine& keeper) {
  return keeper.attached() ? os::create_text("spillring:settings", options.configuration)
                           : os::Fd();
}

bool makes_handle(const layout::Request& request) noexcept {
  const auto ask = static_cast<Ask>(request.ask);
  return ask == Ask::produce || ask == Ask::consume;
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
      instance_(instance_of(options_, keeper.kept)),
      settings_(settings_of(options_, keeper_)) {
  instance_.set_mode(options_.socket, options_.socket_mode);
  // Before the instance: where that is kept, the next supervisor goes on, with the state directory
  // that is kept too or without one.
  open_state(keeper.kept);
  instance_.deposit(keeper_);
  deposit_settings();
  adopt(std::move(keeper.kept));
  restore();
  guard_socket();
  look_after_socket();
  watch_keeper();
  consider_leaving();
}

void Supervisor::leave() noexcept {
  save();
  keeper_.say(layout::Keeping::stop);
  instance_.remove(options_.socket);
}

// With a keeper the next supervisor goes on, unless this one has left.
Supervisor::~Supervisor() {
  if (!keeper_.attached()) leave();
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

// ---- requests -----------------------------------------------------------------------------------

void Supervisor::read(Sessions::iterator session) {
  // What the dead have asked for is not done any more: they may have asked somebody else since.
  if (os::is_dead(session->peer.pidfd)) return;  // its watch comes next
  for (int count = 0; count < most_at_once; ++count) {
    layout::Request request{};
    switch (control::peek(session->socket, request)) {
      case os::Transfer::would_block:
        return;
      case os::Transfer::done:
        if (carry_out(*session, request)) continue;
        return connection_ended(session);
      case os::Transfer::closed:
        return connection_ended(session);
      case os::Transfer::broken:
        os::discard_packet(session->socket);  // unread, it would tell the other side of an error
        return connection_ended(session);
    }
  }
}

/// A request stays in its connection until it is answered; the notes say that it has been begun.
bool Supervisor::carry_out(Session& session, const layout::Request& request) {
  layout::Notes& notes = instance_.notes();
  const bool repeated = unanswered_ == std::pair(session.id, request.id);
  if (!repeated) {
    for (auto* word : {&notes.attempts, &notes.begun, &notes.purge_to}) {
      word->store(0, std::memory_order_relaxed);
    }
    notes.request.store(request.id, std::memory_order_relaxed);
    notes.session.store(session.id, std::memory_order_seq_cst);
  }
  bool goes_on = false;
  // One that no supervisor survives would otherwise end each that follows.
  if (notes.attempts.fetch_add(1, std::memory_order_seq_cst) < most_attempts) {
    goes_on = answer(session, request, repeated);
  } else {
    goes_on = refuse(session, request,
                     Error(Code::internal, "the supervisor has died of this request", "",
                           "this is a bug; please report it"));
  }
  os::discard_packet(session.socket);
  notes.session.store(0, std::memory_order_seq_cst);
  return goes_on;
}

bool Supervisor::refuse(Session& session, const layout::Request& request, const Error& error) try {
  // Who speaks another version is told so, and then left.
  return control::Answer(request, error).send(session.socket) == os::Transfer::done &&
         session.greeted;
} catch (const std::exception&) {  // no memory for a few lines of text
  return false;
}

bool Supervisor::answer(Session& session, const layout::Request& request, bool repeated) {
  // Of who uses a number twice it cannot be told which of the two has made the handle.
  const bool may_withdraw = !repeated && !handle_made_by(session, request);
  try {
    control::Answer answer(request);
    dispatch(session, request, repeated, answer);
    if (static_cast<Ask>(request.ask) == Ask::drop_ring) return true;  // nobody waits for an answer
    if (answer.send(session.socket) == os::Transfer::done) return true;
    if (may_withdraw) withdraw(session, request);
    return false;
  } catch (const Error& error) {
    if (may_withdraw) withdraw(session, request);
    return refuse(session, request, error);
  } catch (const boost::system::system_error& failure) {  // asio's calls
    if (may_withdraw) withdraw(session, request);
    const Code code = os::code_of(failure.code().value());
    return refuse(session, request, Error(code, "cannot do what was asked", failure.what()));
  } catch (const std::bad_alloc&) {
    if (may_withdraw) withdraw(session, request);
    return refuse(session, request, Error(Code::no_memory));
  } catch (const std::exception& failure) {
    if (may_withdraw) withdraw(session, request);
    return refuse(session, request, Error(Code::internal, failure.what()));
  }
}

/// Nobody knows of the handle that the request has made, so nobody will give it back. (Of a
/// repeated one the answer may have come to the client from the supervisor before.)
void Supervisor::withdraw(Session& session, const layout::Request& request) {
  const auto made = handle_made_by(session, request);
  if (!made) return;
  session.handles.erase({request.queue, *made});
  queues_.at(request.queue)->queue.retire(*made);
  service(request.queue);
}

std::optional<std::uint32_t> Supervisor::handle_made_by(const Session& session,
                                                        const layout::Request& request) const {
  const auto found = queues_.find(request.queue);
  if (!makes_handle(request) || found == queues_.end()) return std::nullopt;
  return found->second->queue.find_handle({session.peer, session.id, request.id});
}

void Supervisor::dispatch(Session& session, const layout::Request& request, bool repeated,
                          control::Answer& answer) {
  const auto ask = static_cast<Ask>(request.ask);
  if (!session.greeted && ask != Ask::hello) {
    throw Error(Code::version_mismatch, "the first request of a connection is hello");
  }
  const Requester requester{session.peer, session.id, request.id, repeated};
  switch (ask) {
    case Ask::hello:
      check_hello(request);
      session.greeted = true;
      return deposit_session(session);
    case Ask::create:
      return create(requester, request, answer);
    case Ask::open:
      return open(requester, request.name.view(), answer);
    case Ask::list:
      return list(requester, request, answer);
    case Ask::remove:
      return remove(requester, request.name.view());
    case Ask::info:
      answer.add(queue_for(requester, request.queue, Right::either).record());
      return;
    case Ask::groups:
      return queue_for(requester, request.queue, Right::either).groups(request, answer);
    case Ask::clients:
      return queue_for(requester, request.queue, Right::either).clients(request, answer);
    case Ask::produce: {
      Queue& queue = queue_for(requester, request.queue, Right::publish);
      if (const auto other = queue.exclusive_session()) retire_if_dead(*other);
      session.handles.emplace(request.queue, queue.produce(requester, answer));
      return;
    }
    case Ask::consume: {
      Queue& queue = queue_for(requester, request.queue, Right::consume);
      session.handles.emplace(request.queue, queue.consume(requester, request, answer));
      return;
    }
    case Ask::journal: {
      queue_for(requester, request.queue, Right::consume).journal(request, answer);
      return service(request.queue);  // what was read before may not be needed any more
    }
    case Ask::observe:
      return queue_for(requester, request.queue, Right::consume).observe(answer);
    case Ask::ring:
    case Ask::drop_ring: {
      // A handle counts only for the connection that it was given to.
      layout::Request own = request;
      if (!session.handles.contains({request.queue, request.handle})) own.handle = 0;
      if (ask == Ask::drop_ring) {
        if (served(request.queue).queue.drop_ring(own.handle, own.number)) service(request.queue);
        return;
      }
      // A handle has its rights already; without one, this is an observer.
      const bool has_handle = own.handle != 0;
      Queue& queue = has_handle ? served(request.queue).queue
                                : queue_for(requester, request.queue, Right::consume);
      return queue.ring(own, answer);
    }
    case Ask::detach: {
      if (request.handle != 0) return detach(session, request.queue, request.handle);
      const Requester maker{session.peer, session.id, request.number};
      const auto made = served(request.queue).queue.find_handle(maker);
      return made ? detach(session, request.queue, *made) : void();
    }
    case Ask::purge:
      purge(requester, request.queue, answer);
      return service(request.queue);  // the disk is given back
    case Ask::seek:
      queue_for(requester, request.queue, Right::consume).seek(request);
      return service(request.queue);
    case Ask::set: {
      Queue& queue = queue_of_owner(requester, request.queue);
      queue.set(request);
      answer.add(queue.record());
      return service(request.queue);
    }
    case Ask::remove_group:
      remove_group(requester, request);
      return service(request.queue);
  }
  throw Error(Code::unsupported, fmt::format("request {} is not known", request.ask));
}

void Supervisor::detach(Session& session, std::uint64_t queue, std::uint32_t handle) {
  if (session.handles.erase({queue, handle}) == 0) return;
  served(queue).queue.retire(handle);
  service(queue);
}

// ---- queues -------------------------------------------------------------------------------------

Supervisor::Served& Supervisor::served(std::uint64_t id) {
  const auto found = queues_.find(id);
  if (found == queues_.end()) {
    throw Error(Code::deleted, "the queue was removed", "", "create it again, or open another");
  }
  return *found->second;
}

Queue& Supervisor::queue_for(const Requester& requester, std::uint64_t id, Right right) {
  Queue& queue = served(id).queue;
  queue.access().require(requester.who, right, queue.name());
  return queue;
}

Queue& Supervisor::queue_of_owner(const Requester& requester, std::uint64_t id) {
  Queue& queue = served(id).queue;
  queue.access().require_owner(requester.who, queue.name());
  return queue;
}

Supervisor::Served& Supervisor::served(std::string_view name) {
  require_loaded(name);
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
  require_loaded(name);
  if (const auto found = names_.find(name); found != names_.end()) {
    if (requester.repeated && queues_.at(found->second)->queue.made_by(requester)) {
      answer.reply.queue = found->second;
      return;
    }
    throw Error(Code::exists, fmt::format("queue '{}' exists already", name), "",
                fmt::format("use it as it is, or remove it first: spillring rm {}", name));
  }
  if (const std::string_view dead_letter = request.dead_letter.view(); !dead_letter.empty()) {
    const Queue& target = served(dead_letter).queue;
    const gid_t group =
        request.owner_group == layout::no_group ? requester.who.gid : request.owner_group;
    // As whom it is sent there later: the queue's owner and group.
    target.access().require(os::Peer{.uid = requester.who.uid, .gid = group}, Right::publish,
                            target.name());
    target.require_fit_for_dead_letters(request);
  }
  const std::uint64_t id = instance_.notes().last_queue.fetch_add(1, std::memory_order_relaxed) + 1;
  auto charge = accounts_.take(requester.who.uid, Accounts::Item::queue);
  auto made = std::make_unique<Served>(loop_, id, name, request, requester, keeper_, accounts_,
                                       state_.get());
  made->charge = std::move(charge);
  Queue& queue = made->queue;
  try {
    if (state_) state_->catalogue().put(queue.definition());
    if (queue.is_durable()) state_->catalogue().sync();
    serve(std::move(made));
  } catch (...) {
    keeper_.drop(layout::Kept::queue, id);  // nobody has been told of it
    forget(id);
    throw;
  }
  answer.reply.queue = queue.id();
}

bool Supervisor::was_begun(const Requester& requester) const noexcept {
  return requester.repeated && instance_.notes().begun.load(std::memory_order_relaxed) != 0;
}

void Supervisor::open(const Requester& requester, std::string_view name, control::Answer& answer) {
  const Queue& queue = served(name).queue;
  queue.access().require(requester.who, Right::either, queue.name());
  answer.reply.queue = queue.id();
}

void Supervisor::serve(std::unique_ptr<Served> made) {
  const std::uint64_t id = made->queue.id();
  made->queue.on_written([this, id] { service(id); });
  made->queue.know_others({[this](std::string_view name) -> Queue* {
                             const auto found = names_.find(name);
                             return found == names_.end() ? nullptr
                                                          : &queues_.at(found->second)->queue;
                           },
                           [this](std::uint64_t other) -> Queue* {
                             const auto found = queues_.find(other);
                             return found == queues_.end() ? nullptr : &found->second->queue;
                           }});
  made->watch = std::make_unique<Watch>(loop_, made->queue.service_event(), [this, id] {
    os::clear_event(queues_.at(id)->queue.service_event());
    service(id);
  });
  names_.emplace(made->queue.name(), id);
  queues_.emplace(id, std::move(made));
}

void Supervisor::list(const Requester& requester, const layout::Request& request,
                      control::Answer& answer) const {
  for (auto at = names_.upper_bound(request.name.view()); at != names_.end(); ++at) {
    const Queue& queue = queues_.at(at->second)->queue;
    if (!queue.access().permits(requester.who, Right::either)) continue;
    if (!answer.add(queue.record())) {
      answer.reply.number = 1;
      return;
    }
  }
}

void Supervisor::remove(const Requester& requester, std::string_view name) {
  if (was_begun(requester) && !names_.contains(name)) return;  // it was done, and not answered
  Served& gone = served(name);
  gone.queue.access().require_owner(requester.who, gone.queue.name());
  instance_.notes().begun.store(1, std::memory_order_seq_cst);
  const std::uint64_t id = gone.queue.id();
  if (state_) state_->catalogue().remove(id);
  if (gone.queue.is_durable()) sync_catalogue();
  gone.queue.set_condition(layout::Condition::deleted);
  gone.queue.remove_journal();
  keeper_.drop(layout::Kept::queue, id);
  names_.erase(gone.queue.name());
  queues_.erase(id);
  for (Session& session : sessions_) {
    std::erase_if(session.handles, [&](const HandleKey& key) { return key.first == id; });
  }
}

void Supervisor::forget(std::uint64_t id) noexcept try {
  if (state_) state_->catalogue().remove(id);
} catch (const std::exception& failure) {
  log(failure.what());
}

/// Of what cannot be undone: a power cut may, where this fails.
void Supervisor::sync_catalogue() noexcept try {
  state_->catalogue().sync();
} catch (const std::exception& failure) {
  log(failure.what());
}

/// Carried out twice it goes no further than once: messages that were sent since the answer stay.
void Supervisor::purge(const Requester& requester, std::uint64_t id, control::Answer& answer) {
  Queue& queue = queue_of_owner(requester, id);
  layout::Notes& notes = instance_.notes();
  if (notes.purge_to.load(std::memory_order_relaxed) == 0) {
    const Queue::Purge plan = queue.plan_purge();
    notes.purge_count.store(plan.count, std::memory_order_relaxed);
    notes.purge_to.store(plan.to, std::memory_order_seq_cst);
  }
  answer.reply.number = notes.purge_count.load(std::memory_order_relaxed);
  queue.purge(notes.purge_to.load(std::memory_order_relaxed));
}

void Supervisor::remove_group(const Requester& requester, const layout::Request& request) {
  Queue& queue = queue_of_owner(requester, request.queue);
  const bool begun = was_begun(requester);
  instance_.notes().begun.store(1, std::memory_order_seq_cst);
  try {
    queue.remove_group(request.name.view(), request.kind != 0);
  } catch (const Error& error) {
    if (!begun || error.code() != Code::not_found) throw;
  }
}

/// Returns when to look again.
os::Instant Supervisor::look_after(Queue& queue, os::Instant now) noexcept try {
  return queue.service(now);
} catch (const std::exception& failure) {  // no memory, at present
  log(fmt::format("queue '{}': {}", queue.name(), failure.what()));
  return os::after(now, look_after_failure);
}

void Supervisor::service(std::uint64_t id) {
  const auto found = queues_.find(id);
  if (found == queues_.end() || options_.without_recovery || stopping_) return;
  Served& at = *found->second;
  const os::Instant now = os::now();
  const os::Instant next = look_after(at.queue, now);
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
