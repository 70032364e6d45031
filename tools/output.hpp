// Results on stdout: tables for people, tabs and JSON for programs. Remarks on stderr.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "settings.hpp"

namespace spillring::tools {

/// Members stay in the order in which they were added.
using Json = nlohmann::ordered_json;

enum class Colour { none, good, bad, dim };

/// One value: as people read it and, where that is rounded, as programs do.
struct Cell {
  std::string human;
  std::string exact;
  Colour colour = Colour::none;
};

[[nodiscard]] Cell text_cell(std::string_view text, Colour colour = Colour::none);
[[nodiscard]] Cell count_cell(std::uint64_t count);
/// "1.2 KiB" for people, bytes for programs.
[[nodiscard]] Cell size_cell(std::uint64_t bytes);
/// "500ms" for people, seconds (or "inf") for programs.
[[nodiscard]] Cell duration_cell(Timeout duration);
/// Seconds, as programs want durations; JSON has null for one without end.
[[nodiscard]] double seconds(Timeout duration);

struct Column {
  std::string title;
  bool number = false;    ///< aligned to the right
  std::size_t least = 0;  ///< width where all that is in it is narrower
};

/// Rows under named columns. Without titles: a list of properties.
class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
  void add(std::vector<Cell> row) { rows_.push_back(std::move(row)); }

  /// Aligned, without borders; the first column is cut where a line is longer than `width`
  /// (0: never).
  [[nodiscard]] std::string aligned(bool header, bool colours, std::size_t width) const;
  /// Exact values between tabs.
  [[nodiscard]] std::string tabbed(bool header) const;

 private:
  [[nodiscard]] std::vector<std::size_t> widths(bool header, std::size_t line) const;

  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

/// Writes a table in the format of `settings`, which is `automatic`, `table` or `tsv`.
void print_table(const Table& table, const Settings& settings);
/// Writes one document; on one line where NDJSON was asked for.
void print_json(const Json& document, const Settings& settings);
/// The text without control characters, in that colour where stdout shows colours.
[[nodiscard]] std::string coloured(std::string_view text, Colour colour);
/// Writes to stdout. Throws `ReaderGone` or `Failure`.
void print_text(std::string_view text);

/// A remark for people: nothing where stderr is no terminal, or with --quiet.
void remark(const Settings& settings, std::string_view text);
/// A result that has no place on stdout: nothing with --quiet only.
void say(const Settings& settings, std::string_view text);
/// "1 message", "2 messages".
[[nodiscard]] std::string plural(std::uint64_t count, std::string_view noun);

}  // namespace spillring::tools
