// From one run of the daemon to the next, through the state directory.
#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "log.hpp"
#include "os/directory.hpp"
#include "os/lock_file.hpp"
#include "supervisor.hpp"

namespace spillring::daemon {

void Supervisor::open_state(std::vector<KeptPacket>& kept) {
  os::Fd lock;
  if (KeptPacket* held = find_kept(kept, layout::Kept::state);
      held != nullptr && held->descriptors.size() == 1) {
    lock = std::move(held->descriptors.front());
  }
  // Queues that are in memory go on with the journals they have.
  if (find_kept(kept, layout::Kept::instance) != nullptr) {
    const std::string before = lock ? os::directory_of(os::path_of(lock)) : "";
    if (before != options_.state_dir) {
      log(fmt::format("its state directory stays '{}'; only a restart changes it to '{}'", before,
                      options_.state_dir));
      options_.state_dir = before;
    }
  }
  if (options_.state_dir.empty()) return;
  state_ = std::make_unique<State>(
      State::Options{.directory = options_.state_dir,
                     .segment_size = options_.segment_size,
                     .disk_reserve = options_.disk_reserve,
                     .max_journal_per_queue = options_.max_journal_per_queue},
      std::move(lock), spooler_);
  static_cast<void>(
      state_->catalogue().load());  // what cannot be read ends the start, before it is one
  state_->deposit(keeper_);
  // Ids are never given out twice, not in another life of the daemon either.
  auto& last = instance_.notes().last_queue;
  last.store(std::max(last.load(std::memory_order_relaxed), state_->catalogue().last_id()),
             std::memory_order_relaxed);
}

/// What is in the catalogue and was not kept in memory. Who removes a queue takes it from the
/// catalogue first, so nothing comes back that was removed.
void Supervisor::restore() {
  if (!state_) return;
  // Anew: requests that the supervisor before had begun may have been carried out meanwhile.
  const std::vector<SavedQueue> all = state_->catalogue().load();
  Journal::remove_orphans(state_->place(), [&](std::uint64_t id) {
    return std::any_of(all.begin(), all.end(),
                       [id](const SavedQueue& saved) { return saved.id == id; });
  });
  for (const SavedQueue& saved : all) {
    if (queues_.contains(saved.id)) continue;
    try {
      auto served = std::make_unique<Served>(loop_, saved, keeper_, accounts_, *state_);
      served->charge = accounts_.adopt(saved.access.owner, Accounts::Item::queue);
      serve(std::move(served));
    } catch (const std::exception& failure) {
      log(fmt::format("queue '{}' stays on the disk: {}", saved.name, failure.what()));
      keeper_.drop(layout::Kept::queue, saved.id);
      not_loaded_.emplace(saved.name, failure.what());
    }
  }
  std::vector<std::uint64_t> running;
  for (const auto& [id, served] : queues_) running.push_back(id);
  // To the disk, before anything is written that the catalogue would deny.
  state_->catalogue().begin(running);
  state_->catalogue().sync();
  for (const std::uint64_t id : running) service(id);
  // The supervisor before was ending, and was killed before it had saved everything.
  const bool was_stopping = std::any_of(queues_.begin(), queues_.end(), [](const auto& entry) {
    return entry.second->queue.stopped();
  });
  if (was_stopping) stop();
}

void Supervisor::require_loaded(std::string_view name) const {
  const auto found = not_loaded_.find(name);
  if (found == not_loaded_.end()) return;
  throw Error(Code::unavailable, fmt::format("queue '{}' is there, and could not be loaded", name),
              found->second, "remove the cause, and start the supervisor again");
}

/// What is on its way to a journal arrives.
void Supervisor::finish_writing() {
  const auto writing = [this] {
    return std::any_of(queues_.begin(), queues_.end(),
                       [](const auto& entry) { return entry.second->queue.is_writing(); });
  };
  while (writing()) {
    loop_.restart();
    try {
      loop_.run_one();
    } catch (const std::exception& failure) {  // of somebody else's handler
      log(failure.what());
    }
  }
}

void Supervisor::save() noexcept try {
  if (!state_) return;
  stopping_ = true;  // nothing is begun any more
  finish_writing();
  // First all their messages, then where their groups are: a copy for a dead-letter queue counts
  // from when the disk has it.
  std::vector<std::pair<Queue*, std::uint64_t>> written;
  for (const auto& [id, served] : queues_) {
    try {
      if (served->queue.can_be_saved()) {
        written.emplace_back(&served->queue, served->queue.bring_to_disk());
      }
    } catch (const Error& error) {
      log(fmt::format("queue '{}' could not be saved whole: {}: {}", served->queue.name(),
                      error.summary(), error.why()));
    }
  }
  std::vector<SavedQueue> saved;
  saved.reserve(written.size());
  for (const auto& [queue, next] : written) saved.push_back(queue->save(next));
  state_->catalogue().save(saved);
} catch (const std::exception& failure) {
  log(fmt::format("the queues could not be saved: {}", failure.what()));
}

}  // namespace spillring::daemon
