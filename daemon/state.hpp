// The state directory: what a supervisor leaves there for one that starts when nothing is left in
// memory.
//
//   lock        held by the one supervisor whose directory it is, and by its keeper
//   catalogue   the queues, their groups and positions (catalogue.hpp)
//   journal/    their messages, a directory for each queue (lib/layout/journal.hpp)
#pragma once

#include <string>

#include "catalogue.hpp"
#include "disk_reserve.hpp"
#include "journal.hpp"
#include "journal/storage.hpp"
#include "keeper_line.hpp"
#include "os/fork.hpp"
#include "spooler.hpp"

namespace spillring::daemon {

class State {
 public:
  struct Options {
    std::string directory;
    std::uint64_t segment_size = 0;
    std::uint64_t disk_reserve = 0;           // bytes that journals leave free
    std::uint64_t max_journal_per_queue = 0;  // bytes; 0: no limit
  };
  /// Makes the directory what it has to be. `lock`: that of the supervisor before, from the keeper;
  /// empty: there was none. Throws `Error`; exists: another supervisor has it.
  State(const Options& options, os::Fd lock, Spooler& spooler);

  void deposit(KeeperLine& keeper) const noexcept;
  [[nodiscard]] Catalogue& catalogue() noexcept { return catalogue_; }
  [[nodiscard]] const JournalPlace& place() const noexcept { return place_; }
  [[nodiscard]] const DiskReserve& reserve() const noexcept { return reserve_; }
  [[nodiscard]] std::uint64_t max_journal_per_queue() const noexcept {
    return max_journal_per_queue_;
  }

 private:
  void sync_way_to(const std::string& directory);

  os::Fd lock_;
  os::NotInherited lock_not_inherited_{lock_};
  Catalogue catalogue_;
  journal::Disk disk_;
  JournalPlace place_;
  DiskReserve reserve_;
  std::uint64_t max_journal_per_queue_;
};

}  // namespace spillring::daemon
