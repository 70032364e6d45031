#include "journal/state_lock.hpp"

#include <fmt/format.h>

#include "journal/names.hpp"
#include "os/lock_file.hpp"
#include "os/process_state.hpp"
#include "spillring/error.hpp"

namespace spillring::journal {

namespace {

/// ": process 33 (spillringd), process 35 (spillringd)"; empty where nobody can be seen.
std::string who_has(const std::string& path) {
  std::string who;
  for (const pid_t pid : os::users_of_file(path)) {
    who += fmt::format("{} process {} ({})", who.empty() ? ":" : ",", pid, os::command_of(pid));
  }
  return who;
}

[[noreturn]] void refuse(const std::string& state) {
  throw Error(Code::exists, "the state directory " + state + " is in use",
              "a supervisor keeps its queues there" + who_has(lock_of(state)),
              "choose another with --state-dir");
}

}  // namespace

os::Fd lock_state(const std::string& state, Patience patience) {
  try {
    if (patience == Patience::none) return os::lock_file(lock_of(state));
    return os::lock_file_of_the_dead(lock_of(state), [] { return false; });
  } catch (const Error& error) {
    if (error.code() != Code::exists) throw;
    refuse(state);
  }
}

bool is_locked(const std::string& state) noexcept try {
  return os::is_locked(lock_of(state));
} catch (const std::exception&) {  // no memory for its path
  return false;
}

void require_unlocked(const std::string& state) {
  if (os::is_locked(lock_of(state))) refuse(state);
}

}  // namespace spillring::journal
