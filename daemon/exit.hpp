// What spillringd exits with, after sysexits(3).
#pragma once

#include "spillring/error.hpp"

namespace spillring::daemon {

inline constexpr int exit_usage = 64;
inline constexpr int exit_unavailable = 69;
inline constexpr int exit_exists = 73;  // lib/client/autostart.cpp knows it
inline constexpr int exit_denied = 77;
inline constexpr int exit_config = 78;

constexpr int status_for(Code code) noexcept {
  if (code == Code::exists) return exit_exists;
  if (code == Code::invalid) return exit_usage;
  return code == Code::denied ? exit_denied : exit_unavailable;
}

}  // namespace spillring::daemon
