#include "command_line.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "client/socket_path.hpp"
#include "exit.hpp"
#include "spillring/version.hpp"

namespace spillring::daemon {

namespace {

std::string option_of(const Setting& setting) {
  std::string name = fmt::format("--{}", setting.name);
  std::replace(name.begin(), name.end(), '_', '-');
  return name;
}

/// From the working directory, where that is still there; nothing stays nothing.
std::string absolute(const std::string& path) {
  std::error_code failed;
  const std::filesystem::path whole = std::filesystem::absolute(path, failed);
  return failed ? path : whole.string();
}

void give(CommandLine& line, const Setting& setting, std::string value) {
  if (setting.form == Setting::Form::path) value = absolute(value);
  Settings unused;
  const std::string problem = setting.take(unused, value);
  if (!problem.empty()) {
    throw CLI::ValidationError(fmt::format("{} '{}' {}", option_of(setting), value, problem));
  }
  line.given.emplace_back(&setting, std::move(value));
}

/// A socket that somebody named, not the file; empty: nobody did.
std::string named_socket(const CommandLine& line) {
  for (const auto& [setting, value] : line.given) {
    if (setting->name == "socket") return value;
  }
  const char* named = std::getenv("SPILLRING_SOCKET");
  return named == nullptr ? "" : absolute(named);
}

}  // namespace

std::optional<CommandLine> parse(int argc, char** argv, int& status) {
  CLI::App app("The supervisor of Spillring's queues. Runs in the foreground until SIGTERM.",
               "spillringd");
  CommandLine line;
  app.set_version_flag("--version", std::string("spillringd ") + version);
  app.add_option("--config", line.config,
                 "Settings in TOML, each named as its option, with underscores (default: for the\n"
                 "system's socket /etc/spillring/spillringd.toml, for the user's own\n"
                 "~/.config/spillring/spillringd.toml, where it is there)")
      ->option_text("FILE");
  app.add_flag("--check-config", line.check_config,
               "Read the settings, say what is wrong with them, and end");
  app.add_flag("--background", line.background,
               "Leave the terminal; return when clients can connect; log to\n"
               "~/.local/state/spillring/spillringd.log");
  for (const Setting& setting : all_settings()) {
    app.add_option_function<std::string>(
           option_of(setting), [&](const std::string& value) { give(line, setting, value); },
           std::string(setting.help))
        ->option_text(std::string(setting.placeholder));
  }
  // Proves in tests that recovery is what keeps the promises. Not for use.
  app.add_flag("--test-without-recovery", line.without_recovery)->group("");
  // Between the two processes that it runs as (keeper.hpp).
  app.add_option("--role", line.role)->group("");
  app.add_option("--at", line.at)->group("");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    status = app.exit(error) == 0 ? 0 : exit_usage;
    return std::nullopt;
  }
  line.config = absolute(line.config);
  return line;
}

std::vector<std::string> arguments_for(const CommandLine& line, const std::string& socket) {
  std::vector<std::string> arguments{"spillringd", "--at", socket};
  if (!line.config.empty()) arguments.insert(arguments.end(), {"--config", line.config});
  for (const auto& [setting, value] : line.given) {
    arguments.insert(arguments.end(), {option_of(*setting), value});
  }
  if (line.without_recovery) arguments.emplace_back("--test-without-recovery");
  return arguments;
}

Config config_of(const CommandLine& line) {
  if (!line.config.empty()) return read_config(line.config);
  const std::string named = named_socket(line);
  return read_config(client::configuration_of(named.empty() ? client::user_socket() : named));
}

Settings settings_of(const CommandLine& line, const Config& config) {
  Settings settings;
  settings.socket = client::user_socket();
  apply(config, settings);
  if (const std::string socket = named_socket(line); !socket.empty()) settings.socket = socket;
  for (const auto& [setting, value] : line.given) setting->take(settings, value);
  if (settings.state_dir.empty() && settings.socket == client::user_socket()) {
    settings.state_dir = client::state_directory();
  }
  settings.without_recovery = line.without_recovery;
  settings.configuration = config.text;
  return settings;
}

}  // namespace spillring::daemon
