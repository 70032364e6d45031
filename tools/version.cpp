// spillring version: the versions that must agree for two processes to work together.
#include "output.hpp"
#include "spillring/spillring.hpp"
#include "verb.hpp"

namespace spillring::tools {

Exit print_version(const Settings& settings) {
  settings.refuse_formats("version", {Format::raw});
  if (settings.wants_json()) {
    const Json document{{"schema", "spillring.version.v1"},
                        {"version", version},
                        {"layout", layout_version},
                        {"protocol", protocol_version}};
    print_json(document, settings);
    return Exit::ok;
  }
  Table table({{"COMPONENT"}, {"VERSION"}});
  table.add({text_cell("spillring"), text_cell(version)});
  table.add({text_cell("layout"), count_cell(layout_version)});
  table.add({text_cell("protocol"), count_cell(protocol_version)});
  print_table(table, settings);
  return Exit::ok;
}

Verb add_version(CLI::App& root, Settings& settings) {
  CLI::App& app =
      add_verb(root, settings,
               {.name = "version",
                .does = "Show the versions of the command, the memory layout and the protocol",
                .text = "Processes work together only if layout and protocol are equal.\n\n"
                        "Examples:\n"
                        "  spillring version\n"
                        "  spillring version --json"});
  add_json_flag(app, settings);
  return {&app, [&settings] { return print_version(settings); }};
}

}  // namespace spillring::tools
