#include "arguments.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <limits>

#include "quantity.hpp"
#include "spillring/client.hpp"
#include "text/misspelling.hpp"

namespace spillring::tools {
namespace {

/// In front of an argument that CLI11 must take as it is. Nobody types an escape character.
constexpr std::string_view mark =
    "\x1b"
    "as-is:";

std::string with_mark(std::string_view argument) { return fmt::format("{}{}", mark, argument); }

bool looks_like_syntax(const std::string& argument) {
  return argument.starts_with('[') || argument == "++" || argument.starts_with(mark);
}

/// True for "--name=": CLI11 would take the next argument for the value.
bool ends_in_empty_value(const std::string& argument) {
  return argument.starts_with("--") && argument.find('=') == argument.size() - 1;
}

CLI::Option* add_reader(CLI::App& app, const std::string& names, const std::string& type,
                        const std::string& help, const ReadValue& read) {
  const std::string label = CLI::detail::split_names(names).back();
  CLI::Option* option = app.add_option(
      names,
      [read, label](const CLI::results_t& values) {
        for (const std::string& value : values) read(label, unmarked(value));
        return true;
      },
      help);
  // A positional's name says what it is; only options need a word for their value.
  return option->option_text(names.front() == '-' ? type : " ");
}

}  // namespace

std::vector<std::string> marked(const std::vector<std::string>& arguments) {
  std::vector<std::string> result;
  const auto end_of_options = std::find(arguments.begin(), arguments.end(), "--");
  for (auto it = arguments.begin(); it != end_of_options; ++it) {
    if (ends_in_empty_value(*it)) {
      result.push_back(it->substr(0, it->size() - 1));
      result.push_back(with_mark({}));
    } else {
      result.push_back(looks_like_syntax(*it) ? with_mark(*it) : *it);
    }
  }
  if (end_of_options == arguments.end()) return result;
  std::transform(end_of_options + 1, arguments.end(), std::back_inserter(result), with_mark);
  return result;
}

std::string unmarked(const std::string& argument) {
  return argument.starts_with(mark) ? argument.substr(mark.size()) : argument;
}

CLI::Option* add_value(CLI::App& app, const std::string& names, const std::string& type,
                       const std::string& help, const ReadValue& read) {
  // The last one counts, so that an alias's defaults can be overridden.
  return add_reader(app, names, type, help, read)->take_last();
}

CLI::Option* add_values(CLI::App& app, const std::string& names, const std::string& type,
                        const std::string& help, const ReadValue& read) {
  CLI::Option* option = add_reader(app, names, type, help, read)->take_all();
  if (option->get_positional()) {
    option->expected(CLI::detail::expected_max_vector_size)->option_text("...");
  }
  return option;
}

CLI::Option* add_text(CLI::App& app, const std::string& names, std::string& target,
                      const std::string& type, const std::string& help) {
  return add_value(app, names, type, help,
                   [&target](const std::string&, const std::string& value) { target = value; });
}

CLI::Option* add_size(CLI::App& app, const std::string& names, std::uint64_t& target,
                      const std::string& help) {
  return add_value(app, names, "SIZE", help,
                   [&target](const std::string& label, const std::string& value) {
                     target = parse_size(label, value);
                   });
}

CLI::Option* add_duration(CLI::App& app, const std::string& names, Timeout& target,
                          const std::string& help) {
  return add_value(app, names, "DUR", help,
                   [&target](const std::string& label, const std::string& value) {
                     target = parse_duration(label, value);
                   });
}

CLI::Option* add_count(CLI::App& app, const std::string& names, std::uint64_t& target,
                       const std::string& help) {
  return add_value(app, names, "N", help,
                   [&target](const std::string& label, const std::string& value) {
                     target = parse_count(label, value);
                   });
}

CLI::Option* add_mode(CLI::App& app, const std::string& names, unsigned& target,
                      const std::string& help) {
  return add_value(
      app, names, "MODE", help, [&target](const std::string& label, const std::string& value) {
        const char* end = value.data() + value.size();
        const auto [rest, error] = std::from_chars(value.data(), end, target, 8);
        if (error == std::errc{} && rest == end && (target & ~0666U) == 0) return;
        throw usage_failure(fmt::format("{} '{}' is not a mode of a queue", label, value),
                            "it is octal, of read (receive) and write (send) for the owner, the "
                            "group and all others",
                            "for example 0600, 0660 or 0644");
      });
}

CLI::Option* add_limit(CLI::App& app, const std::string& names, std::uint64_t& target,
                       const std::string& help) {
  return add_value(app, names, "N", help,
                   [&target](const std::string& label, const std::string& value) {
                     target = parse_count(label, value);
                     if (target == 0) {
                       throw usage_failure(fmt::format("{} '{}' takes nothing", label, value),
                                           "it counts messages and begins at 1",
                                           "leave it out, or write 1 or more");
                     }
                   });
}

CLI::Option* add_queue(CLI::App& app, std::string& target, const std::string& help) {
  return add_queue(app, "QUEUE", target, help);
}

CLI::Option* add_queue(CLI::App& app, const std::string& name, std::string& target,
                       const std::string& help) {
  return add_value(app, name, "", help,
                   [&target](const std::string&, const std::string& value) {
                     check_queue_name(value);
                     target = value;
                   })
      ->required();
}

void check_queue_name(std::string_view name) {
  if (valid_name(name)) return;
  throw usage_failure(
      fmt::format("'{}' cannot be the name of a queue", name),
      fmt::format(
          "a name has 1 to {} characters of A-Z a-z 0-9 . _ - and does not begin with a dot",
          max_name),
      "spillring ls shows the names there are");
}

Failure unknown_choice(const std::string& label, const std::string& value,
                       const std::vector<std::string>& choices,
                       const std::vector<std::string>& later) {
  const std::string known = fmt::format("it knows {}", fmt::join(choices, ", "));
  if (std::find(later.begin(), later.end(), value) != later.end()) {
    return usage_failure(fmt::format("'{} {}' is not in this version", label, value), known,
                         fmt::format("write {} {}", label, choices.front()));
  }
  const auto near = text::nearest(value, choices);
  return usage_failure(fmt::format("{} does not know '{}'", label, value), known,
                       fmt::format("did you mean '{}'?", near.value_or(choices.front())));
}

}  // namespace spillring::tools
