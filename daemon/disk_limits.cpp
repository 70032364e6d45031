// How much of the disk a queue's journal may have: what the reserve, its own limit and its owner's
// quota leave it. They are looked at before a file is begun, as its whole space is set aside then;
// in a file that is there already, everybody goes on. Saving at a clean stop is not limited: it
// loses nothing, and the reserve is there for it.
//
// What is refused stays where it is, in memory, and producers wait as for any room.
#include <fmt/format.h>

#include <algorithm>

#include "log.hpp"
#include "queue.hpp"

namespace spillring::daemon {

namespace {

// After the disk has failed, is full, or was refused.
constexpr os::Instant pause_after_refusal = 1'000'000'000;

// A queue that lives at its limit says so, but not all the time.
constexpr os::Instant quiet_after_alarm = 60'000'000'000;

// Files go as a whole: a limit is worth several, so that room comes back before all is read.
constexpr std::uint64_t files_of_limit = 4;
constexpr std::uint64_t least_file = 65536;

}  // namespace

std::uint64_t Queue::most_of_disk() const noexcept {
  const std::uint64_t limit = state_->max_journal_per_queue();
  const std::uint64_t owners = accounts_.most(access_.owner, Accounts::Item::journal);
  return limit == 0 ? owners : std::min(limit, owners);
}

std::unique_ptr<Journal> Queue::new_journal() const {
  JournalPlace place = state_->place();
  for (const std::uint64_t limit : {options_.retain_bytes, most_of_disk()}) {
    if (limit == 0) continue;
    place.segment_size = std::min(place.segment_size, std::max(limit / files_of_limit, least_file));
  }
  return std::make_unique<Journal>(place, id_);
}

/// What it may have in all, while the others of its owner have what they have.
std::uint64_t Queue::share_of_disk() const noexcept {
  const std::uint64_t most = most_of_disk();
  const std::uint64_t owners = accounts_.most(access_.owner, Accounts::Item::journal);
  if (owners == UINT64_MAX) return most;
  const std::uint64_t all = accounts_.used(access_.owner, Accounts::Item::journal);
  const std::uint64_t others = all - std::min(all, journal_->bytes());
  return std::min(most, owners - std::min(owners, others));
}

/// A batch is never cut, so a file's end is left empty where the next one does not fit: a small
/// part of it.
std::uint64_t Queue::batch_goal() const noexcept {
  constexpr std::uint64_t batches_of_file = 8;
  return std::clamp(most_of_disk() / files_of_limit / batches_of_file, layout::extent_unit,
                    layout::batch_goal);
}

/// History gives way to what is still needed.
Journal::Retention Queue::retention() const noexcept {
  Journal::Retention retention{options_.retain_ns, options_.retain_bytes};
  if (!retention.any()) return retention;
  const std::uint64_t share = share_of_disk();
  if (share == UINT64_MAX) return retention;
  const std::uint64_t most = std::max<std::uint64_t>(share / 2, 1);  // 0 would be no limit
  retention.bytes = retention.bytes == 0 ? most : std::min(retention.bytes, most);
  return retention;
}

void Queue::charge_journal() {
  const std::uint64_t coming = coming_ == nullptr ? 0 : *coming_;
  journal_charge_ =
      accounts_.adopt(access_.owner, Accounts::Item::journal, journal_->bytes() + coming);
}

bool Queue::may_begin_file(std::uint64_t bytes) {
  if (bytes == 0) return true;
  charge_journal();  // a file may have ended meanwhile
  if (const std::string why = exceeds_quota(bytes); !why.empty()) {
    raise_alarm(DiskAlarm::quota, why);
    return false;
  }
  const std::uint64_t more = bytes - std::min(bytes, journal_->spare_bytes());
  if (const std::string why = touches_reserve(more); !why.empty()) {
    raise_alarm(DiskAlarm::reserve, why);
    return false;
  }
  coming_ = state_->reserve().claim(more);
  charge_journal();
  return true;
}

std::string Queue::exceeds_quota(std::uint64_t bytes) const {
  // What nobody needs goes as soon as there is a file behind it.
  const std::uint64_t journaled = manifest().journaled.load(std::memory_order_relaxed);
  const std::uint64_t kept = needed() < journaled ? journal_->bytes_from(needed()) : 0;
  if (kept + bytes <= share_of_disk()) return {};
  const std::uint64_t limit = state_->max_journal_per_queue();
  if (limit != 0 && kept + bytes > limit) {
    return fmt::format(
        "max_journal_per_queue is {} bytes, it has {} and wants {}; receive from it, or raise the "
        "limit and reload",
        limit, kept, bytes);
  }
  const uid_t owner = access_.owner;
  return fmt::format(
      "max_journal is {} bytes, the queues of user {} have {} and this one wants {}; receive from "
      "them, or raise the limit and reload",
      accounts_.most(owner, Accounts::Item::journal), owner,
      accounts_.used(owner, Accounts::Item::journal), bytes);
}

std::string Queue::touches_reserve(std::uint64_t bytes) const try {
  if (state_->reserve().permits(bytes)) return {};
  const DiskReserve::Space space = state_->reserve().look();
  return fmt::format(
      "{} bytes are free on the disk, the disk_reserve is {} and it wants {}; free space there, or "
      "lower the reserve and reload",
      space.free, space.reserved, bytes);
} catch (const Error&) {  // a disk that cannot be asked says more when the file is made
  return {};
}

DiskAlarm Queue::alarm() const noexcept {
  return static_cast<DiskAlarm>(manifest().disk_alarm.load(std::memory_order_relaxed));
}

void Queue::raise_alarm(DiskAlarm alarm, const std::string& why) noexcept {
  const os::Instant now = os::now();
  disk_rests_until_ = now + pause_after_refusal;
  journal_->remove_all_that_is_over();
  if (this->alarm() != alarm) {
    manifest().disk_alarm.store(static_cast<std::uint32_t>(alarm), std::memory_order_relaxed);
    alarm_said_ = false;
  }
  if (alarm_said_ || now < alarm_quiet_until_) return;
  alarm_said_ = true;
  alarm_quiet_until_ = now + quiet_after_alarm;
  log(fmt::format("queue '{}' writes nothing to its journal: {}; it is tried again every second",
                  name_, why));
}

void Queue::end_alarm() noexcept {
  disk_rests_until_ = 0;
  if (alarm() == DiskAlarm::none) return;
  manifest().disk_alarm.store(0, std::memory_order_relaxed);
  if (alarm_said_) log(fmt::format("queue '{}' does not wait for the disk any more", name_));
  alarm_said_ = false;
}

}  // namespace spillring::daemon
