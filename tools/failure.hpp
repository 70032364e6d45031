// How the command fails: three parts for people, an exit code for scripts.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

#include "spillring/error.hpp"

namespace spillring::tools {

/// The exit codes, after sysexits(3).
enum class Exit : int {
  ok = 0,
  nothing = 1,         ///< nothing there: an empty queue, no match
  partly = 3,          ///< some of it: a command that was run for a message failed
  usage = 64,          ///< the command line cannot be understood
  bad_data = 65,       ///< input that can never be a message, or damaged memory
  no_input = 66,       ///< no such input file
  unavailable = 69,    ///< no supervisor, or no such queue
  bug = 70,            ///< a bug
  cannot_create = 73,  ///< there is one already, or no memory for it
  io = 74,             ///< reading or writing failed
  try_again = 75,      ///< full, busy or too slow; later it may work
  denied = 77,         ///< not permitted
};

/// What failed, why, and what to do about it.
class Failure : public std::runtime_error {
 public:
  Failure(Exit exit, const std::string& what, std::string why = {}, std::string hint = {});
  /// The words of the library, with the exit code that belongs to them.
  explicit Failure(const Error& error);

  [[nodiscard]] Exit exit() const noexcept { return exit_; }
  [[nodiscard]] const std::string& why() const noexcept { return why_; }
  [[nodiscard]] const std::string& hint() const noexcept { return hint_; }

 private:
  Exit exit_;
  std::string why_;
  std::string hint_;
};

/// The reader of our output went away: the command ends quietly, as `head` expects of it.
struct ReaderGone {};

/// The exit code for a failure of the library.
[[nodiscard]] Exit exit_for(Code code) noexcept;
/// A failure of the data path, which knows a code only; `what` says what was tried.
[[nodiscard]] Failure data_failure(Code code, const std::string& what);
/// A failure of a system call on a file or a stream: `error` is its errno.
[[nodiscard]] Failure file_failure(int error, const std::string& what);
/// A command line that cannot be understood.
[[nodiscard]] Failure usage_failure(const std::string& what, std::string why = {},
                                    std::string hint = {});

/// Says it on stderr.
void report(const Failure& failure);

}  // namespace spillring::tools
