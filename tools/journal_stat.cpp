// spillring journal stat: the files of one queue's journal.
#include <fmt/format.h>

#include <memory>
#include <optional>

#include "arguments.hpp"
#include "finding.hpp"
#include "moment.hpp"
#include "state_directory.hpp"
#include "stored_journal.hpp"
#include "verb.hpp"

namespace spillring::tools {
namespace {

struct JournalStatArguments {
  std::string queue;
  std::string state;
};

struct SegmentRow {
  std::string file;
  std::uint64_t first = 0;
  std::uint64_t end = 0;
  std::uint64_t messages = 0;
  std::uint64_t batches = 0;
  std::uint64_t bytes = 0;
  std::optional<std::uint64_t> created = {};
  std::optional<std::uint64_t> newest = {};
  std::string_view state = "ok";
};

/// A damaged part counts for more than a torn end.
void take(const journal::Run& run, SegmentRow& row) {
  if (run.block == nullptr) {
    if (row.state != "damaged") row.state = run.torn ? "torn end" : "damaged";
    return;
  }
  row.end = run.end;
  for (std::uint64_t s = run.first; s < run.end; ++s) {
    if (run.block->is_message(s)) ++row.messages;
  }
}

SegmentRow row_of(const StoredJournal& journal, const journal::Place& place) {
  SegmentRow row{journal::segment_name(place.first), place.first, place.first};
  row.bytes = journal.size_of(row.file);
  journal::SegmentWalk walk = journal.walk(place);
  while (const auto run = walk.next()) take(*run, row);
  row.batches = walk.batches();
  row.created = walk.created();
  if (row.batches != 0) row.newest = walk.newest();
  return row;
}

std::vector<SegmentRow> rows_of(const StoredJournal& journal) {
  std::vector<SegmentRow> rows;
  for (const journal::Place& place : journal.places()) rows.push_back(row_of(journal, place));
  for (const std::string& name : journal.others()) {
    SegmentRow row{name};
    row.bytes = journal.size_of(name);
    row.state = word_for(Finding::Kind::foreign);
    rows.push_back(std::move(row));
  }
  return rows;
}

bool is_segment(const SegmentRow& row) { return row.first != 0; }

Cell segment_state_cell(const SegmentRow& row) {
  return text_cell(row.state, row.state == "ok"        ? Colour::good
                              : row.state == "damaged" ? Colour::bad
                                                       : Colour::none);
}

Cell time_cell(const std::optional<std::uint64_t>& time) {
  return text_cell(time ? iso_time(*time) : "-");
}

Table table_of(const std::vector<SegmentRow>& rows) {
  Table table({{"FILE"},
               {"FIRST", true},
               {"END", true},
               {"MSGS", true},
               {"BATCHES", true},
               {"BYTES", true},
               {"CREATED"},
               {"NEWEST"},
               {"STATE"}});
  const auto number = [](const SegmentRow& row, std::uint64_t value) {
    return is_segment(row) ? count_cell(value) : text_cell("-");
  };
  for (const SegmentRow& row : rows) {
    table.add({file_cell(row.file), number(row, row.first), number(row, row.end),
               number(row, row.messages), number(row, row.batches), size_cell(row.bytes),
               time_cell(row.created), time_cell(row.newest), segment_state_cell(row)});
  }
  return table;
}

Json json_of(const SegmentRow& row) {
  const auto number = [&row](std::uint64_t value) {
    return is_segment(row) ? Json(value) : Json(nullptr);
  };
  const auto time = [](const std::optional<std::uint64_t>& value) {
    return value ? Json(iso_time(*value)) : Json(nullptr);
  };
  return {{"schema", "spillring.segment.v1"},
          {"file", json_of_file(row.file)},
          {"first", number(row.first)},
          {"end", number(row.end)},
          {"messages", number(row.messages)},
          {"batches", number(row.batches)},
          {"bytes", row.bytes},
          {"created", time(row.created)},
          {"newest", time(row.newest)},
          {"state", row.state}};
}

Exit run(const JournalStatArguments& arguments, const Settings& settings) {
  settings.refuse_formats("journal stat", {Format::raw});
  const StoredJournals journals(state_directory_of(arguments.state, settings), settings);
  const StoredJournal journal = journals.find(arguments.queue);
  const std::vector<SegmentRow> rows = rows_of(journal);
  if (settings.format() == Format::ndjson) {
    for (const SegmentRow& row : rows) print_json(json_of(row), settings);
  } else if (settings.wants_json()) {
    Json document = json_of(journal, "spillring.segments.v1");
    Json& list = document["segments"] = Json::array();
    for (const SegmentRow& row : rows) list.push_back(json_of(row));
    print_json(document, settings);
  } else {
    print_table(table_of(rows), settings);
  }
  if (rows.empty()) remark(settings, fmt::format("queue '{}' has no journal", journal.label()));
  return rows.empty() ? Exit::nothing : Exit::ok;
}

}  // namespace

Verb add_journal_stat(CLI::App& root, Settings& settings) {
  CLI::App& app = add_verb(
      root, settings,
      {.name = "stat",
       .does = "Show the files of a queue's journal and what state they are in",
       .text =
           "Reads all of it. STATE: ok; torn end: a supervisor was killed while it wrote there, "
           "or\n"
           "is writing; damaged; not a segment. Exit code 1: there is no file.\n\n"
           "Examples:\n"
           "  spillring journal stat orders\n"
           "  spillring journal stat orders --json | jq '.segments[] | select(.state != \"ok\")'"});
  const auto arguments = std::make_shared<JournalStatArguments>();
  add_queue(app, arguments->queue, "name of the queue, or its id of 16 digits");
  add_state_directory(app, arguments->state);
  add_json_flag(app, settings);
  return {&app, [arguments, &settings] { return run(*arguments, settings); }};
}

}  // namespace spillring::tools
