#include "saved_row.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "layout/last_sequence.hpp"
#include "layout/limits.hpp"
#include "queue_options.hpp"
#include "spillring/client.hpp"
#include "spillring/error.hpp"

namespace spillring::daemon {

namespace {

[[noreturn]] void refuse(const std::string& field) {
  throw Error(Code::corrupt, "its row in the catalogue is damaged",
              field + "; correct the row with sqlite3, or delete it, and its journal goes too");
}

void require_field(bool possible, const std::string& field) {
  if (!possible) refuse(field);
}

/// They were checked and rounded when the queue was made.
void require_possible_options(const layout::Request& options) {
  layout::Request rounded{};
  try {
    rounded = checked(options, true);
  } catch (const Error& error) {
    refuse(fmt::format("{} ({})", error.summary(), error.why()));
  }
  require_field(options.full == rounded.full, fmt::format("full policy {} is none", options.full));
  require_field(options.slots == rounded.slots,
                fmt::format("{} slots are no power of two, or too few", options.slots));
  require_field(options.max_deliveries == rounded.max_deliveries,
                "max_deliveries 0 beside a dead_letter");
  require_field(options.capacity == rounded.capacity,
                fmt::format("a capacity of {} bytes is not whole pages", options.capacity));
}

void require_possible_numbers(const SavedQueue& saved) {
  require_field(saved.id != 0 && saved.id <= INT64_MAX, fmt::format("id {}", saved.id));
  require_field(saved.next <= layout::last_sequence,
                fmt::format("next {} is a number that no message has", saved.next));
  require_field(saved.base <= saved.next || saved.base == layout::no_sequence,
                fmt::format("base {} lies behind next {}", saved.base, saved.next));
  require_field(saved.skipped <= saved.next,
                fmt::format("skipped {} is more than next {}", saved.skipped, saved.next));
}

void require_possible_group(const SavedGroup& group, std::uint64_t slots) {
  require_field(valid_name(group.name), fmt::format("'{}' is not a group's name", group.name));
  require_field(group.kind <= GroupKind::stream,
                fmt::format("group '{}' is of no known kind", group.name));
  const std::uint64_t most =
      group.kind == GroupKind::shared ? std::min(slots, layout::max_window) : 0;
  require_field(
      group.standing.size() <= most,
      fmt::format("group '{}' has {} numbers in its window", group.name, group.standing.size()));
}

}  // namespace

void require_possible(const SavedQueue& saved) {
  require_field(saved.misfit.empty(), saved.misfit);
  require_field(valid_name(saved.name), fmt::format("'{}' is not a queue's name", saved.name));
  require_field((saved.access.mode & ~0666U) == 0, fmt::format("mode {:04o}", saved.access.mode));
  require_possible_options(saved.options);
  require_possible_numbers(saved);
  require_field(saved.groups.size() <= layout::max_groups,
                fmt::format("it has {} groups", saved.groups.size()));
  for (const SavedGroup& group : saved.groups) require_possible_group(group, saved.options.slots);
}

}  // namespace spillring::daemon
