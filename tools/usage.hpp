// Command lines that cannot be understood, explained.
#pragma once

#include <CLI/CLI.hpp>

#include "failure.hpp"

namespace spillring::tools {

/// Throws `Failure` (usage) if an argument was left over: an unknown verb or option, one that is
/// True for the root and for a noun.
[[nodiscard]] bool takes_verb(const CLI::App& app);
/// The verb that was parsed, else what stands before it: a noun, or the root.
[[nodiscard]] const CLI::App& parsed_app(const CLI::App& root);

/// not in this version, or one too many. Suggests what may have been meant.
void refuse_leftovers(const CLI::App& root);
/// What CLI11 found wrong, in our words.
[[nodiscard]] Failure parse_failure(const CLI::ParseError& error, const CLI::App& root);

}  // namespace spillring::tools
