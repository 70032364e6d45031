// The daemon's configuration file.
#include <fmt/format.h>

#include <chrono>

#include "daemon/config.hpp"
#include "target.hpp"

namespace spillring::fuzz {
namespace {

using daemon::Settings;

/// As TOML wants it in quotes.
std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    if (code < 0x20 || code == 0x7f || c == '"' || c == '\\') {
      result += fmt::format("\\u{:04x}", code);
    } else {
      result += c;
    }
  }
  return result + "\"";
}

/// A file that says the same.
std::string written(const Settings& settings) {
  const std::string paths =
      (settings.socket.empty() ? "" : "socket = " + quoted(settings.socket) + "\n") +
      (settings.state_dir.empty() ? "" : "state_dir = " + quoted(settings.state_dir) + "\n");
  return paths + fmt::format(
                     "socket_mode = \"{:o}\"\nidle_exit = \"{}ns\"\nsegment_size = \"{}B\"\n"
                     "disk_reserve = \"{}B\"\nmax_journal_per_queue = \"{}B\"\nmax_queues = {}\n"
                     "max_clients = {}\nmax_memory = \"{}B\"\nmax_journal = \"{}B\"\n",
                     settings.socket_mode, settings.idle_exit.count(), settings.segment_size,
                     settings.disk_reserve, settings.max_journal_per_queue, settings.quota.queues,
                     settings.quota.clients, settings.quota.memory, settings.quota.journal);
}

void require_possible(const Settings& settings) {
  const auto is_path = [](const std::string& path) {
    return path.empty() || (path[0] == '/' && path.find('\0') == std::string::npos);
  };
  require(is_path(settings.socket) && settings.socket.size() <= 107, "a socket's path can be one");
  require(is_path(settings.state_dir), "a directory is an absolute path");
  require((settings.socket_mode & ~0666U) == 0, "a socket's mode can be one");
  require(settings.idle_exit.count() >= 0, "no time is negative");
  require(settings.segment_size != 0 && settings.quota.memory != 0, "no size is nothing");
  require(settings.quota.queues != 0 && settings.quota.clients != 0, "somebody is let in");
}

}  // namespace

void configuration(Bytes input) {
  Settings settings;
  try {
    daemon::apply({"fuzz.toml", text_of(input)}, settings);
  } catch (const daemon::ConfigError& error) {
    require(!error.problems().empty(), "what is refused has a problem");
    for (const std::string& problem : error.problems()) {
      require(problem.starts_with("fuzz.toml:"), "a problem says where it is");
    }
    return;
  }
  require_possible(settings);
  Settings again;
  daemon::apply({"again.toml", written(settings)}, again);
  require(written(again) == written(settings), "what was taken is taken again");
}

}  // namespace spillring::fuzz
