#include "state.hpp"

#include <utility>

#include "journal/names.hpp"
#include "journal/state_lock.hpp"
#include "os/directory.hpp"
#include "spillring/error.hpp"

namespace spillring::daemon {

namespace {

os::Fd lock_in(const std::string& directory, os::Fd held) {
  os::make_private_directory(directory);
  return held ? std::move(held) : journal::lock_state(directory, journal::Patience::for_the_dead);
}

}  // namespace

State::State(const Options& options, os::Fd lock, Spooler& spooler)
    : lock_(lock_in(options.directory, std::move(lock))),
      catalogue_(journal::catalogue_of(options.directory)),
      place_{disk_, spooler, journal::journals_of(options.directory), options.segment_size},
      reserve_(options.directory, options.disk_reserve),
      max_journal_per_queue_(options.max_journal_per_queue) {
  disk_.sync_directory(options.directory);
  try {
    disk_.sync_directory(os::directory_of(options.directory));
  } catch (const Error&) {  // it may not be ours to open; then others have made it
  }
}

void State::deposit(KeeperLine& keeper) const noexcept {
  keeper.keep(keeping_record(layout::Keeping::keep, layout::Kept::state), {lock_.get()});
}

}  // namespace spillring::daemon
