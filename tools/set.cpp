// spillring set: changes options of a queue while it is in use.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <memory>

#include "arguments.hpp"
#include "output.hpp"
#include "quantity.hpp"
#include "queue_view.hpp"
#include "text/misspelling.hpp"
#include "text/quantity.hpp"
#include "verb.hpp"

namespace spillring::tools {
namespace {

/// An option that can be changed, and what `info` calls it.
struct Tunable {
  std::string_view key;
  std::string_view property;
  void (*read)(const std::string& label, const std::string& value, QueueChanges& changes);
};

void read_sync(const std::string& label, const std::string& value, QueueChanges& changes) {
  const text::Quantity sync = text::sync_of(value);
  if (!sync.problem.empty()) {
    throw usage_failure(fmt::format("{} '{}' cannot be had", label, value), sync.problem,
                        "write each, never, or a duration: 100ms, 1s");
  }
  changes.sync_interval = Timeout(sync.value);
}

void read_retain(const std::string& label, const std::string& value, QueueChanges& changes) {
  const text::Retention retention = value == "none" ? text::Retention{} : text::retention_of(value);
  if (!retention.problem.empty()) {
    throw usage_failure(fmt::format("{} '{}' cannot be had", label, value), retention.problem,
                        "write an age, a size or both: 24h, 10GiB, 7d,10GiB; or none");
  }
  changes.retain_age = Timeout(retention.nanoseconds);
  changes.retain_bytes = retention.bytes;
}

void read_lease(const std::string& label, const std::string& value, QueueChanges& changes) {
  changes.lease = parse_duration(label, value);
}

void read_stall_timeout(const std::string& label, const std::string& value, QueueChanges& changes) {
  changes.stall_timeout = parse_duration(label, value);
}

void read_ttl(const std::string& label, const std::string& value, QueueChanges& changes) {
  changes.ttl = parse_duration(label, value);
}

void read_group_expiry(const std::string& label, const std::string& value, QueueChanges& changes) {
  changes.group_expiry = parse_duration(label, value);
}

constexpr std::array<Tunable, 6> tunables{{
    {"lease", "lease", read_lease},
    {"ttl", "ttl", read_ttl},
    {"group-expiry", "group_expiry", read_group_expiry},
    {"stall-timeout", "stall_timeout", read_stall_timeout},
    {"sync", "sync", read_sync},
    {"retain", "retain", read_retain},
}};

constexpr std::array<std::string_view, 11> settled{
    "capacity", "slots",       "full",           "keep",        "durability",        "prealloc",
    "mode",     "owner-group", "max-deliveries", "dead-letter", "exclusive-producer"};

struct SetArguments {
  std::string queue;
  QueueChanges changes;
  std::vector<const Tunable*> chosen;
};

[[noreturn]] void refuse(const std::string& key, const std::string& queue) {
  if (std::ranges::find(settled, key) != settled.end()) {
    throw usage_failure(fmt::format("the {} of a queue cannot be changed", key),
                        "it is settled when the queue is made",
                        fmt::format("make another one with it, and: spillring move {} OTHER",
                                    queue.empty() ? "QUEUE" : queue));
  }
  std::vector<std::string> keys;
  keys.reserve(tunables.size());
  for (const Tunable& tunable : tunables) keys.emplace_back(tunable.key);
  const auto near = text::nearest(key, keys);
  throw usage_failure(fmt::format("there is no option '{}'", key),
                      fmt::format("there are {}", fmt::join(keys, ", ")),
                      near ? fmt::format("did you mean '{}'?", *near) : "spillring set --help");
}

void read(const std::string& setting, SetArguments& arguments) {
  const std::size_t equals = setting.find('=');
  if (equals == std::string::npos || equals == 0) {
    throw usage_failure(fmt::format("'{}' sets nothing", setting), "it has no name and '='",
                        "write an option, '=' and a value: lease=30s");
  }
  const std::string key = setting.substr(0, equals);
  const auto* const tunable = std::ranges::find(tunables, key, &Tunable::key);
  if (tunable == tunables.end()) refuse(key, arguments.queue);
  tunable->read(key, setting.substr(equals + 1), arguments.changes);
  arguments.chosen.push_back(tunable);
}

Property property_of(const QueueInfo& info, const Tunable& tunable) {
  std::vector<Property> all = properties_of(info);
  return *std::ranges::find(all, tunable.property, &Property::name);
}

void print(const SetArguments& arguments, const QueueInfo& before, const QueueInfo& after,
           const Settings& settings) {
  Table table({{"OPTION"}, {"BEFORE"}, {"AFTER"}});
  Json changes = Json::object();
  std::string text;
  for (const Tunable* const tunable : arguments.chosen) {
    const Property was = property_of(before, *tunable);
    const Property is = property_of(after, *tunable);
    table.add({text_cell(tunable->key), was.cell, is.cell});
    changes[was.name] = {{"before", was.value}, {"after", is.value}};
    text += fmt::format("{}: {} -> {}\n", tunable->key, was.cell.human, is.cell.human);
  }
  if (settings.wants_json()) {
    return print_json({{"queue", arguments.queue}, {"changes", changes}}, settings);
  }
  if (settings.format() == Format::automatic) return print_text(text);
  print_table(table, settings);
}

Exit run(const SetArguments& arguments, const Settings& settings) {
  settings.refuse_formats("set", {Format::raw});
  if (arguments.chosen.empty()) {
    throw usage_failure("nothing to set", "no OPTION=VALUE is given",
                        fmt::format("spillring info {} shows the options", arguments.queue));
  }
  const Queue queue = open_queue(settings.connect(), arguments.queue);
  const QueueInfo before = queue.info();
  print(arguments, before, queue.set(arguments.changes), settings);
  return Exit::ok;
}

}  // namespace

Verb add_set(CLI::App& root, Settings& settings) {
  CLI::App& app = add_verb(
      root, settings,
      {.name = "set",
       .does = "Change options of a queue while it is in use",
       .text =
           "At once for everybody, and for good. Prints what each was before, and is now.\n"
           "\n"
           "  lease=DUR          a message held this long goes to another consumer; 0: none\n"
           "  ttl=DUR            what is sent from now on is delivered within this time; 0: no\n"
           "                     matter how long\n"
           "  group-expiry=DUR   a group that nobody has used for this long is removed; 0: none\n"
           "  stall-timeout=DUR  a sender that stops half-way holds others up this long\n"
           "  sync=each|never|DUR\n"
           "                     how often the disk is made to have what was sent (a queue with\n"
           "                     --durability disk)\n"
           "  retain=AGE|SIZE|AGE,SIZE|none\n"
           "                     how much history is kept; begun and ended only where the queue\n"
           "                     has --durability disk\n"
           "\n"
           "What else a queue has is settled when it is made. 'info' shows all of it.\n"
           "\n"
           "Examples:\n"
           "  spillring set orders lease=30s\n"
           "  spillring set payments sync=100ms retain=7d,10GiB"});
  const auto arguments = std::make_shared<SetArguments>();
  add_queue(app, arguments->queue, "name of the queue");
  add_values(
      app, "OPTION=VALUE", "", "what to change",
      [arguments](const std::string&, const std::string& value) { read(value, *arguments); });
  add_json_flag(app, settings);
  return {&app, [arguments, &settings] { return run(*arguments, settings); }};
}

}  // namespace spillring::tools
