// Options of the verbs: values are read by the command itself, so that every bad value is refused
// in the same words, and no value is taken for syntax.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "failure.hpp"
#include "spillring/options.hpp"

namespace spillring::tools {

/// The arguments as CLI11 may see them: it would split "[a,b]", swallow "++" and an empty value
/// after
/// "=", and lose count after "--". The options below undo the marks.
[[nodiscard]] std::vector<std::string> marked(const std::vector<std::string>& arguments);
/// One argument as the user wrote it.
[[nodiscard]] std::string unmarked(const std::string& argument);

/// Calls `read(label, value)` for the value. `names` as in CLI11; without dashes it is positional.
using ReadValue = std::function<void(const std::string& label, const std::string& value)>;
CLI::Option* add_value(CLI::App& app, const std::string& names, const std::string& type,
                       const std::string& help, const ReadValue& read);
/// The same for an option, or positional, that may be given several times.
CLI::Option* add_values(CLI::App& app, const std::string& names, const std::string& type,
                        const std::string& help, const ReadValue& read);

CLI::Option* add_text(CLI::App& app, const std::string& names, std::string& target,
                      const std::string& type, const std::string& help);
CLI::Option* add_size(CLI::App& app, const std::string& names, std::uint64_t& target,
                      const std::string& help);
CLI::Option* add_duration(CLI::App& app, const std::string& names, Timeout& target,
                          const std::string& help);
CLI::Option* add_count(CLI::App& app, const std::string& names, std::uint64_t& target,
                       const std::string& help);
/// Permission bits in octal.
CLI::Option* add_mode(CLI::App& app, const std::string& names, unsigned& target,
                      const std::string& help);
/// A count of messages to take; zero is refused.
CLI::Option* add_limit(CLI::App& app, const std::string& names, std::uint64_t& target,
                       const std::string& help);
/// A name of a queue, refused here if no queue can have it.
CLI::Option* add_queue(CLI::App& app, std::string& target, const std::string& help);
/// The same with another name for it in the help.
CLI::Option* add_queue(CLI::App& app, const std::string& name, std::string& target,
                       const std::string& help);
/// Refuses what cannot be the name of a queue.
void check_queue_name(std::string_view name);

/// One of several words. `later` are those that are known but not in this version.
template <typename T>
CLI::Option* add_choice(CLI::App& app, const std::string& names, T& target,
                        std::vector<std::pair<std::string, T>> choices, const std::string& help,
                        std::vector<std::string> later = {});

/// The failure for a word that is none of the choices.
[[nodiscard]] Failure unknown_choice(const std::string& label, const std::string& value,
                                     const std::vector<std::string>& choices,
                                     const std::vector<std::string>& later);

template <typename T>
CLI::Option* add_choice(CLI::App& app, const std::string& names, T& target,
                        std::vector<std::pair<std::string, T>> choices, const std::string& help,
                        std::vector<std::string> later) {
  std::vector<std::string> words;
  words.reserve(choices.size());
  for (const auto& choice : choices) words.push_back(choice.first);
  const std::string type = CLI::detail::join(words, "|");
  return add_value(app, names, type, help,
                   [&target, choices = std::move(choices), words = std::move(words),
                    later = std::move(later)](const std::string& label, const std::string& value) {
                     for (const auto& [word, meaning] : choices) {
                       if (word == value) {
                         target = meaning;
                         return;
                       }
                     }
                     throw unknown_choice(label, value, words, later);
                   });
}

}  // namespace spillring::tools
