// The version of the library and of what it shares with other processes.
#pragma once

namespace spillring {

inline constexpr int version_major = 0;
inline constexpr int version_minor = 1;
inline constexpr int version_patch = 0;
inline constexpr const char* version = "0.1.0";

/// Version of the shared-memory layout and of the control protocol. Two processes work together
/// only if both are equal; this is checked before anything is mapped.
inline constexpr unsigned layout_version = 8;
inline constexpr unsigned protocol_version = 6;

}  // namespace spillring
