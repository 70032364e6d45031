// Which options a queue can have.
#pragma once

#include <string>

#include "layout/control.hpp"

namespace spillring::daemon {

/// Throws `Error` (invalid) where the condition does not hold.
void require(bool condition, const std::string& what, const std::string& why,
             const std::string& hint = "see: spillring create --help");

/// Everything published goes to the journal.
[[nodiscard]] bool is_followed(const layout::Request& options) noexcept;

/// Checks the options and rounds them to what the layout needs. Throws `Error` (invalid).
[[nodiscard]] layout::Request checked(layout::Request options, bool has_journal);

}  // namespace spillring::daemon
