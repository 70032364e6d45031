// Where a supervisor leaves what outlives it: found without asking it.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "settings.hpp"

namespace spillring::tools {

/// Adds --state-dir.
CLI::Option* add_state_directory(CLI::App& app, std::string& target);

/// The directory that was named; else that of the supervisor which `settings` mean, as its
/// configuration file has it. Throws `Failure`: it is not known, not there, or may not be read.
[[nodiscard]] std::string state_directory_of(const std::string& named, const Settings& settings);

}  // namespace spillring::tools
