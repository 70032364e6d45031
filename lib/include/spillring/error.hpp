// Failures: codes for the hot path, an exception with cause and cure for set-up.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace spillring {

/// What went wrong. `Result<T>` carries one of these; `Error` adds the words.
enum class Code : std::uint8_t {
  ok = 0,
  full,         ///< no room, and the queue's full policy is `reject`
  empty,        ///< nothing there now
  timeout,      ///< the deadline passed first
  interrupted,  ///< a signal arrived, or a nap ended, and the handle was opened interruptible
  stale,        ///< too late: the loan was revoked, or its ring lost, or another has the message
  closed,       ///< this handle was closed
  deleted,      ///< the queue, or the group, was removed
  poisoned,     ///< the queue's memory was found damaged; nothing in it can be trusted
  corrupt,      ///< what was read contradicts itself; the supervisor was told
  too_large,    ///< larger than the queue's largest message
  invalid,      ///< an argument that can never work
  not_found,    ///< no such queue, group or message
  exists,       ///< there is one of that name already
  denied,       ///< not permitted
  no_memory,    ///< shared memory was refused by the system or a limit
  busy,         ///< all slots of a fixed table are taken
  unavailable,  ///< no supervisor answers
  version_mismatch,  ///< the other side speaks another version
  unsupported,       ///< known, but not built in this version
  forked,            ///< the handle was made before fork(); the child needs its own
  no_space,          ///< the journal's disk is full
  io,                ///< the journal's disk fails
  in_doubt,          ///< it was sent; nobody can say any more whether it has reached the disk
  internal,          ///< a bug
};

/// A short lower-case name, for example "not_found".
std::string_view name(Code code) noexcept;

/// Thrown by everything that sets up or administers; never by the hot path.
/// Three parts: what failed, why, and what to do about it. An empty one is the code's.
class Error : public std::runtime_error {
 public:
  Error(Code code, std::string what, std::string why = {}, std::string hint = {});
  /// The generic words for a code.
  explicit Error(Code code);

  [[nodiscard]] Code code() const noexcept { return code_; }
  [[nodiscard]] const std::string& summary() const noexcept { return summary_; }
  [[nodiscard]] const std::string& why() const noexcept { return why_; }
  [[nodiscard]] const std::string& hint() const noexcept { return hint_; }

 private:
  Code code_;
  std::string summary_;
  std::string why_;
  std::string hint_;
};

}  // namespace spillring
