// spillring seek: moves a group to another place in its queue.
#include <fmt/format.h>

#include <memory>

#include "arguments.hpp"
#include "output.hpp"
#include "place.hpp"
#include "verb.hpp"

namespace spillring::tools {
namespace {

struct SeekArguments {
  std::string queue;
  std::string group = "default";
  Start to;
};

Exit run(const SeekArguments& arguments, const Settings& settings) {
  const Queue queue = open_queue(settings.connect(), arguments.queue);
  queue.seek(arguments.group, arguments.to);
  for (const GroupInfo& group : queue.groups()) {
    if (group.name != arguments.group) continue;
    remark(settings, fmt::format("group '{}' of queue '{}' goes on at {}, {} behind the end",
                                 group.name, arguments.queue, group.floor, group.lag));
  }
  return Exit::ok;
}

}  // namespace

Verb add_seek(CLI::App& root, Settings& settings) {
  CLI::App& app = add_verb(
      root, settings,
      {.name = "seek",
       .does = "Move a group to another place in its queue",
       .text = "Forwards, or back as far as the queue still has messages: what no group had read,\n"
               "and the history of a queue with --retain. 'info' shows the earliest.\n"
               "\n"
               "Exit code 75: the group has members; stop them first.\n"
               "\n"
               "Examples:\n"
               "  spillring seek orders --group billing --to earliest\n"
               "  spillring seek orders --group billing --to 2026-11-23T10:00:00Z\n"
               "  spillring seek orders --group billing --to 10m     # ten minutes ago\n"
               "  spillring seek orders --to 1042"});
  const auto arguments = std::make_shared<SeekArguments>();
  add_queue(app, arguments->queue, "name of the queue");
  add_text(app, "-g,--group", arguments->group, "GROUP", "name of the group (default)");
  add_value(app, "--to", "PLACE", "earliest, latest, a sequence, a moment, or how long ago",
            [arguments](const std::string& label, const std::string& value) {
              arguments->to = place_of(label, value);
            })
      ->required();
  return {&app, [arguments, &settings] { return run(*arguments, settings); }};
}

}  // namespace spillring::tools
