#include "queue_view.hpp"

#include <fmt/format.h>

#include "text/quantity.hpp"
#include "users.hpp"

namespace spillring::tools {
namespace {

Property count(std::string name, std::uint64_t value) {
  return {std::move(name), count_cell(value), value};
}

Property size(std::string name, std::uint64_t bytes) {
  return {std::move(name), size_cell(bytes), bytes};
}

Property duration(std::string name, Timeout value) {
  Json json = value == forever ? Json(nullptr) : Json(seconds(value));
  return {std::move(name), duration_cell(value), std::move(json)};
}

Property word(std::string name, const std::string& value) {
  return {std::move(name), text_cell(value), value};
}

std::string name_of(Full full) {
  if (full == Full::spill) return "spill";
  if (full == Full::drop_oldest) return "drop-oldest";
  return full == Full::block ? "block" : "reject";
}
std::string sync_of(const QueueOptions& options) {
  if (options.durability == Durability::memory) return "never";
  return text::human_sync(static_cast<std::uint64_t>(options.sync_interval.count()));
}

std::string retention_of(const QueueOptions& options) {
  return text::human_retention(static_cast<std::uint64_t>(options.retain_age.count()),
                               options.retain_bytes);
}

/// Its two largest parts: nobody reads more.
std::string human_age(Timeout age) {
  constexpr std::int64_t minute = 60;
  constexpr std::int64_t hour = 60 * minute;
  constexpr std::int64_t day = 24 * hour;
  const auto whole = std::chrono::duration_cast<std::chrono::seconds>(age).count();
  if (whole < minute) return fmt::format("{:.3g}s", seconds(age));
  if (whole < hour) return fmt::format("{}m {}s", whole / minute, whole % minute);
  if (whole < day) return fmt::format("{}h {}m", whole / hour, whole % hour / minute);
  return fmt::format("{}d {}h", whole / day, whole % day / hour);
}

std::string name_of(Keep keep) { return keep == Keep::unread ? "unread" : "attached"; }

}  // namespace

Cell state_cell(QueueState state) {
  switch (state) {
    case QueueState::ok:
      return text_cell("ok", Colour::good);
    case QueueState::deleted:
      return text_cell("deleted", Colour::dim);
    case QueueState::stopped:
      return text_cell("stopped", Colour::dim);
    case QueueState::poisoned:
      break;
  }
  return text_cell("poisoned", Colour::bad);
}

Cell alarm_cell(DiskAlarm alarm) {
  return alarm == DiskAlarm::none ? text_cell("none") : text_cell(name(alarm), Colour::bad);
}

Cell age_cell(const std::optional<Timeout>& age) {
  return age ? Cell{human_age(*age), fmt::format("{}", seconds(*age))} : text_cell("-");
}

Cell max_deliveries_cell(const QueueOptions& options) {
  return options.max_deliveries == 0 ? text_cell("-") : count_cell(options.max_deliveries);
}

Cell dead_letter_cell(const QueueOptions& options) {
  return text_cell(options.dead_letter.empty() ? "-" : options.dead_letter);
}

Cell doomed_cell(const QueueInfo& queue) {
  return queue.doomed == 0 ? count_cell(0)
                           : text_cell(fmt::format("{}", queue.doomed), Colour::bad);
}

std::string alarm_text(const QueueInfo& queue) {
  if (queue.alarm == DiskAlarm::none) return {};
  return fmt::format("queue '{}': {}; {}", queue.name, reason(queue.alarm), remedy(queue.alarm));
}

std::vector<Property> properties_of(const QueueInfo& queue) {
  const Cell state = state_cell(queue.state);
  const Cell alarm = alarm_cell(queue.alarm);
  const QueueOptions& options = queue.options;
  return {word("name", queue.name),
          {"state", state, state.exact},
          count("messages", queue.messages),
          size("bytes", queue.bytes),
          count("journaled", queue.journaled),
          size("journal_bytes", queue.journal_bytes),
          {"alarm", alarm, alarm.exact},
          {"oldest_age", age_cell(queue.oldest_age),
           queue.oldest_age ? Json(seconds(*queue.oldest_age)) : Json(nullptr)},
          count("spilled", queue.spilled),
          size("spilled_bytes", queue.spilled_bytes),
          size("disk_free", queue.disk_free),
          size("disk_left", queue.disk_left),
          count("earliest", queue.earliest),
          count("first", queue.first),
          count("next", queue.next),
          size("capacity", options.capacity),
          count("slots", options.slots),
          word("full", name_of(options.full)),
          word("durability", options.durability == Durability::disk ? "disk" : "memory"),
          word("sync", sync_of(options)),
          word("keep", name_of(options.keep)),
          word("retain", retention_of(options)),
          duration("stall_timeout", options.stall_timeout),
          duration("lease", options.lease),
          duration("ttl", options.ttl),
          duration("group_expiry", options.group_expiry),
          {"max_deliveries", max_deliveries_cell(options),
           options.max_deliveries == 0 ? Json(nullptr) : Json(options.max_deliveries)},
          {"dead_letter", dead_letter_cell(options),
           options.dead_letter.empty() ? Json(nullptr) : Json(options.dead_letter)},
          {"doomed", doomed_cell(queue), queue.doomed},
          count("dead_lettered", queue.dead_lettered),
          count("discarded", queue.discarded),
          count("dropped", queue.dropped),
          {"exclusive_producer", text_cell(options.exclusive_producer ? "true" : "false"),
           options.exclusive_producer},
          {"prealloc", text_cell(options.prealloc ? "true" : "false"), options.prealloc},
          word("owner", user_name(queue.owner)),
          word("owner_group", group_name(queue.owner_group)),
          word("mode", fmt::format("{:04o}", options.mode)),
          size("largest", queue.largest),
          count("ring_slots", queue.ring_slots),
          size("ring_bytes", queue.ring_bytes),
          count("rings", queue.rings),
          size("memory", queue.memory),
          count("producers", queue.producers),
          count("consumers", queue.consumers),
          count("groups", queue.groups)};
}

Json json_of(const std::vector<Property>& properties) {
  Json object;
  object["schema"] = "spillring.queue.v1";
  for (const Property& property : properties) object[property.name] = property.value;
  return object;
}

}  // namespace spillring::tools
