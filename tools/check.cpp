// spillring check: is everything well? For monitoring.
#include <fmt/format.h>

#include <memory>

#include "arguments.hpp"
#include "output.hpp"
#include "queue_view.hpp"
#include "verb.hpp"

namespace spillring::tools {
namespace {

/// As monitoring plugins exit: the worst of all findings counts.
enum class Level { ok = 0, warning = 1, critical = 2, unknown = 3 };

constexpr std::uint64_t no_limit = UINT64_MAX;

struct CheckArguments {
  std::string queue;
  std::uint64_t lag_warn = no_limit;
  std::uint64_t lag_crit = no_limit;
  std::uint64_t min_consumers = 0;
};

struct CheckFinding {
  Level level;
  std::string text;
};

std::string_view word_for(Level level) {
  switch (level) {
    case Level::ok:
      return "OK";
    case Level::warning:
      return "WARNING";
    case Level::critical:
      return "CRITICAL";
    case Level::unknown:
      break;
  }
  return "UNKNOWN";
}

void check_lag(const QueueInfo& queue, const GroupInfo& group, const CheckArguments& limits,
               std::vector<CheckFinding>& findings) {
  if (group.lag < limits.lag_warn && group.lag < limits.lag_crit) return;
  findings.push_back({group.lag >= limits.lag_crit ? Level::critical : Level::warning,
                      fmt::format("group '{}' of queue '{}' is {} behind", group.name, queue.name,
                                  plural(group.lag, "message"))});
}

void check_queue(const Client& client, const QueueInfo& queue, const CheckArguments& limits,
                 std::vector<CheckFinding>& findings) {
  if (queue.state != QueueState::ok) {
    findings.push_back({Level::critical, fmt::format("queue '{}' is damaged", queue.name)});
  }
  if (const std::string alarm = alarm_text(queue); !alarm.empty()) {
    findings.push_back({queue.alarm == DiskAlarm::error ? Level::critical : Level::warning, alarm});
  }
  if (queue.consumers < limits.min_consumers) {
    findings.push_back(
        {Level::critical, fmt::format("queue '{}' has {} of {}", queue.name, queue.consumers,
                                      plural(limits.min_consumers, "consumer"))});
  }
  if (limits.lag_warn == no_limit && limits.lag_crit == no_limit) return;
  for (const GroupInfo& group : client.open(queue.name).groups()) {
    check_lag(queue, group, limits, findings);
  }
}

std::vector<QueueInfo> queues_of(const Client& client, const std::string& name) {
  if (name.empty()) return client.list();
  return {open_queue(client, name).info()};
}

Exit report(Level level, const std::string& text) {
  print_text(fmt::format("SPILLRING {}: {}\n", word_for(level), text));
  return static_cast<Exit>(level);
}

Exit run(const CheckArguments& arguments, const Settings& settings) try {
  const Client client = settings.connect();
  const std::vector<QueueInfo> queues = queues_of(client, arguments.queue);
  std::vector<CheckFinding> findings;
  for (const QueueInfo& queue : queues) check_queue(client, queue, arguments, findings);
  if (findings.empty()) {
    return report(Level::ok,
                  fmt::format("{} at {}", plural(queues.size(), "queue"), client.socket()));
  }
  Level worst = Level::ok;
  std::string text;
  for (const CheckFinding& finding : findings) {
    worst = std::max(worst, finding.level);
    text += (text.empty() ? "" : "; ") + finding.text;
  }
  return report(worst, text);
} catch (const Error& error) {
  return report(Level::critical, error.summary());
} catch (const Failure& failure) {
  return report(Level::critical, failure.what());
}

}  // namespace

Verb add_check(CLI::App& root, Settings& settings) {
  CLI::App& app = add_verb(
      root, settings,
      {.name = "check",
       .does = "Say in one line whether all is well, for monitoring",
       .text = "Exit codes as those of monitoring plugins: 0 ok, 1 warning, 2 critical (also: no\n"
               "supervisor or no such queue). It starts no supervisor.\n\n"
               "Examples:\n"
               "  spillring check\n"
               "  spillring check orders --lag-warn 1000 --lag-crit 100000 --min-consumers 1"});
  const auto arguments = std::make_shared<CheckArguments>();
  add_text(app, "QUEUE", arguments->queue, "", "only this queue");
  add_count(app, "--lag-warn", arguments->lag_warn, "warn where a group is so far behind");
  add_count(app, "--lag-crit", arguments->lag_crit, "critical where a group is so far behind");
  add_count(app, "--min-consumers", arguments->min_consumers, "critical with fewer consumers");
  return {&app, [arguments, &settings] {
            Settings quiet = settings;
            quiet.autostart = false;
            return run(*arguments, quiet);
          }};
}

}  // namespace spillring::tools
