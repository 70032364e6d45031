#include "journal_scan.hpp"

#include <algorithm>

namespace spillring::tools {

JournalScan::JournalScan(const StoredJournal& journal, std::uint64_t from)
    : journal_(journal), from_(from) {
  auto missing = journal.missing();
  if (!missing || missing->end <= from) return;
  missing->first = std::max(missing->first, from);
  findings_.push_back(finding_of({}, *missing));
}

bool JournalScan::open_next() {
  const auto& places = journal_.places();
  if (place_ == places.size()) return false;
  const journal::Place& place = places[place_++];
  file_ = journal::segment_name(place.first);
  walk_.emplace(journal_.walk(place, from_));
  return true;
}

std::optional<journal::Run> JournalScan::next() {
  while (walk_ || open_next()) {
    auto run = walk_->next();
    if (!run) {
      walk_.reset();
    } else if (run->block == nullptr) {
      findings_.push_back(finding_of(file_, *run));
    } else {
      return run;
    }
  }
  return std::nullopt;
}

std::optional<journal::Stored> JournalScan::message(const journal::Run& run, std::uint64_t seq) {
  if (!run.block->is_message(seq)) return std::nullopt;
  auto message = run.block->message(seq);
  if (!message) {
    findings_.push_back(
        {Finding::Kind::lost, file_, seq, seq + 1, "its entry in the batch makes no sense"});
  }
  return message;
}

bool JournalScan::damaged() const {
  return std::any_of(findings_.begin(), findings_.end(),
                     [](const Finding& finding) { return finding.kind == Finding::Kind::lost; });
}

std::uint64_t JournalScan::lost() const {
  std::uint64_t sum = 0;
  for (const Finding& finding : findings_) {
    if (finding.kind == Finding::Kind::lost) sum += finding.end - finding.first;
  }
  return sum;
}

}  // namespace spillring::tools
