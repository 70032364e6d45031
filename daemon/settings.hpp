// The daemon's settings. Each has one name: in the file `max_queues`, as an option `--max-queues`.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "supervisor.hpp"

namespace spillring::daemon {

using Settings = Supervisor::Options;

struct Setting {
  /// How it is written in the file. On the command line a relative path is one, too.
  enum class Form : std::uint8_t { path, text, number, either };

  std::string_view name;
  Form form;
  std::string_view placeholder;  // of its value, in the help
  std::string_view help;
  /// Takes a value. Returns what is wrong with it and what to write instead; empty: nothing.
  std::string (*take)(Settings& settings, std::string_view value);
};

[[nodiscard]] std::span<const Setting> all_settings() noexcept;

}  // namespace spillring::daemon
