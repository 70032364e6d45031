#include "verb.hpp"

namespace spillring::tools {

CLI::App& add_verb(CLI::App& root, Settings& settings, const VerbHelp& help) {
  CLI::App& app = *root.add_subcommand(help.name, help.does);
  app.footer(help.text);
  // Leftovers are refused in our own words, with a suggestion.
  app.allow_extras();
  add_settings(app, settings);
  return app;
}

CLI::App& add_noun(CLI::App& root, const VerbHelp& help) {
  CLI::App& app = *root.add_subcommand(help.name, help.does);
  app.footer(help.text);
  app.allow_extras();
  app.require_subcommand(0, 1);
  return app;
}

void add_json_flag(CLI::App& app, Settings& settings) {
  app.add_flag("--json", settings.json, "the same as -o json");
}

}  // namespace spillring::tools
