#include "output.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <numeric>

#include "gather.hpp"
#include "quantity.hpp"

namespace spillring::tools {
namespace {

constexpr int indented = 2;  // as nlohmann counts
constexpr int one_line = -1;
constexpr std::size_t gap = 2;              // between two columns
constexpr std::size_t narrowest_first = 8;  // a name cut further than this names nothing

bool stdout_has_colours() {
  const char* const no_color = std::getenv("NO_COLOR");
  const char* const term = std::getenv("TERM");
  return isatty(STDOUT_FILENO) != 0 && (no_color == nullptr || *no_color == '\0') &&
         (term == nullptr || std::string_view(term) != "dumb");
}

std::size_t terminal_width() {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) return 0;
  return size.ws_col;
}

std::string_view escape(Colour colour) {
  switch (colour) {
    case Colour::good:
      return "\x1b[32m";
    case Colour::bad:
      return "\x1b[31m";
    case Colour::dim:
      return "\x1b[2m";
    case Colour::none:
      break;
  }
  return {};
}

/// Names come from other processes: nothing in them may move the cursor or add a column.
std::string printable(std::string_view text) {
  std::string result(text);
  std::replace_if(
      result.begin(), result.end(),
      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, '?');
  return result;
}

std::string fitted(const std::string& text, std::size_t width) {
  if (text.size() <= width || width == 0) return text;
  return text.substr(0, width - 1) + "…";
}

/// Columns taken on the screen: only the ellipsis has more bytes than columns.
std::size_t shown_width(const std::string& text) {
  return text.ends_with("…") ? text.size() - 2 : text.size();
}

std::string painted_in(Colour colour, const std::string& text, bool colours) {
  return colours && colour != Colour::none ? fmt::format("{}{}\x1b[0m", escape(colour), text)
                                           : text;
}

std::string padded(const std::string& text, std::size_t width, bool right, Colour colour,
                   bool colours) {
  const std::string space(width - std::min(width, shown_width(text)), ' ');
  const std::string painted = painted_in(colour, text, colours);
  return right ? space + painted : painted + space;
}

void end_line(std::string& out) {
  out.erase(out.find_last_not_of(' ') + 1);
  out += '\n';
}

void say_on_stderr(std::string_view text) { fmt::print(stderr, "{}\n", text); }

}  // namespace

std::string coloured(std::string_view text, Colour colour) {
  return painted_in(colour, printable(text), stdout_has_colours());
}

Cell text_cell(std::string_view text, Colour colour) {
  std::string shown = printable(text);
  return {shown, shown, colour};
}

Cell count_cell(std::uint64_t count) { return text_cell(std::to_string(count)); }

Cell size_cell(std::uint64_t bytes) { return {human_size(bytes), std::to_string(bytes)}; }

Cell duration_cell(Timeout duration) {
  const std::string human = human_duration(duration);
  return {human, duration == forever ? human : fmt::format("{}", seconds(duration))};
}

double seconds(Timeout duration) { return std::chrono::duration<double>(duration).count(); }

std::vector<std::size_t> Table::widths(bool header, std::size_t line) const {
  std::vector<std::size_t> result(columns_.size(), 0);
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    result[i] = std::max(columns_[i].least, header ? columns_[i].title.size() : 0);
    for (const auto& row : rows_) result[i] = std::max(result[i], row[i].human.size());
  }
  const std::size_t total =
      std::accumulate(result.begin(), result.end(), std::size_t{0}) + gap * (columns_.size() - 1);
  if (line != 0 && total > line) {
    const std::size_t excess = total - line;
    const std::size_t room = result[0] > narrowest_first ? result[0] - narrowest_first : 0;
    result[0] -= std::min(excess, room);
  }
  return result;
}

std::string Table::aligned(bool header, bool colours, std::size_t width) const {
  const std::vector<std::size_t> columns = widths(header, width);
  std::string out;
  const auto add_cell = [&](std::size_t i, const std::string& text, Colour colour) {
    const std::string shown = i == 0 ? fitted(text, columns[0]) : text;
    out += padded(shown, columns[i], columns_[i].number, colour, colours);
    if (i + 1 < columns_.size()) out.append(gap, ' ');
  };
  if (header) {
    for (std::size_t i = 0; i < columns_.size(); ++i) add_cell(i, columns_[i].title, Colour::none);
    end_line(out);
  }
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) add_cell(i, row[i].human, row[i].colour);
    end_line(out);
  }
  return out;
}

std::string Table::tabbed(bool header) const {
  std::string out;
  const auto add_cell = [&](std::size_t i, const std::string& text) {
    out += text;
    out += i + 1 < columns_.size() ? '\t' : '\n';
  };
  if (header) {
    for (std::size_t i = 0; i < columns_.size(); ++i) add_cell(i, columns_[i].title);
  }
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) add_cell(i, row[i].exact);
  }
  return out;
}

void print_table(const Table& table, const Settings& settings) {
  const bool terminal = isatty(STDOUT_FILENO) != 0;
  const bool aligned =
      settings.format() == Format::table || (settings.format() == Format::automatic && terminal);
  const bool header = !settings.no_header;
  print_text(aligned ? table.aligned(header, stdout_has_colours(), terminal ? terminal_width() : 0)
                     : table.tabbed(header));
}

void print_json(const Json& document, const Settings& settings) {
  print_text(document.dump(settings.format() == Format::ndjson ? one_line : indented) + "\n");
}

void print_text(std::string_view text) {
  Gather out;
  out.refer(std::as_bytes(std::span(text)));
  out.write_all(STDOUT_FILENO, "stdout");
}

void remark(const Settings& settings, std::string_view text) {
  if (isatty(STDERR_FILENO) != 0) say(settings, text);
}

void say(const Settings& settings, std::string_view text) {
  if (!settings.quiet) say_on_stderr(text);
}

std::string plural(std::uint64_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

}  // namespace spillring::tools
