// A queue as `ls` and `info` show it.
#pragma once

#include <string>
#include <vector>

#include "output.hpp"
#include "spillring/options.hpp"

namespace spillring::tools {

/// One thing about a queue: its name everywhere, what a table shows, what JSON has.
struct Property {
  std::string name;
  Cell cell;
  Json value;
};

[[nodiscard]] std::vector<Property> properties_of(const QueueInfo& queue);
[[nodiscard]] Json json_of(const std::vector<Property>& properties);
[[nodiscard]] Cell state_cell(QueueState state);

}  // namespace spillring::tools
