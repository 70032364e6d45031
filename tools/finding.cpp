#include "finding.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base64.hpp"
#include "utf8.hpp"

namespace spillring::tools {
namespace {

Colour colour_for(Finding::Kind kind) {
  return kind == Finding::Kind::lost ? Colour::bad : Colour::none;
}

Json optional(bool there, std::uint64_t value) { return there ? Json(value) : Json(nullptr); }

Cell optional_cell(bool there, std::uint64_t value) {
  return there ? count_cell(value) : text_cell("-");
}

bool has_numbers(const Finding& finding) { return finding.kind != Finding::Kind::foreign; }

bool has_end(const Finding& finding) { return finding.end != finding.first; }

}  // namespace

std::string_view word_for(Finding::Kind kind) {
  switch (kind) {
    case Finding::Kind::lost:
      return "lost";
    case Finding::Kind::torn:
      return "torn end";
    case Finding::Kind::foreign:
      break;
  }
  return "not a segment";
}

Finding finding_of(const std::string& file, const journal::Run& run) {
  return {run.torn ? Finding::Kind::torn : Finding::Kind::lost, file, run.first, run.end, run.why};
}

std::string line_of(const Finding& finding) {
  const std::string where = finding.file.empty() ? std::string{} : finding.file + ": ";
  if (!has_numbers(finding)) return fmt::format("{}{}", where, finding.why);
  const std::string end = has_end(finding) ? std::to_string(finding.end) : std::string{};
  return fmt::format("{}{}..{} {}: {}", where, finding.first, end, word_for(finding.kind),
                     finding.why);
}

Table table_of_findings() {
  return Table({{"QUEUE"}, {"STATE"}, {"FILE"}, {"FIRST", true}, {"END", true}, {"WHY"}});
}

std::vector<Cell> row_of(const StoredJournal& journal, const Finding& finding) {
  const bool numbers = has_numbers(finding);
  return {text_cell(journal.label()),
          text_cell(word_for(finding.kind), colour_for(finding.kind)),
          file_cell(finding.file),
          optional_cell(numbers, finding.first),
          optional_cell(numbers && has_end(finding), finding.end),
          text_cell(finding.why)};
}

Json json_of(const Finding& finding) {
  const bool numbers = has_numbers(finding);
  return {{"state", word_for(finding.kind)},
          {"file", json_of_file(finding.file)},
          {"first", optional(numbers, finding.first)},
          {"end", optional(numbers && has_end(finding), finding.end)},
          {"why", finding.why}};
}

Cell file_cell(const std::string& name) {
  if (name.empty()) return text_cell("-");
  if (is_utf8(name)) return text_cell(name);
  std::string shown = name;
  std::replace_if(
      shown.begin(), shown.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; },
      '?');
  return text_cell(shown);
}

Json json_of_file(const std::string& name) {
  if (name.empty()) return nullptr;
  if (is_utf8(name)) return name;
  return Json{{"b64", to_base64(std::as_bytes(std::span(name)))}};
}

Json json_of(const StoredJournal& journal, std::string_view schema) {
  return {{"schema", schema},
          {"name", journal.name().empty() ? Json(nullptr) : Json(journal.name())},
          {"id", journal.folder()}};
}

}  // namespace spillring::tools
