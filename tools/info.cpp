// spillring info: everything about one queue.
#include <memory>

#include "arguments.hpp"
#include "group_view.hpp"
#include "output.hpp"
#include "queue_view.hpp"
#include "verb.hpp"

namespace spillring::tools {
namespace {

struct InfoArguments {
  std::string queue;
};

Table table_of(const std::vector<Property>& properties) {
  Table table({{"PROPERTY"}, {"VALUE"}});
  for (const Property& property : properties) {
    table.add({text_cell(property.name), property.cell});
  }
  return table;
}

Exit run(const InfoArguments& arguments, const Settings& settings) {
  settings.refuse_formats("info", {Format::raw});
  const Client client = settings.connect();
  const Queue queue = open_queue(client, arguments.queue);
  const std::vector<Property> properties = properties_of(queue.info());
  const std::vector<GroupInfo> groups = queue.groups();
  if (settings.wants_json()) {
    Json document = json_of(properties);
    Json& list = document["group_list"] = Json::array();
    for (const GroupInfo& group : groups) list.push_back(json_of(group));
    print_json(document, settings);
    return Exit::ok;
  }
  print_table(table_of(properties), settings);
  if (groups.empty()) return Exit::ok;
  print_text("\n");
  print_table(table_of_groups(groups), settings);
  return Exit::ok;
}

}  // namespace

Verb add_info(CLI::App& root, Settings& settings) {
  CLI::App& app = add_verb(root, settings,
                           {.name = "info",
                            .does = "Show everything about a queue and its groups",
                            .text = "Examples:\n"
                                    "  spillring info orders\n"
                                    "  spillring info orders --json | jq '.group_list[].lag'"});
  const auto arguments = std::make_shared<InfoArguments>();
  add_queue(app, arguments->queue, "name of the queue");
  add_json_flag(app, settings);
  return {&app, [arguments, &settings] { return run(*arguments, settings); }};
}

}  // namespace spillring::tools
