// A verb of the command.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "failure.hpp"
#include "settings.hpp"

namespace spillring::tools {

struct Verb {
  CLI::App* app;
  std::function<Exit()> run;
};

/// What the help says of a verb.
struct VerbHelp {
  std::string name;
  std::string does;
  std::string text;  ///< more about it, and examples; shown at the end
};

/// Adds a verb with the global options.
CLI::App& add_verb(CLI::App& root, Settings& settings, const VerbHelp& help);
/// Adds a noun whose verbs follow it: 'spillring group ls'.
CLI::App& add_noun(CLI::App& root, const VerbHelp& help);
/// Adds --json, for verbs that write JSON.
void add_json_flag(CLI::App& app, Settings& settings);

// One file each.
Verb add_create(CLI::App& root, Settings& settings);
Verb add_ls(CLI::App& root, Settings& settings);
Verb add_info(CLI::App& root, Settings& settings);
Verb add_ps(CLI::App& root, Settings& settings);
Verb add_check(CLI::App& root, Settings& settings);
Verb add_doctor(CLI::App& root, Settings& settings);
Verb add_stat(CLI::App& root, Settings& settings);
Verb add_group_ls(CLI::App& root, Settings& settings);
Verb add_group_rm(CLI::App& root, Settings& settings);
Verb add_journal_ls(CLI::App& root, Settings& settings);
Verb add_journal_stat(CLI::App& root, Settings& settings);
Verb add_journal_cat(CLI::App& root, Settings& settings);
Verb add_journal_verify(CLI::App& root, Settings& settings);
Verb add_journal_repair(CLI::App& root, Settings& settings);
Verb add_journal_export(CLI::App& root, Settings& settings);
Verb add_send(CLI::App& root, Settings& settings);
Verb add_recv(CLI::App& root, Settings& settings);
Verb add_peek(CLI::App& root, Settings& settings);
Verb add_drain(CLI::App& root, Settings& settings);
Verb add_purge(CLI::App& root, Settings& settings);
Verb add_set(CLI::App& root, Settings& settings);
Verb add_tail(CLI::App& root, Settings& settings);
Verb add_move(CLI::App& root, Settings& settings);
Verb add_seek(CLI::App& root, Settings& settings);
Verb add_rm(CLI::App& root, Settings& settings);
Verb add_version(CLI::App& root, Settings& settings);

/// What `spillring version` and `spillring --version` print.
Exit print_version(const Settings& settings);

}  // namespace spillring::tools
