// The arguments of the command, as they are understood.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <initializer_list>
#include <string>
#include <vector>

#include "failure.hpp"
#include "settings.hpp"
#include "verb.hpp"

namespace spillring::tools {

class CommandLine {
 public:
  CommandLine();
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;
  ~CommandLine() = default;

  /// What these arguments ask for, to be done while this lives; nothing has been done yet. Throws
  /// `Failure` (usage).
  [[nodiscard]] std::function<Exit()> understood(const std::vector<std::string>& arguments);

 private:
  using AddVerb = Verb (*)(CLI::App&, Settings&);

  void add_noun_with(const VerbHelp& help, std::initializer_list<AddVerb> adds);
  /// False if only help was asked for.
  bool parse(const std::vector<std::string>& arguments);

  CLI::App app_;
  Settings settings_;
  bool version_ = false;
  std::vector<Verb> verbs_;
};

}  // namespace spillring::tools
