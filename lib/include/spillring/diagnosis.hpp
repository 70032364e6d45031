// Whether this machine and this set-up are fit.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "spillring/client.hpp"

namespace spillring {

enum class Verdict : std::uint8_t {
  ok,
  warning,  ///< it works; something will be in the way sooner or later
  broken,   ///< something does not work
};

/// What one check has found.
struct Finding {
  Verdict verdict = Verdict::ok;
  std::string what;
  std::string why = {};    ///< empty where nothing is wrong
  std::string hint = {};   ///< what to do about it; may be empty
  std::string check = {};  ///< name of the check
};

/// Looks at the kernel, the limits, the socket that `options` mean, the supervisor there and its
/// queues. Starts nothing and changes nothing. Throws `Error` (invalid).
[[nodiscard]] std::vector<Finding> diagnose(const ConnectOptions& options = {});

}  // namespace spillring
