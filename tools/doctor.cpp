// spillring doctor: are this machine and this set-up fit?
#include <fmt/format.h>

#include <algorithm>

#include "output.hpp"
#include "spillring/diagnosis.hpp"
#include "verb.hpp"

namespace spillring::tools {
namespace {

std::string_view word_for(Verdict verdict) {
  return verdict == Verdict::ok ? "ok" : verdict == Verdict::warning ? "warn" : "FAIL";
}

Colour colour_for(Verdict verdict) {
  return verdict == Verdict::ok       ? Colour::good
         : verdict == Verdict::broken ? Colour::bad
                                      : Colour::none;
}

Json json_of_finding(const spillring::Finding& finding) {
  const auto text = [](const std::string& value) {
    return value.empty() ? Json(nullptr) : Json(value);
  };
  return {{"schema", "spillring.finding.v1"},
          {"check", finding.check},
          {"verdict", finding.verdict == Verdict::broken ? "fail" : word_for(finding.verdict)},
          {"what", finding.what},
          {"why", text(finding.why)},
          {"hint", text(finding.hint)}};
}

Table table_of(const std::vector<spillring::Finding>& findings) {
  Table table({{"VERDICT"}, {"CHECK"}, {"WHAT"}, {"WHY"}, {"HINT"}});
  for (const spillring::Finding& finding : findings) {
    table.add({text_cell(word_for(finding.verdict)), text_cell(finding.check),
               text_cell(finding.what), text_cell(finding.why), text_cell(finding.hint)});
  }
  return table;
}

/// Lines for people: what is wrong has its reason and its cure below it.
std::string report_of(const std::vector<spillring::Finding>& findings) {
  const auto plain = [](const std::string& words) { return coloured(words, Colour::none); };
  std::string text;
  for (const spillring::Finding& finding : findings) {
    text += fmt::format(
        "{}{:<15}{}\n",
        coloured(fmt::format("{:<6}", word_for(finding.verdict)), colour_for(finding.verdict)),
        finding.check, plain(finding.what));
    if (!finding.why.empty()) text += fmt::format("{:21}why: {}\n", "", plain(finding.why));
    if (!finding.hint.empty()) text += fmt::format("{:21}do:  {}\n", "", plain(finding.hint));
  }
  return text;
}

std::string summary_of(const std::vector<spillring::Finding>& findings) {
  const auto count = [&](Verdict verdict) {
    return static_cast<std::uint64_t>(std::count_if(
        findings.begin(), findings.end(),
        [&](const spillring::Finding& finding) { return finding.verdict == verdict; }));
  };
  const std::uint64_t broken = count(Verdict::broken);
  const std::uint64_t warnings = count(Verdict::warning);
  if (broken + warnings == 0) return "nothing is wrong\n";
  return fmt::format("{}, {}\n", plural(broken, "failure"), plural(warnings, "warning"));
}

void print(const std::vector<spillring::Finding>& findings, const Settings& settings) {
  if (settings.format() == Format::ndjson) {
    for (const spillring::Finding& finding : findings)
      print_json(json_of_finding(finding), settings);
  } else if (settings.wants_json()) {
    Json list = Json::array();
    for (const spillring::Finding& finding : findings) list.push_back(json_of_finding(finding));
    print_json(Json{{"schema", "spillring.doctor.v1"}, {"findings", list}}, settings);
  } else if (settings.format() == Format::tsv) {
    print_table(table_of(findings), settings);
  } else {
    print_text(report_of(findings) + summary_of(findings));
  }
}

Exit run(const Settings& settings) {
  settings.refuse_formats("doctor", {Format::raw});
  const std::vector<spillring::Finding> findings =
      diagnose({.socket = settings.socket, .user = settings.user, .timeout = settings.timeout});
  print(findings, settings);
  const auto worst =
      std::max_element(findings.begin(), findings.end(),
                       [](const spillring::Finding& left, const spillring::Finding& right) {
                         return left.verdict < right.verdict;
                       });
  return static_cast<Exit>(worst->verdict);
}

}  // namespace

Verb add_doctor(CLI::App& root, Settings& settings) {
  CLI::App& app = add_verb(
      root, settings,
      {.name = "doctor",
       .does = "Report whether this machine and this set-up are fit",
       .text =
           "It starts no supervisor and changes nothing. Exit codes: 0 nothing is wrong, 1 there\n"
           "are warnings, 2 something is broken.\n\n"
           "Examples:\n"
           "  spillring doctor\n"
           "  spillring doctor --json | jq '.findings[] | select(.verdict != \"ok\")'"});
  add_json_flag(app, settings);
  return {&app, [&settings] { return run(settings); }};
}

}  // namespace spillring::tools
