#include "settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "arguments.hpp"
#include "failure.hpp"
#include "output.hpp"
#include "text/misspelling.hpp"

namespace spillring::tools {
namespace {

const std::vector<std::pair<std::string, Format>>& formats() {
  static const std::vector<std::pair<std::string, Format>> names{{"table", Format::table},
                                                                 {"tsv", Format::tsv},
                                                                 {"json", Format::json},
                                                                 {"ndjson", Format::ndjson},
                                                                 {"raw", Format::raw}};
  return names;
}

std::string name_of(Format format) {
  const auto found = std::find_if(formats().begin(), formats().end(),
                                  [format](const auto& entry) { return entry.second == format; });
  return found == formats().end() ? "automatic" : found->first;
}

Failure no_such_queue(const Client& client, const std::string& name, const Error& error) {
  std::vector<std::string> names;
  for (const QueueInfo& queue : client.list()) names.push_back(queue.name);
  const auto near = text::nearest(name, names);
  return {Exit::unavailable, fmt::format("there is no queue '{}'", name),
          fmt::format("the supervisor at {} has {}", client.socket(),
                      names.empty() ? "none" : plural(names.size(), "other")),
          near ? fmt::format("did you mean '{}'?", *near) : error.hint()};
}

}  // namespace

Client Settings::connect() const {
  return Client({.socket = socket, .user = user, .autostart = autostart, .timeout = timeout});
}

void Settings::refuse_formats(std::string_view verb, std::initializer_list<Format> refused) const {
  if (std::find(refused.begin(), refused.end(), format()) == refused.end()) return;
  throw usage_failure(fmt::format("'{}' cannot write '-o {}'", verb, name_of(format())),
                      "this format is not for what it prints",
                      fmt::format("spillring {} --help", verb));
}

void add_settings(CLI::App& app, Settings& settings) {
  add_text(app, "-S,--socket", settings.socket, "PATH",
           "socket of the supervisor (default: $SPILLRING_SOCKET,\n"
           "else the system's, else your own)")
      ->group("Global options");
  app.add_flag("--user", settings.user,
               "your own supervisor, although the system has one;\n"
               "your own is started where it does not run")
      ->group("Global options");
  add_choice(app, "-o,--output", settings.output, formats(),
             "table, tsv, json, ndjson or raw (default: a table on a\n"
             "terminal, tabs in a pipe, messages as they are)")
      ->option_text("FORMAT")
      ->group("Global options");
  add_duration(app, "--timeout", settings.timeout,
               "longest wait for an answer of the supervisor (5s)")
      ->group("Global options");
  app.add_flag("--no-header", settings.no_header, "no line of column names")
      ->group("Global options");
  app.add_flag("-q,--quiet", settings.quiet, "no remarks on stderr; errors only")
      ->group("Global options");
}

Queue open_queue(const Client& client, const std::string& name) {
  try {
    return client.open(name);
  } catch (const Error& error) {
    if (error.code() != Code::not_found) throw;
    throw no_such_queue(client, name, error);
  }
}

}  // namespace spillring::tools
