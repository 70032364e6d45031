// spillring journal verify: is all there that was written?
#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "arguments.hpp"
#include "finding.hpp"
#include "journal_scan.hpp"
#include "state_directory.hpp"
#include "stored_journal.hpp"
#include "verb.hpp"

namespace spillring::tools {
namespace {

struct JournalVerifyArguments {
  std::vector<std::string> queues;
  std::string state;
};

/// What was found in one journal.
struct Checked {
  StoredJournal journal;
  std::uint64_t messages = 0;
  std::uint64_t lost = 0;
  bool damaged = false;
  std::vector<Finding> findings = {};
};

Checked check(StoredJournal journal) {
  Checked checked{std::move(journal)};
  JournalScan scan(checked.journal);
  while (const auto run = scan.next()) {
    for (std::uint64_t s = run->first; s < run->end; ++s) {
      if (scan.message(*run, s)) ++checked.messages;
    }
  }
  checked.lost = scan.lost();
  checked.damaged = scan.damaged();
  checked.findings = scan.findings();
  for (const std::string& name : checked.journal.others()) {
    checked.findings.push_back({Finding::Kind::foreign, name, 0, 0,
                                "its name is no segment's; the next start removes it"});
  }
  return checked;
}

std::vector<Checked> check_all(const StoredJournals& journals,
                               const std::vector<std::string>& queues) {
  std::vector<StoredJournal> chosen;
  chosen.reserve(queues.size());
  for (const std::string& queue : queues) chosen.push_back(journals.find(queue));
  if (queues.empty()) chosen = journals.all();
  std::vector<Checked> all;
  all.reserve(chosen.size());
  for (StoredJournal& journal : chosen) all.push_back(check(std::move(journal)));
  return all;
}

std::string summary_of(const Checked& checked) {
  const std::string counted = fmt::format("queue '{}': {} in {}", checked.journal.label(),
                                          plural(checked.messages, "message"),
                                          plural(checked.journal.places().size(), "segment"));
  if (!checked.damaged) return counted + ", nothing is damaged";
  return checked.lost == 0 ? counted + ", some are lost"
                           : fmt::format("{}, {} lost", counted, plural(checked.lost, "number"));
}

Json json_of(const Checked& checked) {
  Json object = json_of(checked.journal, "spillring.journal_check.v1");
  object["segments"] = checked.journal.places().size();
  object["messages"] = checked.messages;
  object["lost"] = checked.lost;
  object["damaged"] = checked.damaged;
  Json& list = object["findings"] = Json::array();
  for (const Finding& finding : checked.findings) list.push_back(json_of(finding));
  return object;
}

void print_findings(const std::vector<Checked>& all, const Settings& settings) {
  Table table = table_of_findings();
  bool any = false;
  for (const Checked& checked : all) {
    for (const Finding& finding : checked.findings) table.add(row_of(checked.journal, finding));
    any = any || !checked.findings.empty();
  }
  if (any) print_table(table, settings);
  for (const Checked& checked : all) say(settings, summary_of(checked));
}

void print(const std::vector<Checked>& all, const Settings& settings) {
  if (settings.format() == Format::ndjson) {
    for (const Checked& checked : all) print_json(json_of(checked), settings);
  } else if (settings.wants_json()) {
    Json list = Json::array();
    for (const Checked& checked : all) list.push_back(json_of(checked));
    print_json(Json{{"schema", "spillring.journal_checks.v1"}, {"journals", list}}, settings);
  } else {
    print_findings(all, settings);
  }
}

Exit run(const JournalVerifyArguments& arguments, const Settings& settings) {
  settings.refuse_formats("journal verify", {Format::raw});
  const StoredJournals journals(state_directory_of(arguments.state, settings), settings);
  const std::vector<Checked> all = check_all(journals, arguments.queues);
  print(all, settings);
  if (all.empty())
    remark(settings, fmt::format("no queue of '{}' has a journal", journals.state()));
  const bool damaged =
      std::any_of(all.begin(), all.end(), [](const Checked& each) { return each.damaged; });
  return damaged ? Exit::bad_data : Exit::ok;
}

}  // namespace

Verb add_journal_verify(CLI::App& root, Settings& settings) {
  CLI::App& app = add_verb(
      root, settings,
      {.name = "verify",
       .does = "Check every checksum of the journals, and say what is lost",
       .text =
           "Prints what is not as it should be: numbers that are lost, FIRST to the one before\n"
           "END; a torn end, which a supervisor that was killed leaves behind, and one that runs\n"
           "may show for a moment; files that are no segments. After a clean stop the catalogue\n"
           "knows which numbers there must be. Exit codes: 0 nothing is lost, 65 something is.\n"
           "\n"
           "Examples:\n"
           "  spillring journal verify\n"
           "  spillring journal verify orders --json | jq '.journals[].findings'"});
  const auto arguments = std::make_shared<JournalVerifyArguments>();
  add_values(app, "QUEUE", "", "names of queues, or their ids of 16 digits (all there are)",
             [arguments](const std::string&, const std::string& value) {
               check_queue_name(value);
               arguments->queues.push_back(value);
             });
  add_state_directory(app, arguments->state);
  add_json_flag(app, settings);
  return {&app, [arguments, &settings] { return run(*arguments, settings); }};
}

}  // namespace spillring::tools
