// Named groups that nobody uses any more: how long they have had no members, and their removal when
// that has been for `group_expiry`.
//
// What counts is time in which somebody could have joined: that of supervisors. M and the catalogue
// have how long it had been, so a supervisor that takes over goes on counting, and so does the next
// daemon. It is noted in both each sixteenth of the time, and in the catalogue at the end; so after
// a death a group may stay that much longer, and never goes early. Without the option, and while
// each group has members, no timer runs.
#include <fmt/format.h>

#include <algorithm>

#include "log.hpp"
#include "queue.hpp"

namespace spillring::daemon {

namespace {

constexpr std::uint64_t parts_noted = 16;
constexpr std::uint64_t least_between_notes = 1'000'000'000;

}  // namespace

/// After its members have changed. Any number of times.
void Queue::count_unused(std::uint16_t slot) noexcept {
  layout::GroupEntry& entry = manifest().groups[slot];
  Group& group = *group_table_[slot];
  if (group.members == 0) {
    if (entry.unused_since == 0) entry.unused_since = os::now();
  } else if (entry.unused_since != 0) {
    // It is used: what was noted counts no more. That first, so that who takes over in between does
    // it again; a group that was used is never taken for one that was not.
    entry.unused_since = os::now();
    entry.unused_before = 0;
    if (group.unused_remembered != 0) {
      remember_group(slot);  // where that fails, remember_groups() tries again
      sync_groups();
    }
    entry.unused_since = 0;
  }
}

std::uint64_t Queue::unused_for(std::uint16_t slot, os::Instant now) const noexcept {
  const layout::GroupEntry& entry = manifest().groups[slot];
  if (entry.unused_since == 0 || group_table_[slot]->members != 0) return 0;
  return entry.unused_before + static_cast<std::uint64_t>(now - entry.unused_since);
}

os::Instant Queue::expires_at(std::uint16_t slot) const noexcept {
  const layout::GroupEntry& entry = manifest().groups[slot];
  if (options_.group_expiry_ns == 0 || entry.unused_since == 0) return os::never;
  if (group_table_[slot]->name.empty()) return os::never;
  const std::uint64_t before = std::min(entry.unused_before, options_.group_expiry_ns);
  return os::after(entry.unused_since, options_.group_expiry_ns - before);
}

/// Messages that were delivered too often, or too late, belong to the dead-letter queue.
bool Queue::has_letters(const Group& group) const noexcept {
  if (group.kind != GroupKind::shared) return false;
  return group.shared.is_set_aside() ||
         std::any_of(group.aside.begin(), group.aside.end(), [](const auto& entry) {
           return layout::unpacked(entry.second.word).state != layout::Delivery::delayed;
         });
}

os::Instant Queue::consider_expiry(os::Instant now) noexcept {
  os::Instant next = os::never;
  for (std::uint16_t slot = 0; slot < layout::max_groups; ++slot) {
    if (!group_table_[slot]) continue;
    const os::Instant due = expires_at(slot);
    if (due == os::never) continue;
    if (due > now) {
      next = std::min({next, due, note_unused(slot, now)});
    } else if (!has_letters(*group_table_[slot])) {  // else whoever looks after those comes again
      log(fmt::format("group '{}' of queue '{}' is removed: it had no members for {} s",
                      group_table_[slot]->name, name_, unused_for(slot, now) / 1'000'000'000));
      forget_group(*group_table_[slot]);
      free_group(slot);
      next = now;  // what it kept back is to be let go of
    }
  }
  return next;
}

/// Returns when to do it again.
os::Instant Queue::note_unused(std::uint16_t slot, os::Instant now) noexcept {
  const std::uint64_t step = std::max(options_.group_expiry_ns / parts_noted, least_between_notes);
  layout::GroupEntry& entry = manifest().groups[slot];
  const auto since_note = static_cast<std::uint64_t>(now - entry.unused_since);
  if (since_note < step) return os::after(entry.unused_since, step);
  entry.unused_since = now;  // first: cut short here, the time is not counted, rather than twice
  entry.unused_before += since_note;
  remember_group(slot);
  return os::after(now, step);
}

}  // namespace spillring::daemon
