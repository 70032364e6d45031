// Unix groups by name.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

namespace spillring::os {

/// The number of a group, given by its name or as a number. nullopt: there is none of that name.
std::optional<gid_t> group_id(const std::string& name);

}  // namespace spillring::os
