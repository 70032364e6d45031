// Writes the messages of a journal out.
#pragma once

#include <cstdint>
#include <string>

#include "journal_scan.hpp"
#include "rendering.hpp"
#include "settings.hpp"

namespace spillring::tools {

struct JournalPour {
  std::uint64_t from = 0;
  std::uint64_t most = UINT64_MAX;
  int fd = -1;
  std::string target;  ///< what `fd` is, in words
};

/// How much was written.
struct Poured {
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
};

/// Writes the messages in their order, past what is damaged, which is said on stderr. Throws
/// `ReaderGone` or `Failure`; bad_data, when everything else is written: something was damaged.
Poured pour_journal(const StoredJournal& journal, const JournalPour& pour,
                    const Rendering& rendering, const Settings& settings);

}  // namespace spillring::tools
