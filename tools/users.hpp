// Users and groups, as people know them.
#pragma once

#include <string>

namespace spillring::tools {

/// The name of a user or group; its number where it has none.
[[nodiscard]] std::string user_name(unsigned user);
[[nodiscard]] std::string group_name(unsigned group);

}  // namespace spillring::tools
