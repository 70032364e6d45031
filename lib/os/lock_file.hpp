// A file that at most one instance of something holds.
#pragma once

#include <functional>
#include <string>

#include "os/fd.hpp"

namespace spillring::os {

/// Makes the file (mode 0600) if need be and locks it. The lock belongs to the descriptor and its
/// copies, in whatever process, and ends with the last of them. Throws `Error`; exists: somebody
/// holds it.
Fd lock_file(const std::string& path);

/// The same, tried for some seconds unless `is_used()`: who was killed holds its locks until it has
/// ended, and that may have to wait for a disk.
Fd lock_file_of_the_dead(const std::string& path, const std::function<bool()>& is_used);

/// True if somebody holds the lock of this file, as far as this process may ask.
bool is_locked(const std::string& path) noexcept;

/// The path that the file has now.
std::string path_of(const Fd& file);

/// False if the path names another file than this, or none.
bool is_at(const Fd& file, const std::string& path) noexcept;

/// Replaces what the file says. For people; failure is nobody's problem.
void write_note(const Fd& file, const std::string& text) noexcept;

}  // namespace spillring::os
