// How a supervisor takes over from one that has ended, and how it outlives its keeper.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "log.hpp"
#include "os/process.hpp"
#include "os/socket.hpp"
#include "supervisor.hpp"

namespace spillring::daemon {

using layout::Kept;

namespace {

constexpr auto keeper_pause = std::chrono::milliseconds(100);

Kept kind_of(const KeptPacket& packet) { return static_cast<Kept>(packet.record.kind); }

}  // namespace

void Supervisor::adopt(std::vector<KeptPacket> kept) {
  layout::Notes& notes = instance_.notes();
  unanswered_ = {notes.session.load(std::memory_order_acquire),
                 notes.request.load(std::memory_order_relaxed)};
  std::map<std::uint64_t, KeptQueue> found;
  for (KeptPacket& packet : kept) {
    const std::uint64_t id = packet.record.id;
    switch (kind_of(packet)) {
      case Kept::session:
        adopt_session(std::move(packet));
        break;
      case Kept::queue:
        found[id].queue = std::move(packet);
        break;
      case Kept::ring:
        found[id].rings.push_back(std::move(packet));
        break;
      case Kept::words:
        found[id].words.push_back(std::move(packet));
        break;
      default:
        break;
    }
  }
  for (auto& [id, queue] : found) {
    if (kind_of(queue.queue) == Kept::queue) {
      adopt_queue(std::move(queue));
    } else {
      keeper_.drop(Kept::queue, id);  // its making was cut short
    }
  }
  // In this order: what the dead one had published is told from what it had only claimed.
  for (const auto& [id, served] : queues_) served->queue.settle_hand_overs();
  for (const auto& [id, served] : queues_) served->queue.abort_own_claims();
  keeper_.say(layout::Keeping::complete);
  // The request that was being carried out comes first, before anybody can build on it or undo it.
  const auto first = std::find_if(sessions_.begin(), sessions_.end(),
                                  [this](const Session& at) { return at.id == unanswered_.first; });
  if (first != sessions_.end()) read(first);
  unanswered_ = {};
  for (const auto& [id, served] : queues_) service(id);
}

void Supervisor::adopt_session(KeptPacket kept) {
  std::vector<os::Fd>& parts = kept.descriptors;
  if (parts.empty() || parts.size() > 2) return;
  sessions_.push_back({});
  const auto session = std::prev(sessions_.end());
  session->id = kept.record.id;
  if (parts.size() == 2) {
    session->socket = std::move(parts[1]);
    session->peer = os::credentials_of(session->socket);
  }
  session->peer.pidfd = std::move(parts[0]);
  session->greeted = true;  // before that it is not kept
  session->charge = accounts_.adopt(session->peer.uid, Accounts::Item::client);
  admit(session);
}

void Supervisor::adopt_queue(KeptQueue kept) {
  const std::uint64_t id = kept.queue.record.id;
  try {
    auto served =
        std::make_unique<Served>(loop_, std::move(kept), keeper_, accounts_, state_.get());
    served->charge = accounts_.adopt(served->queue.access().owner, Accounts::Item::queue);
    if (served->queue.deleted()) return keeper_.drop(Kept::queue, id);  // that was cut short
    if (state_) state_->catalogue().put_definition(served->queue.definition());
    adopt_handles(*served);
    serve(std::move(served));
  } catch (const Error& error) {
    // Want of memory or descriptors passes: the keeper lets the next supervisor try again.
    if (error.code() != Code::corrupt) throw;
    log(fmt::format("queue {} is lost: {}: {}", id, error.summary(), error.why()));
    keeper_.drop(Kept::queue, id);
  }
}

void Supervisor::adopt_handles(Served& served) {
  for (const auto& [slot, id] : served.queue.handles()) {
    const auto session = std::find_if(sessions_.begin(), sessions_.end(),
                                      [id = id](const Session& at) { return at.id == id; });
    if (session != sessions_.end()) {
      session->handles.emplace(served.queue.id(), slot);
    } else {
      served.queue.retire(slot);  // the repair of its process's death was cut short
    }
  }
}

void Supervisor::watch_keeper() {
  if (!keeper_.attached()) return;
  instance_.write_processes(::getpid(), keeper_.pid());
  keeper_watch_ = std::make_unique<Watch>(loop_, keeper_.process(), [this] { replace_keeper(); });
}

void Supervisor::replace_keeper() {
  if (keeper_.attached()) {
    log(fmt::format("the keeper, process {}, has ended; a new one takes its place", keeper_.pid()));
  }
  keeper_watch_.reset();
  os::reap(keeper_.pid());
  try {
    keeper_ = new_keeper_();
  } catch (const std::exception& failure) {
    log(fmt::format("no keeper could be started: {}", failure.what()));
    keeper_ = {};
    return try_keeper_again();
  }
  deposit_all();
  // One that ends at once is not replaced at once.
  if (os::is_dead(keeper_.process())) return try_keeper_again();
  watch_keeper();
}

void Supervisor::try_keeper_again() {
  keeper_timer_.expires_after(keeper_pause);
  keeper_timer_.async_wait([this](const boost::system::error_code& cancelled) {
    if (!cancelled) replace_keeper();
  });
}

void Supervisor::deposit_all() {
  if (state_) state_->deposit(keeper_);  // before the instance: see the constructor
  instance_.deposit(keeper_);
  deposit_settings();
  for (const Session& session : sessions_) {
    if (session.greeted) deposit_session(session);
  }
  for (const auto& [id, served] : queues_) served->queue.deposit();
  keeper_.say(layout::Keeping::complete);
}

void Supervisor::deposit_settings() noexcept {
  if (!settings_) return;
  keeper_.keep(keeping_record(layout::Keeping::keep, Kept::settings), {settings_.get()});
}

void Supervisor::deposit_session(const Session& session) noexcept {
  const auto record = keeping_record(layout::Keeping::keep, Kept::session, session.id);
  if (session.socket) {
    keeper_.keep(record, {session.peer.pidfd.get(), session.socket.get()});
  } else {
    keeper_.keep(record, {session.peer.pidfd.get()});
  }
}

}  // namespace spillring::daemon
