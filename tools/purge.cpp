// spillring purge: discards the messages of a queue.
#include <fmt/format.h>

#include <memory>

#include "arguments.hpp"
#include "confirmation.hpp"
#include "output.hpp"
#include "verb.hpp"

namespace spillring::tools {
namespace {

struct PurgeArguments {
  std::string queue;
  bool yes = false;
};

Exit run(const PurgeArguments& arguments, const Settings& settings) {
  require_confirmable(arguments.yes, fmt::format("purging '{}'", arguments.queue));
  const Client client = settings.connect();
  const Queue queue = open_queue(client, arguments.queue);
  const std::string question = fmt::format(
      "discard the {} of queue '{}'?", plural(queue.info().messages, "message"), arguments.queue);
  if (!confirmed(arguments.yes, question)) return Exit::nothing;
  const std::uint64_t purged = queue.purge();
  say(settings, fmt::format("purged {}", plural(purged, "message")));
  return Exit::ok;
}

}  // namespace

Verb add_purge(CLI::App& root, Settings& settings) {
  CLI::App& app = add_verb(root, settings,
                           {.name = "purge",
                            .does = "Discard all messages of a queue, for all of its groups",
                            .text = "Examples:\n"
                                    "  spillring purge orders\n"
                                    "  spillring purge orders --yes    # in a script"});
  const auto arguments = std::make_shared<PurgeArguments>();
  add_queue(app, arguments->queue, "name of the queue");
  app.add_flag("-y,--yes", arguments->yes, "do not ask");
  return {&app, [arguments, &settings] { return run(*arguments, settings); }};
}

}  // namespace spillring::tools
