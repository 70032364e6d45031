// spillring journal repair: takes out of a journal what no reader can use.
//
// Readers pass over what is damaged by themselves. What is left to do is about whole files: the
// next start of the supervisor removes those that are no segments, fails over what it cannot
// remove, and removes a last segment that it cannot read; and a segment whose header is damaged
// hides what the one before it may have of the same numbers. Such files are moved to a directory
// beside the journal's, where nobody looks, and nothing is removed, cut or written to.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>

#include "arguments.hpp"
#include "finding.hpp"
#include "journal/segment_reader.hpp"
#include "journal/state_lock.hpp"
#include "journal_scan.hpp"
#include "state_directory.hpp"
#include "stored_journal.hpp"
#include "verb.hpp"

namespace spillring::tools {
namespace {

struct JournalRepairArguments {
  std::string queue;
  std::string state;
  bool dry_run = false;
};

/// A file that is to go.
struct Move {
  std::string file;
  std::uint64_t first = 0;  // of a segment
  std::string to;
  std::string why;
};

/// Why a segment cannot be used at all; nullopt: it can, or it is the disk's fault.
std::optional<std::string> fault_of(const StoredJournal& journal, const std::string& file) try {
  std::error_code error;
  const auto status = std::filesystem::symlink_status(journal.path_of(file), error);
  if (error || !std::filesystem::is_regular_file(status)) return "it is no file";
  const journal::SegmentReader reader(journal::Disk().open(journal.path_of(file)), journal.id());
  return std::nullopt;
} catch (const Error& error) {
  if (error.code() != Code::corrupt) return std::nullopt;
  return error.why();
}

std::vector<Move> moves_for(const StoredJournal& journal) {
  std::vector<Move> moves;
  for (const std::string& file : journal.segment_files()) {
    if (auto fault = fault_of(journal, file)) {
      moves.push_back({file, journal::first_of(file), {}, *std::move(fault)});
    }
  }
  for (const std::string& file : journal.others()) {
    moves.push_back({file, 0, {}, "its name is no segment's"});
  }
  return moves;
}

std::string folder_for(const StoredJournal& journal) { return journal.directory() + ".damaged"; }

/// The file's name where it goes; one that is taken gets a number.
std::string free_name(const std::string& file, const std::vector<std::string>& taken) {
  const auto is_taken = [&](const std::string& name) {
    return std::find(taken.begin(), taken.end(), name) != taken.end();
  };
  std::string name = file;
  for (unsigned i = 1; is_taken(name); ++i) name = fmt::format("{}.{}", file, i);
  return name;
}

void choose_targets(const StoredJournal& journal, std::vector<Move>& moves) {
  const std::string folder = folder_for(journal);
  std::vector<std::string> taken = journal::Disk().list(folder);
  for (Move& move : moves) {
    taken.push_back(free_name(move.file, taken));
    move.to = folder + "/" + taken.back();
  }
}

void carry_out(const StoredJournal& journal, const std::vector<Move>& moves) {
  journal::Disk disk;
  if (moves.empty()) return;
  disk.make_directory(folder_for(journal));
  for (const Move& move : moves) disk.rename(journal.path_of(move.file), move.to);
  disk.sync_directory(folder_for(journal));
  disk.sync_directory(std::filesystem::path(folder_for(journal)).parent_path());
  disk.sync_directory(journal.directory());
}

/// What there is to complain of when the files have gone.
std::vector<Finding> findings_without(const StoredJournal& journal,
                                      const std::vector<Move>& moves) {
  std::vector<std::string> files;
  files.reserve(moves.size());
  for (const Move& move : moves) files.push_back(move.file);
  const StoredJournal rest = journal.without(files);
  JournalScan scan(rest);
  while (const auto run = scan.next()) {
    for (std::uint64_t s = run->first; s < run->end; ++s) (void)scan.message(*run, s);
  }
  return scan.findings();
}

Table table_of(const StoredJournal& journal, const std::vector<Move>& moves,
               const std::vector<Finding>& findings, bool dry_run) {
  Table table = table_of_findings();
  for (const Move& move : moves) {
    table.add({text_cell(journal.label()), text_cell(dry_run ? "to be moved" : "moved"),
               file_cell(move.file), move.first == 0 ? text_cell("-") : count_cell(move.first),
               text_cell("-"), text_cell(move.why)});
  }
  for (const Finding& finding : findings) table.add(row_of(journal, finding));
  return table;
}

Json json_of(const StoredJournal& journal, const std::vector<Move>& moves,
             const std::vector<Finding>& findings, bool dry_run) {
  Json object = json_of(journal, "spillring.journal_repair.v1");
  object["dry_run"] = dry_run;
  Json& moved = object["moved"] = Json::array();
  for (const Move& move : moves) {
    moved.push_back(Json{{"file", json_of_file(move.file)},
                         {"first", move.first == 0 ? Json(nullptr) : Json(move.first)},
                         {"to", json_of_file(move.to)},
                         {"why", move.why}});
  }
  Json& list = object["findings"] = Json::array();
  for (const Finding& finding : findings) list.push_back(json_of(finding));
  return object;
}

void print(const StoredJournal& journal, const std::vector<Move>& moves,
           const std::vector<Finding>& findings, bool dry_run, const Settings& settings) {
  if (settings.wants_json()) {
    print_json(json_of(journal, moves, findings, dry_run), settings);
    return;
  }
  if (!moves.empty() || !findings.empty()) {
    print_table(table_of(journal, moves, findings, dry_run), settings);
  }
  const std::string files = plural(moves.size(), "file");
  if (moves.empty()) {
    say(settings, fmt::format("queue '{}': there is nothing to move", journal.label()));
  } else {
    say(settings, fmt::format("queue '{}': {} {} {}", journal.label(), files,
                              dry_run ? "would be moved to" : "moved to", folder_for(journal)));
  }
}

/// While no supervisor runs: with the lock in hand, unless nothing is to be changed.
Exit repair(const JournalRepairArguments& arguments, const std::string& state,
            const Settings& settings) {
  const StoredJournal journal = StoredJournals(state, settings, false).find(arguments.queue);
  std::vector<Move> moves = moves_for(journal);
  choose_targets(journal, moves);
  const std::vector<Finding> findings = findings_without(journal, moves);
  if (!arguments.dry_run) carry_out(journal, moves);
  print(journal, moves, findings, arguments.dry_run, settings);
  return Exit::ok;
}

Exit run(const JournalRepairArguments& arguments, const Settings& settings) try {
  settings.refuse_formats("journal repair", {Format::raw});
  const std::string state = state_directory_of(arguments.state, settings);
  if (arguments.dry_run) {
    journal::require_unlocked(state);
    return repair(arguments, state, settings);
  }
  const auto lock = journal::lock_state(state);
  return repair(arguments, state, settings);
} catch (const Error& error) {
  if (error.code() != Code::exists) throw;
  throw Failure(Exit::try_again, error.summary(), error.why(),
                "stop that supervisor first; all other journal verbs work beside it");
}

}  // namespace

Verb add_journal_repair(CLI::App& root, Settings& settings) {
  CLI::App& app = add_verb(
      root, settings,
      {.name = "repair",
       .does = "Move aside what is no part of a queue's journal, or can be read by nobody",
       .text =
           "Files that are no segments, and segments whose header is damaged, go to a directory\n"
           "beside the journal's, ID.damaged. Nothing is removed or cut. What is damaged within a\n"
           "segment stays: readers pass over it. Says what was moved and what is lost. Only while\n"
           "no supervisor runs on the state directory. Exit code 75: one does.\n"
           "\n"
           "Examples:\n"
           "  spillring journal repair orders --dry-run\n"
           "  spillring journal repair orders"});
  const auto arguments = std::make_shared<JournalRepairArguments>();
  add_queue(app, arguments->queue, "name of the queue, or its id of 16 digits");
  app.add_flag("--dry-run", arguments->dry_run, "change nothing, say what would be done");
  add_state_directory(app, arguments->state);
  add_json_flag(app, settings);
  return {&app, [arguments, &settings] { return run(*arguments, settings); }};
}

}  // namespace spillring::tools
