#include "state.hpp"

#include "os/directory.hpp"
#include "os/lock_file.hpp"
#include "spillring/error.hpp"

namespace spillring::daemon {

namespace {

os::Fd lock_in(const std::string& directory, std::optional<KeptPacket> kept) {
  os::make_private_directory(directory);
  if (kept && kept->descriptors.size() == 1) return std::move(kept->descriptors.front());
  try {
    return os::lock_file(directory + "/lock");
  } catch (const Error& error) {
    if (error.code() != Code::exists) throw;
    throw Error(Code::exists, "the state directory " + directory + " is in use",
                "another supervisor keeps its queues there", "choose another with --state-dir");
  }
}

}  // namespace

State::State(const std::string& directory, std::uint64_t segment_size,
             std::optional<KeptPacket> kept, Spooler& spooler)
    : lock_(lock_in(directory, std::move(kept))),
      catalogue_(directory + "/catalogue"),
      place_{disk_, spooler, directory + "/journal", segment_size} {}

void State::deposit(KeeperLine& keeper) const noexcept {
  keeper.keep(keeping_record(layout::Keeping::keep, layout::Kept::state), {lock_.get()});
}

}  // namespace spillring::daemon
