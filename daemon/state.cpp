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

State::State(const std::string& directory, std::uint64_t segment_size, os::Fd lock,
             Spooler& spooler)
    : lock_(lock_in(directory, std::move(lock))),
      catalogue_(journal::catalogue_of(directory)),
      place_{disk_, spooler, journal::journals_of(directory), segment_size} {
  disk_.sync_directory(directory);
  try {
    disk_.sync_directory(os::directory_of(directory));
  } catch (const Error&) {  // it may not be ours to open; then others have made it
  }
}

void State::deposit(KeeperLine& keeper) const noexcept {
  keeper.keep(keeping_record(layout::Keeping::keep, layout::Kept::state), {lock_.get()});
}

}  // namespace spillring::daemon
