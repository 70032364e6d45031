#include "state.hpp"

#include "os/directory.hpp"
#include "os/lock_file.hpp"
#include "spillring/error.hpp"

namespace spillring::daemon {

namespace {

os::Fd lock_in(const std::string& directory, os::Fd held) {
  os::make_private_directory(directory);
  if (held) return held;
  try {
    return os::lock_file_of_the_dead(directory + "/lock", [] { return false; });
  } catch (const Error& error) {
    if (error.code() != Code::exists) throw;
    throw Error(Code::exists, "the state directory " + directory + " is in use",
                "another supervisor keeps its queues there", "choose another with --state-dir");
  }
}

}  // namespace

State::State(const std::string& directory, std::uint64_t segment_size, os::Fd lock,
             Spooler& spooler)
    : lock_(lock_in(directory, std::move(lock))),
      catalogue_(directory + "/catalogue"),
      place_{disk_, spooler, directory + "/journal", segment_size} {
  disk_.sync_directory(directory);
  disk_.sync_directory(os::directory_of(directory));
}

void State::deposit(KeeperLine& keeper) const noexcept {
  keeper.keep(keeping_record(layout::Keeping::keep, layout::Kept::state), {lock_.get()});
}

}  // namespace spillring::daemon
