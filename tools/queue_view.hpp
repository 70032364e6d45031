// A queue as `ls` and `info` show it.
#pragma once

#include <optional>
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
[[nodiscard]] Cell alarm_cell(DiskAlarm alarm);
/// "-": without end.
[[nodiscard]] Cell max_deliveries_cell(const QueueOptions& options);
[[nodiscard]] Cell dead_letter_cell(const QueueOptions& options);
[[nodiscard]] Cell doomed_cell(const QueueInfo& queue);
/// "2.5s", "3m 20s", "2d 4h"; "-" where it is not known.
[[nodiscard]] Cell age_cell(const std::optional<Timeout>& age);
/// "queue 'q': ..." where the disk takes nothing; empty where it does.
[[nodiscard]] std::string alarm_text(const QueueInfo& queue);

}  // namespace spillring::tools
