// spillring move: moves messages from one queue to another.
#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "arguments.hpp"
#include "interruption.hpp"
#include "output.hpp"
#include "pace.hpp"
#include "progress.hpp"
#include "queue_sink.hpp"
#include "verb.hpp"

namespace spillring::tools {
namespace {

struct MoveArguments {
  std::string from;
  std::string to;
  std::string group = "default";
  std::uint64_t most = no_limit;
  Pace pace;
  bool create = false;
};

void say_how_much(const Sink& sink, const Settings& settings) {
  say(settings, fmt::format("moved {}, {}", plural(sink.messages(), "message"),
                            plural(sink.bytes(), "byte")));
  warn_about(sink, settings);
}

Exit run(MoveArguments& arguments, const Settings& settings) {
  if (arguments.from == arguments.to) {
    throw usage_failure(fmt::format("cannot move '{}' to itself", arguments.to),
                        "it would never be empty", "name another queue");
  }
  const Client client = settings.connect();
  const Queue from = open_queue(client, arguments.from);
  const Queue to =
      arguments.create ? client.open_or_create(arguments.to) : open_queue(client, arguments.to);
  QueueSink sink(to);
  const OrderlyExit orderly;
  ConsumerOptions options;
  options.prefetch = prefetch_for(arguments.pace, arguments.most);
  options.interruptible = true;
  Consumer consumer = from.consumer(arguments.group, options);
  try {
    Progress progress(settings, "moved", std::min(consumer.lag(), arguments.most));
    pour(consumer, sink, arguments.most, no_wait, arguments.pace,
         [&] { progress.show(sink.messages(), sink.bytes()); });
  } catch (...) {
    say_how_much(sink, settings);
    throw;
  }
  say_how_much(sink, settings);
  return sink.messages() > 0 ? Exit::ok : Exit::nothing;
}

}  // namespace

Verb add_move(CLI::App& root, Settings& settings) {
  CLI::App& app = add_verb(
      root, settings,
      {.name = "move",
       .does = "Move messages from one queue to another",
       .text =
           "Payload, key and headers arrive as they are. A message is acknowledged in the first\n"
           "queue when the second has it; if that one has --durability disk, when the disk has "
           "it.\n"
           "Exit code 1: there was nothing to move.\n"
           "\n"
           "Examples:\n"
           "  spillring move failed orders\n"
           "  spillring move failed orders -n 100\n"
           "  spillring move orders archive -g archiving --create"});
  const auto arguments = std::make_shared<MoveArguments>();
  add_queue(app, "FROM", arguments->from, "the queue that they are in");
  add_queue(app, "TO", arguments->to, "the queue that they go to");
  add_limit(app, "-n,--count", arguments->most, "how many to move (all there are)");
  add_text(app, "-g,--group", arguments->group, "GROUP", "the group to receive for (default)");
  arguments->pace.add_option(app);
  app.add_flag("--create", arguments->create, "create TO, with defaults, if there is none");
  return {&app, [arguments, &settings] { return run(*arguments, settings); }};
}

}  // namespace spillring::tools
