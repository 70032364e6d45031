// spillring group ls|rm: the groups of a queue.
#include <fmt/format.h>

#include <memory>

#include "arguments.hpp"
#include "confirmation.hpp"
#include "group_view.hpp"
#include "output.hpp"
#include "verb.hpp"

namespace spillring::tools {
namespace {

struct GroupArguments {
  std::string queue;
  std::string group;
  bool yes = false;
  bool force = false;
};

Exit list(const GroupArguments& arguments, const Settings& settings) {
  settings.refuse_formats("group ls", {Format::raw});
  const Queue queue = open_queue(settings.connect(), arguments.queue);
  const std::vector<GroupInfo> groups = queue.groups();
  if (settings.format() == Format::ndjson) {
    for (const GroupInfo& group : groups) print_json(json_of(group), settings);
  } else if (settings.wants_json()) {
    Json all = Json::array();
    for (const GroupInfo& group : groups) all.push_back(json_of(group));
    print_json(Json{{"schema", "spillring.groups.v1"}, {"groups", all}}, settings);
  } else {
    print_table(table_of_groups(groups), settings);
  }
  if (groups.empty()) remark(settings, fmt::format("queue '{}' has no groups", arguments.queue));
  return groups.empty() ? Exit::nothing : Exit::ok;
}

Exit remove(const GroupArguments& arguments, const Settings& settings) {
  const std::string what =
      fmt::format("group '{}' of queue '{}'", arguments.group, arguments.queue);
  require_confirmable(arguments.yes, fmt::format("removing {}", what));
  const Queue queue = open_queue(settings.connect(), arguments.queue);
  if (!confirmed(arguments.yes, fmt::format("remove {} and its position?", what))) {
    return Exit::nothing;
  }
  queue.remove_group(arguments.group, arguments.force);
  return Exit::ok;
}

}  // namespace

Verb add_group_ls(CLI::App& root, Settings& settings) {
  CLI::App& app = add_verb(root, settings,
                           {.name = "ls",
                            .does = "List the groups of a queue",
                            .text = "Exit code 1: it has none.\n\n"
                                    "Examples:\n"
                                    "  spillring group ls orders"});
  const auto arguments = std::make_shared<GroupArguments>();
  add_queue(app, arguments->queue, "name of the queue");
  add_json_flag(app, settings);
  return {&app, [arguments, &settings] { return list(*arguments, settings); }};
}

Verb add_group_rm(CLI::App& root, Settings& settings) {
  CLI::App& app =
      add_verb(root, settings,
               {.name = "rm",
                .does = "Remove a group and its position",
                .text = "What only this group had not read is discarded.\n\n"
                        "Examples:\n"
                        "  spillring group rm orders billing\n"
                        "  spillring group rm orders billing --yes    # in a script\n"
                        "  spillring group rm orders billing --force  # with consumers"});
  const auto arguments = std::make_shared<GroupArguments>();
  add_queue(app, arguments->queue, "name of the queue");
  add_text(app, "GROUP", arguments->group, "", "name of the group")->required();
  app.add_flag("-y,--yes", arguments->yes, "do not ask");
  app.add_flag("-f,--force", arguments->force,
               "though it has consumers: each is told 'deleted', and what it\n"
               "holds it cannot acknowledge any more");
  return {&app, [arguments, &settings] { return remove(*arguments, settings); }};
}

}  // namespace spillring::tools
