// What holds for every verb.
#pragma once

#include <CLI/CLI.hpp>
#include <chrono>
#include <string>
#include <string_view>

#include "spillring/client.hpp"

namespace spillring::tools {

/// How results are written. `automatic`: a table on a terminal, tabs elsewhere, messages as text.
enum class Format { automatic, table, tsv, json, ndjson, raw };

struct Settings {
  std::string socket;
  bool user = false;  ///< the user's own supervisor
  bool autostart = true;
  Timeout timeout = std::chrono::seconds(5);
  Format output = Format::automatic;
  bool json = false;  ///< --json: the same as -o json
  bool quiet = false;
  bool no_header = false;

  [[nodiscard]] Client connect() const;
  /// The format asked for.
  [[nodiscard]] Format format() const { return json ? Format::json : output; }
  [[nodiscard]] bool wants_json() const {
    return format() == Format::json || format() == Format::ndjson;
  }
  /// Refuses a format that `verb` cannot write.
  void refuse_formats(std::string_view verb, std::initializer_list<Format> refused) const;
};

/// Adds the options of `settings` to an application or a verb.
void add_settings(CLI::App& app, Settings& settings);

/// Opens a queue; where there is none, the failure suggests one that is spelled alike.
[[nodiscard]] Queue open_queue(const Client& client, const std::string& name);

}  // namespace spillring::tools
