// Directories: a private one, and a watch on what vanishes from one.
#pragma once

#include <string>

#include "os/fd.hpp"

namespace spillring::os {

/// Makes the directory and those above it that are missing, mode 0700. Throws `Error`; denied: it
/// is there, but another user may write to it (a directory with the sticky bit excepted), or owns
/// it.
void make_private_directory(const std::string& path);

/// The part of a path before its last slash; "." where there is none.
std::string directory_of(const std::string& path);

/// Can be read when something has been removed from the directory, or the directory itself.
Fd watch_removals(const std::string& directory);
/// Takes everything that can be read.
void clear_removals(const Fd& watch) noexcept;

/// True if a socket is at `path`.
bool is_socket(const std::string& path) noexcept;

}  // namespace spillring::os
