// spillring journal cat: shows the messages of a journal.
#include <fmt/format.h>
#include <unistd.h>

#include <memory>

#include "arguments.hpp"
#include "journal_pour.hpp"
#include "output.hpp"
#include "state_directory.hpp"
#include "verb.hpp"

namespace spillring::tools {
namespace {

struct JournalCatArguments {
  std::string queue;
  std::string state;
  JournalPour pour{.fd = STDOUT_FILENO, .target = "stdout"};
  Delimiter delimiter;
};

Exit run(const JournalCatArguments& arguments, const Settings& settings) {
  const Rendering rendering(settings, arguments.delimiter, "journal cat");
  const StoredJournals journals(state_directory_of(arguments.state, settings), settings);
  const StoredJournal journal = journals.find(arguments.queue);
  if (pour_journal(journal, arguments.pour, rendering, settings).messages != 0) return Exit::ok;
  remark(settings,
         fmt::format("there is nothing to see in the journal of queue '{}'", journal.label()));
  return Exit::nothing;
}

}  // namespace

Verb add_journal_cat(CLI::App& root, Settings& settings) {
  CLI::App& app = add_verb(
      root, settings,
      {.name = "cat",
       .does = "Show the messages of a queue's journal",
       .text =
           "In their order, as 'spillring peek' does; with --json in envelopes. What has been "
           "read\n"
           "and is still there is shown, too. What is damaged is passed over and said on stderr.\n"
           "Exit codes: 1 there is nothing, 65 something is damaged.\n"
           "\n"
           "Examples:\n"
           "  spillring journal cat orders\n"
           "  spillring journal cat orders --from 1042 -n 3 --json\n"
           "  spillring journal cat frames -n 1 -o raw | file -"});
  const auto arguments = std::make_shared<JournalCatArguments>();
  add_queue(app, arguments->queue, "name of the queue, or its id of 16 digits");
  add_count(app, "--from", arguments->pour.from, "begin at this sequence (the oldest)");
  add_limit(app, "-n,--count", arguments->pour.most, "how many messages to show (all there are)");
  arguments->delimiter.add_options(app);
  add_state_directory(app, arguments->state);
  add_json_flag(app, settings);
  return {&app, [arguments, &settings] { return run(*arguments, settings); }};
}

}  // namespace spillring::tools
