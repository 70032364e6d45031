// Reads a journal from end to end, and keeps what is wrong with it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "finding.hpp"
#include "stored_journal.hpp"

namespace spillring::tools {

class JournalScan {
 public:
  /// The journal is borrowed. Numbers below `from` are passed over.
  explicit JournalScan(const StoredJournal& journal, std::uint64_t from = 0);

  /// The next numbers that can be read, and some of them may be no messages; nullopt: that was all.
  std::optional<journal::Run> next();
  /// The message of a number of the run; nullopt: it is none, or makes no sense.
  std::optional<journal::Stored> message(const journal::Run& run, std::uint64_t seq);

  /// What was found so far.
  [[nodiscard]] const std::vector<Finding>& findings() const noexcept { return findings_; }
  /// True where numbers are lost.
  [[nodiscard]] bool damaged() const;
  /// How many, as far as it is known.
  [[nodiscard]] std::uint64_t lost() const;

 private:
  bool open_next();

  const StoredJournal& journal_;
  std::uint64_t from_;
  std::size_t place_ = 0;  // the next one to be opened
  std::string file_;       // that is open
  std::optional<journal::SegmentWalk> walk_;
  std::vector<Finding> findings_;
};

}  // namespace spillring::tools
