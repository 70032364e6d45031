// What is not as it should be in a journal, and how it is said.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "output.hpp"
#include "stored_journal.hpp"

namespace spillring::tools {

/// Something in a journal that is not as it should be.
struct Finding {
  enum class Kind : std::uint8_t {
    lost,     ///< numbers that cannot be read
    torn,     ///< the end of what was written last: what a supervisor that was killed leaves
    foreign,  ///< a file that is no segment
  };
  Kind kind = Kind::lost;
  std::string file;  ///< empty: there is none
  std::uint64_t first = 0;
  std::uint64_t end = 0;  ///< the same as first: how many numbers it is about is unknown
  std::string why;
};

/// What people and programs call it.
[[nodiscard]] std::string_view word_for(Finding::Kind kind);
[[nodiscard]] Finding finding_of(const std::string& file, const journal::Run& run);
/// "0000000000000001.segment: 17..33 lost: the batch 17..33 does not add up"
[[nodiscard]] std::string line_of(const Finding& finding);

[[nodiscard]] Table table_of_findings();
[[nodiscard]] std::vector<Cell> row_of(const StoredJournal& journal, const Finding& finding);
[[nodiscard]] Json json_of(const Finding& finding);

/// A file's name, without what is no text; "-" for none.
[[nodiscard]] Cell file_cell(const std::string& name);
/// A file's name, or {"b64": ...} where that is no text; null for none.
[[nodiscard]] Json json_of_file(const std::string& name);
/// The id and the name, as the objects of all journal verbs begin.
[[nodiscard]] Json json_of(const StoredJournal& journal, std::string_view schema);

}  // namespace spillring::tools
