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
  sync_way_to(options.directory);
}

/// Any of those above may have been made just now, or by one that was killed before it was on the
/// disk.
void State::sync_way_to(const std::string& directory) {
  disk_.sync_directory(directory);
  try {
    for (std::string at = directory; at != os::directory_of(at);) {
      at = os::directory_of(at);
      disk_.sync_directory(at);
    }
  } catch (const Error&) {  // it may not be ours to open; then others have made it
  }
}

void State::deposit(KeeperLine& keeper) const noexcept {
  keeper.keep(keeping_record(layout::Keeping::keep, layout::Kept::state), {lock_.get()});
}

}  // namespace spillring::daemon
