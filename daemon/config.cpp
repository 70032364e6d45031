#include "config.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <map>
#include <optional>

#include "os/fd.hpp"
#include "text/misspelling.hpp"
#include "text/toml.hpp"

namespace spillring::daemon {

namespace {

// Longer than any that was meant as one.
constexpr std::size_t longest_file = 1 << 20;

std::string at(const std::string& file, const toml::source_position& position) {
  return fmt::format("{}:{}:{}", file, position.line, position.column);
}

const Setting* setting_of(std::string_view name) {
  for (const Setting& setting : all_settings()) {
    if (setting.name == name) return &setting;
  }
  return nullptr;
}

std::string unknown_key(std::string_view name) {
  std::vector<std::string> names;
  for (const Setting& setting : all_settings()) names.emplace_back(setting.name);
  const auto near = text::nearest(name, names);
  return near ? fmt::format("there is no setting '{}'; did you mean '{}'?", name, *near)
              : fmt::format("there is no setting '{}'; there are {}", name, fmt::join(names, ", "));
}

std::string_view wanted(Setting::Form form) {
  switch (form) {
    case Setting::Form::path:
      return "a path in quotes";
    case Setting::Form::text:
      return "text in quotes";
    case Setting::Form::number:
      return "a whole number without quotes";
    case Setting::Form::either:
      return "a whole number, or a number with its unit in quotes";
  }
  return {};
}

/// What a value of the right type says; nullopt: it is of another.
std::optional<std::string> value_of(const toml::node& node, Setting::Form form) {
  const bool text = form != Setting::Form::number;
  const bool number = form == Setting::Form::number || form == Setting::Form::either;
  if (const auto* string = node.as_string(); string != nullptr && text) return string->get();
  if (const auto* integer = node.as_integer(); integer != nullptr && number) {
    return std::to_string(integer->get());
  }
  return std::nullopt;
}

/// What is wrong with this key; empty: nothing, and it is taken.
std::string take(std::string_view name, const toml::node& node, Settings& settings) {
  const Setting* setting = setting_of(name);
  if (setting == nullptr) return unknown_key(name);
  const auto value = value_of(node, setting->form);
  if (!value) return fmt::format("{} is {}", name, wanted(setting->form));
  const std::string problem = setting->take(settings, *value);
  return problem.empty() ? problem : fmt::format("{} '{}' {}", name, *value, problem);
}

std::string why_unread(const std::string& file) {
  return fmt::format("{}: the configuration cannot be read: {}", file, std::strerror(errno));
}

}  // namespace

Config read_config(const std::string& file) {
  Config config{file, {}};
  if (file.empty()) return config;
  const os::Fd input(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!input) throw ConfigError({why_unread(file)});
  std::array<char, 4096> part{};
  for (;;) {
    const ssize_t got = ::read(input.get(), part.data(), part.size());
    if (got < 0) throw ConfigError({why_unread(file)});
    if (got == 0) return config;
    config.text.append(part.data(), static_cast<std::size_t>(got));
    if (config.text.size() > longest_file) {
      throw ConfigError({fmt::format("{}: this is no configuration: it is longer than {} bytes",
                                     file, longest_file)});
    }
  }
}

void apply(const Config& config, Settings& settings) try {
  const toml::table table = toml::parse(config.text, config.file);
  std::map<toml::source_position, std::string> found;  // in their order in the file
  for (const auto& [key, node] : table) {
    const std::string problem = take(key.str(), node, settings);
    const toml::source_position place = key.source().begin;
    if (!problem.empty()) found.emplace(place, at(config.file, place) + ": " + problem);
  }
  if (found.empty()) return;
  std::vector<std::string> problems;
  problems.reserve(found.size());
  for (const auto& [place, problem] : found) problems.push_back(problem);
  throw ConfigError(std::move(problems));
} catch (const toml::parse_error& error) {
  throw ConfigError({fmt::format("{}: this is not TOML: {}", at(config.file, error.source().begin),
                                 error.description())});
} catch (const text::UnreadableToml& error) {
  throw ConfigError({fmt::format("{}: this is not TOML: {}", config.file, error.what())});
}

}  // namespace spillring::daemon
