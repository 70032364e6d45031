// spillring ls: all queues at a glance.
#include <fnmatch.h>

#include <memory>

#include "arguments.hpp"
#include "output.hpp"
#include "queue_view.hpp"
#include "verb.hpp"

namespace spillring::tools {
namespace {

struct LsArguments {
  std::string glob;
};

std::vector<QueueInfo> matching(const Client& client, const std::string& glob) {
  std::vector<QueueInfo> queues = client.list();
  std::erase_if(queues, [&](const QueueInfo& queue) {
    return !glob.empty() && fnmatch(glob.c_str(), queue.name.c_str(), 0) != 0;
  });
  return queues;
}

Table table_of(const std::vector<QueueInfo>& queues) {
  Table table({{"NAME"},
               {"STATE"},
               {"MSGS", true},
               {"BYTES", true},
               {"CAPACITY", true},
               {"RINGS", true},
               {"PROD", true},
               {"CONS", true},
               {"GROUPS", true},
               {"MEMORY", true},
               {"JOURNAL", true},
               {"ALARM"},
               {"DROPPED", true},
               {"DELIVERIES", true},
               {"DEAD-LETTER"}});
  for (const QueueInfo& queue : queues) {
    table.add({text_cell(queue.name), state_cell(queue.state), count_cell(queue.messages),
               size_cell(queue.bytes), size_cell(queue.options.capacity), count_cell(queue.rings),
               count_cell(queue.producers), count_cell(queue.consumers), count_cell(queue.groups),
               size_cell(queue.memory), size_cell(queue.journal_bytes), alarm_cell(queue.alarm),
               count_cell(queue.dropped), max_deliveries_cell(queue.options),
               dead_letter_cell(queue.options)});
  }
  return table;
}

void print_queues(const std::vector<QueueInfo>& queues, const Settings& settings) {
  if (settings.format() == Format::ndjson) {
    for (const QueueInfo& queue : queues) print_json(json_of(properties_of(queue)), settings);
  } else if (settings.wants_json()) {
    Json list = Json::array();
    for (const QueueInfo& queue : queues) list.push_back(json_of(properties_of(queue)));
    print_json(Json{{"schema", "spillring.queues.v1"}, {"queues", list}}, settings);
  } else {
    print_table(table_of(queues), settings);
  }
}

Exit run(const LsArguments& arguments, const Settings& settings) {
  settings.refuse_formats("ls", {Format::raw});
  const Client client = settings.connect();
  const std::vector<QueueInfo> queues = matching(client, arguments.glob);
  print_queues(queues, settings);
  if (!queues.empty()) return Exit::ok;
  remark(settings, arguments.glob.empty() ? "there are no queues yet: spillring create NAME"
                                          : "no queue has such a name");
  return arguments.glob.empty() ? Exit::ok : Exit::nothing;
}

}  // namespace

Verb add_ls(CLI::App& root, Settings& settings) {
  CLI::App& app = add_verb(
      root, settings,
      {.name = "ls",
       .does = "List queues",
       .text =
           "In a pipe, columns are separated by tabs and sizes are bytes. DROPPED: what groups "
           "have\n"
           "missed, with full policy drop-oldest. DELIVERIES: how often a message is delivered\n"
           "before it goes to the queue DEAD-LETTER.\n"
           "Exit code 1: no queue has a name like GLOB.\n\n"
           "Examples:\n"
           "  spillring ls\n"
           "  spillring ls 'log*'\n"
           "  spillring ls --json | jq '.queues[] | select(.messages > 0) | .name'"});
  const auto arguments = std::make_shared<LsArguments>();
  add_text(app, "GLOB", arguments->glob, "", "only names like this: * ? [abc]");
  add_json_flag(app, settings);
  return {&app, [arguments, &settings] { return run(*arguments, settings); }};
}

}  // namespace spillring::tools
