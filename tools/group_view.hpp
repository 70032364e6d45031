// A group as `info` and `group ls` show it.
#pragma once

#include <vector>

#include "output.hpp"
#include "spillring/options.hpp"

namespace spillring::tools {

[[nodiscard]] Json json_of(const GroupInfo& group);
[[nodiscard]] Table table_of_groups(const std::vector<GroupInfo>& groups);

}  // namespace spillring::tools
