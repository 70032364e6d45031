#include "spillring/disk_alarm.hpp"

#include <algorithm>
#include <array>

namespace spillring {

namespace {

struct Words {
  std::string_view name;
  std::string_view reason;
  std::string_view remedy;
};

constexpr std::array<Words, 5> words{{
    {"none", "", ""},
    {"full", "its journal cannot grow: the disk of the state directory is full",
     "free space on that disk"},
    {"reserve", "its journal cannot grow: all that is left on the disk is the disk reserve",
     "free space on the disk of the state directory, or lower the supervisor's disk_reserve"},
    {"quota", "its journal cannot grow: the queue, or its owner, may have no more of the disk",
     "receive what waits, or raise the supervisor's max_journal or max_journal_per_queue"},
    {"error", "its journal cannot grow: the disk of the state directory fails",
     "see the supervisor's log, and look at that disk (dmesg)"},
}};

/// What another version knows and this one does not is an error all the same.
const Words& words_for(DiskAlarm alarm) noexcept {
  return words[std::min<std::size_t>(static_cast<std::size_t>(alarm), words.size() - 1)];
}

}  // namespace

std::string_view name(DiskAlarm alarm) noexcept { return words_for(alarm).name; }
std::string_view reason(DiskAlarm alarm) noexcept { return words_for(alarm).reason; }
std::string_view remedy(DiskAlarm alarm) noexcept { return words_for(alarm).remedy; }

}  // namespace spillring
