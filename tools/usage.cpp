#include "usage.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "arguments.hpp"
#include "spillring/version.hpp"
#include "text/misspelling.hpp"

namespace spillring::tools {
namespace {

// Names that later versions have: whoever knows them should not be told that they are misspelt.
constexpr std::array<std::string_view, 3> later_verbs{"top", "bench", "completion"};

Failure not_in_this_version(std::string_view name) {
  return usage_failure(fmt::format("'{}' is not in this version", name),
                       fmt::format("version {} does not have it yet", version),
                       "spillring --help shows what there is");
}

std::string command_of(const CLI::App& app) {
  const CLI::App* parent = app.get_parent();
  return parent == nullptr ? app.get_name()
                           : fmt::format("{} {}", command_of(*parent), app.get_name());
}

std::string help_of(const CLI::App& app) { return command_of(app) + " --help"; }

std::vector<std::string> option_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

std::vector<std::string> verb_names(const CLI::App& root) {
  std::vector<std::string> names;
  for (const CLI::App* verb : root.get_subcommands({})) names.push_back(verb->get_name());
  return names;
}

std::string suggestion(std::string_view word, const std::vector<std::string>& candidates,
                       const CLI::App& app) {
  const auto near = text::nearest(word, candidates);
  return near ? fmt::format("did you mean '{}'?", *near) : help_of(app);
}

Failure unknown_option(const CLI::App& app, const std::string& argument) {
  const std::string name = argument.substr(0, argument.find('='));
  const bool takes_messages = app.get_option_no_throw("MSG") != nullptr;
  std::string hint = suggestion(name, option_names(app), app);
  if (takes_messages && hint == help_of(app)) {
    hint = "put -- in front of a message that begins with a dash";
  }
  return usage_failure(fmt::format("there is no option '{}'", name),
                       fmt::format("'{}' does not take it", command_of(app)), std::move(hint));
}

Failure unknown_verb(const CLI::App& root, const std::string& word) {
  if (std::ranges::find(later_verbs, word) != later_verbs.end()) return not_in_this_version(word);
  const std::vector<std::string> verbs = verb_names(root);
  return usage_failure(fmt::format("there is no verb '{}'", word),
                       fmt::format("there are {}", fmt::join(verbs, ", ")),
                       suggestion(word, verbs, root));
}

Failure leftover(const CLI::App& app, const std::string& argument) {
  if (argument.starts_with('-') && argument.size() > 1) return unknown_option(app, argument);
  const std::string word = unmarked(argument);
  if (takes_verb(app)) return unknown_verb(app, word);
  return usage_failure(fmt::format("'{}' is one argument too many", word),
                       fmt::format("'{}' takes fewer", command_of(app)), help_of(app));
}

}  // namespace

bool takes_verb(const CLI::App& app) { return !app.get_subcommands({}).empty(); }

const CLI::App& parsed_app(const CLI::App& root) {
  const auto verbs = root.get_subcommands();
  return verbs.empty() ? root : parsed_app(*verbs.front());
}

void refuse_leftovers(const CLI::App& root) {
  const CLI::App& parsed = parsed_app(root);
  const CLI::App* noun = parsed.get_parent() == nullptr ? &root : parsed.get_parent();
  for (const CLI::App* app : {&root, noun, &parsed}) {
    const std::vector<std::string> arguments = app->remaining();
    if (!arguments.empty()) throw leftover(*app, arguments.front());
  }
}

Failure parse_failure(const CLI::ParseError& error, const CLI::App& root) {
  const std::string text = error.what();
  const CLI::App& app = parsed_app(root);
  const std::string hint = help_of(app);
  const std::string subject = text.substr(0, text.find_first_of(": "));
  if (dynamic_cast<const CLI::RequiredError*>(&error) != nullptr) {
    return usage_failure(fmt::format("{} is missing", subject),
                         fmt::format("'{}' needs it", command_of(app)), hint);
  }
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr) {
    return usage_failure(fmt::format("{} needs a value", subject), "nothing follows it", hint);
  }
  if (dynamic_cast<const CLI::ExcludesError*>(&error) != nullptr) {
    const std::string other = text.substr(text.find_last_of(' ') + 1);
    return usage_failure(fmt::format("{} and {} do not go together", subject, other),
                         "each says something else about the same thing", hint);
  }
  return usage_failure("the command line cannot be understood", text, hint);
}

}  // namespace spillring::tools
