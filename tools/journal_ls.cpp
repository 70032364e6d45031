// spillring journal ls: which queues have messages on the disk.
#include <fmt/format.h>

#include <memory>

#include "finding.hpp"
#include "journal/segment_walk.hpp"
#include "state_directory.hpp"
#include "stored_journal.hpp"
#include "verb.hpp"

namespace spillring::tools {
namespace {

struct JournalLsArguments {
  std::string state;
};

struct JournalRow {
  StoredJournal journal;
  std::uint64_t end = 0;
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
};

/// By the headers of its batches: a journal may be as large as the disk.
JournalRow outline(StoredJournal journal) {
  JournalRow row{std::move(journal)};
  journal::Disk disk;
  for (const journal::Place& place : row.journal.places()) {
    const std::string file = journal::segment_name(place.first);
    const auto outline =
        journal::outline_of(disk, row.journal.path_of(file), row.journal.id(), place);
    row.end = outline.end;
    row.messages += outline.messages;
    row.bytes += row.journal.size_of(file);
  }
  return row;
}

std::uint64_t first_of(const JournalRow& row) {
  return row.journal.places().empty() ? 0 : row.journal.places().front().first;
}

Table table_of(const std::vector<JournalRow>& rows) {
  Table table({{"QUEUE"},
               {"ID"},
               {"SEGMENTS", true},
               {"FIRST", true},
               {"END", true},
               {"MSGS", true},
               {"BYTES", true}});
  for (const JournalRow& row : rows) {
    table.add({text_cell(row.journal.name().empty() ? "-" : row.journal.name()),
               text_cell(row.journal.folder()), count_cell(row.journal.places().size()),
               count_cell(first_of(row)), count_cell(row.end), count_cell(row.messages),
               size_cell(row.bytes)});
  }
  return table;
}

Json json_of(const JournalRow& row) {
  Json object = json_of(row.journal, "spillring.journal.v1");
  object["segments"] = row.journal.places().size();
  object["first"] = first_of(row);
  object["end"] = row.end;
  object["messages"] = row.messages;
  object["bytes"] = row.bytes;
  return object;
}

void print(const std::vector<JournalRow>& rows, const Settings& settings) {
  if (settings.format() == Format::ndjson) {
    for (const JournalRow& row : rows) print_json(json_of(row), settings);
  } else if (settings.wants_json()) {
    Json list = Json::array();
    for (const JournalRow& row : rows) list.push_back(json_of(row));
    print_json(Json{{"schema", "spillring.journals.v1"}, {"journals", list}}, settings);
  } else {
    print_table(table_of(rows), settings);
  }
}

Exit run(const JournalLsArguments& arguments, const Settings& settings) {
  settings.refuse_formats("journal ls", {Format::raw});
  const StoredJournals journals(state_directory_of(arguments.state, settings), settings);
  std::vector<JournalRow> rows;
  for (StoredJournal& journal : journals.all()) rows.push_back(outline(std::move(journal)));
  print(rows, settings);
  if (rows.empty())
    remark(settings, fmt::format("no queue of '{}' has a journal", journals.state()));
  return Exit::ok;
}

}  // namespace

Verb add_journal_ls(CLI::App& root, Settings& settings) {
  CLI::App& app = add_verb(
      root, settings,
      {.name = "ls",
       .does = "List the queues that have a journal",
       .text = "FIRST is the first number that there is a file for, END the one behind the last\n"
               "that can be found. Nothing is checked but headers: 'journal verify' does that.\n"
               "A queue without a name is not in the catalogue.\n\n"
               "Examples:\n"
               "  spillring journal ls\n"
               "  spillring journal ls --state-dir /var/lib/spillring --json"});
  const auto arguments = std::make_shared<JournalLsArguments>();
  add_state_directory(app, arguments->state);
  add_json_flag(app, settings);
  return {&app, [arguments, &settings] { return run(*arguments, settings); }};
}

}  // namespace spillring::tools
