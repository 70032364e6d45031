// spillring rm: removes queues.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <memory>

#include "arguments.hpp"
#include "confirmation.hpp"
#include "output.hpp"
#include "verb.hpp"

namespace spillring::tools {
namespace {

struct RmArguments {
  std::vector<std::string> queues;
  bool yes = false;
  bool if_exists = false;
};

/// The queues that are there, each once. Throws for one that is not, before any is removed.
std::vector<Queue> existing(const Client& client, const RmArguments& arguments) {
  std::vector<Queue> queues;
  for (const std::string& name : arguments.queues) {
    try {
      queues.push_back(open_queue(client, name));
    } catch (const Failure& failure) {
      if (!arguments.if_exists || failure.exit() != Exit::unavailable) throw;
    }
  }
  return queues;
}

std::string question(const std::vector<Queue>& queues) {
  std::uint64_t messages = 0;
  std::vector<std::string> names;
  for (const Queue& queue : queues) {
    messages += queue.info().messages;
    names.push_back(fmt::format("'{}'", queue.name()));
  }
  return fmt::format("remove {} with {}?", fmt::join(names, ", "), plural(messages, "message"));
}

Exit run(const RmArguments& arguments, const Settings& settings) {
  require_confirmable(arguments.yes,
                      fmt::format("removing '{}'", fmt::join(arguments.queues, "', '")));
  const Client client = settings.connect();
  const std::vector<Queue> queues = existing(client, arguments);
  if (queues.empty()) return Exit::ok;
  if (!arguments.yes && !confirmed(false, question(queues))) return Exit::nothing;
  for (const Queue& queue : queues) client.remove(queue.name());
  return Exit::ok;
}

/// A queue named twice is one queue.
void add_name(std::vector<std::string>& names, const std::string& name) {
  check_queue_name(name);
  if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
}

}  // namespace

Verb add_rm(CLI::App& root, Settings& settings) {
  CLI::App& app = add_verb(
      root, settings,
      {.name = "rm",
       .does = "Remove queues and their messages",
       .text =
           "Whoever uses such a queue is told that it is gone. If one of several is not there,\n"
           "none is removed.\n"
           "\n"
           "Examples:\n"
           "  spillring rm orders\n"
           "  spillring rm orders billing --yes --if-exists    # in a script"});
  const auto arguments = std::make_shared<RmArguments>();
  add_values(app, "QUEUE", "", "names of queues",
             [arguments](const std::string&, const std::string& value) {
               add_name(arguments->queues, value);
             })
      ->required();
  app.add_flag("-y,--yes", arguments->yes, "do not ask");
  app.add_flag("--if-exists", arguments->if_exists, "no error for a queue that is not there");
  return {&app, [arguments, &settings] { return run(*arguments, settings); }};
}

}  // namespace spillring::tools
