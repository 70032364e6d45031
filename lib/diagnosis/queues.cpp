// The queues of the supervisor, as far as this user may see them.
#include <fmt/format.h>

#include "diagnosis/checks.hpp"

namespace spillring::diagnosis {

namespace {

constexpr std::uint64_t nearly = 90;  // percent of a limit

bool is_full(const QueueInfo& queue) {
  return queue.messages >= queue.options.slots * nearly / 100 ||
         queue.bytes >= queue.options.capacity / 100 * nearly;
}

/// What its groups were to have, and nobody can give back.
std::uint64_t lost_by_groups(const Client& client, const QueueInfo& queue) try {
  std::uint64_t lost = 0;
  for (const GroupInfo& group : client.open(queue.name).groups()) lost += group.lost;
  return lost;
} catch (const Error&) {  // it was removed meanwhile
  return 0;
}

Findings look_at(const Client& client, const QueueInfo& queue) {
  const std::string name = fmt::format("queue '{}'", queue.name);
  if (queue.state == QueueState::poisoned) {
    return {{Verdict::broken, name + " is poisoned", "a client damaged its memory",
             fmt::format("spillring rm {}", queue.name)}};
  }
  if (queue.alarm != DiskAlarm::none) {
    return {{queue.alarm == DiskAlarm::error ? Verdict::broken : Verdict::warning,
             fmt::format("{} writes nothing to its journal", name),
             std::string(reason(queue.alarm)), std::string(remedy(queue.alarm))}};
  }
  if (is_full(queue)) {
    return {{Verdict::warning,
             fmt::format("{} is full: {} messages, {} bytes", name, queue.messages, queue.bytes),
             fmt::format("less is received than sent: it has {} producers and {} consumers",
                         queue.producers, queue.consumers),
             fmt::format("spillring group ls {}", queue.name)}};
  }
  if (queue.producers != 0 && queue.consumers == 0 && queue.messages != 0) {
    return {{Verdict::warning, fmt::format("{} grows: {} messages", name, queue.messages),
             fmt::format("it has {} producers and no consumers", queue.producers),
             "start a consumer, or: spillring purge " + queue.name}};
  }
  if (const std::uint64_t lost = lost_by_groups(client, queue); lost != 0) {
    return {
        {Verdict::warning, fmt::format("{} has lost {} messages", name, lost),
         "files of its journal were damaged or removed, or one of its rings was damaged, before "
         "its groups had read them",
         "the supervisor's log says which; spillring journal verify " + queue.name}};
  }
  return {};
}

}  // namespace

Findings queues(const Patient& patient) {
  if (!patient.client) return {};
  Findings all;
  const std::vector<QueueInfo> queues = patient.client->list();
  for (const QueueInfo& queue : queues) {
    for (Finding& finding : look_at(*patient.client, queue)) all.push_back(std::move(finding));
  }
  const std::size_t well = queues.size() - all.size();
  if (well != 0 || queues.empty()) {
    all.push_back({Verdict::ok, fmt::format("{} of {} queues are well", well, queues.size())});
  }
  return all;
}

}  // namespace spillring::diagnosis
