#include "command_line.hpp"

#include <algorithm>
#include <memory>

#include "arguments.hpp"
#include "output.hpp"
#include "usage.hpp"

namespace spillring::tools {
namespace {

constexpr const char* footer =
    "Examples:\n"
    "  spillring send orders 'hello' --create\n"
    "  spillring ls\n"
    "  spillring recv orders\n"
    "  spillring drain logs --to logs.txt\n"
    "\n"
    "'spillring VERB --help' has more. Exit codes: 0 done, 1 nothing there, 3 done in part, 64 "
    "usage,\n"
    "65 bad data, 66 no such file, 69 no supervisor or queue, 70 a bug, 73 cannot create, 74 read "
    "or "
    "write\n"
    "failed, 75 full, busy or timed out, 77 not permitted, 130 interrupted, 143 terminated.";

/// The names of options and their words, without what CLI11 says about its own workings.
class HelpFormatter : public CLI::Formatter {
 public:
  HelpFormatter() {
    column_width(28);
    label("Positionals", "Arguments");
  }

  std::string make_help(const CLI::App* app, std::string name,
                        CLI::AppFormatMode mode) const override {
    const std::string help = Formatter::make_help(app, std::move(name), mode);
    return CLI::detail::find_and_replace(help, "\n\n\n", "\n\n");
  }

  std::string make_option_opts(const CLI::Option* option) const override {
    const std::string& text = option->get_option_text();
    return text.empty() ? text : " " + text;
  }

  std::string make_usage(const CLI::App* app, std::string name) const override {
    std::string usage = "Usage: " + name + " [OPTIONS]";
    if (takes_verb(*app)) return usage + " VERB\n";
    for (const CLI::Option* option : app->get_options()) {
      if (option->get_positional()) usage += " " + make_option_usage(option);
    }
    return usage + "\n";
  }
};

}  // namespace

CommandLine::CommandLine() : app_("Named queues in shared memory, from a terminal", "spillring") {
  app_.formatter(std::make_shared<HelpFormatter>());
  app_.footer(footer);
  app_.allow_extras();
  app_.require_subcommand(0, 1);
  app_.add_flag("--version", version_, "the same as 'spillring version'");
  add_settings(app_, settings_);
  for (const auto add : {add_create, add_set, add_ls, add_info, add_ps, add_stat, add_check,
                         add_doctor, add_send, add_recv, add_peek, add_tail, add_drain, add_move,
                         add_purge, add_seek, add_rm, add_version}) {
    verbs_.push_back(add(app_, settings_));
    verbs_.back().app->group("Verbs");
  }
  add_noun_with({.name = "group",
                 .does = "Look at the groups of a queue, and remove them",
                 .text = "Examples:\n"
                         "  spillring group ls orders\n"
                         "  spillring group rm orders billing"},
                {add_group_ls, add_group_rm});
  add_noun_with(
      {.name = "journal",
       .does = "Look at what queues have on the disk, without a supervisor",
       .text =
           "They read a state directory, whether or not a supervisor runs there; 'repair' works\n"
           "only while none does.\n\n"
           "Examples:\n"
           "  spillring journal ls\n"
           "  spillring journal verify\n"
           "  spillring journal cat orders -n 3 --json\n"
           "  spillring journal export orders --to orders.ndjson"},
      {add_journal_ls, add_journal_stat, add_journal_cat, add_journal_verify, add_journal_repair,
       add_journal_export});
}

void CommandLine::add_noun_with(const VerbHelp& help, std::initializer_list<AddVerb> adds) {
  CLI::App& noun = add_noun(app_, help);
  noun.group("Verbs");
  for (const AddVerb add : adds) {
    verbs_.push_back(add(noun, settings_));
    verbs_.back().app->group("Verbs");
  }
}

std::function<Exit()> CommandLine::understood(const std::vector<std::string>& arguments) {
  const auto help = [this] {
    print_text(app_.help());
    return Exit::ok;
  };
  if (!parse(arguments)) return help;
  if (version_) return [this] { return print_version(settings_); };
  for (const Verb& verb : verbs_) {
    if (verb.app->parsed()) return verb.run;
  }
  return help;
}

bool CommandLine::parse(const std::vector<std::string>& arguments) {
  std::vector<std::string> reversed = marked(arguments);
  std::reverse(reversed.begin(), reversed.end());
  try {
    app_.parse(std::move(reversed));
  } catch (const CLI::CallForHelp&) {
    refuse_leftovers(app_);
    return false;
  } catch (const CLI::ParseError& error) {
    refuse_leftovers(app_);
    throw parse_failure(error, app_);
  }
  refuse_leftovers(app_);
  return true;
}

}  // namespace spillring::tools
