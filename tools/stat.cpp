// spillring stat: what happens in queues, one line for each interval.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <memory>
#include <optional>
#include <thread>

#include "arguments.hpp"
#include "moment.hpp"
#include "output.hpp"
#include "quantity.hpp"
#include "queue_view.hpp"
#include "verb.hpp"

namespace spillring::tools {
namespace {

using Clock = std::chrono::steady_clock;

struct StatArguments {
  std::vector<std::string> queues;
  Timeout interval = std::chrono::seconds(1);
  std::uint64_t count = UINT64_MAX;
};

/// A queue as it was at one moment.
struct Sample {
  QueueInfo queue;
  std::vector<GroupInfo> groups;
  Clock::time_point at;
};

/// What became of it since the one before.
struct Change {
  double seconds = 0;
  double in = 0;  // each by second
  double out = 0;
  double spilled = 0;
  double spilled_bytes = 0;
  double read_back = 0;
  double read_back_bytes = 0;
  double expired = 0;
  double dropped = 0;
  double dead_lettered = 0;
  double discarded = 0;
  std::optional<std::uint64_t> lag;  // of the slowest group; there may be none
};

std::uint64_t risen(std::uint64_t before, std::uint64_t now) {
  return now > before ? now - before : 0;
}

/// Groups by their names. Several have none: those can be told apart by their order only, for as
/// long as none comes or goes.
std::map<std::string, std::vector<std::uint64_t>> floors_of(const Sample& sample) {
  std::map<std::string, std::vector<std::uint64_t>> floors;
  for (const GroupInfo& group : sample.groups) floors[group.name].push_back(group.floor);
  return floors;
}

/// Messages that groups have finished with, each group for itself; one that has just come counts
/// from the next interval on.
std::uint64_t finished_between(const Sample& before, const Sample& now) {
  const auto old = floors_of(before);
  std::uint64_t sum = 0;
  for (const auto& [name, floors] : floors_of(now)) {
    const auto found = old.find(name);
    if (found == old.end() || found->second.size() != floors.size()) continue;
    for (std::size_t i = 0; i < floors.size(); ++i) sum += risen(found->second[i], floors[i]);
  }
  return sum;
}

/// Of all groups. One that has gone takes its count along.
std::uint64_t sum_of(const Sample& sample, std::uint64_t GroupInfo::*count) {
  std::uint64_t sum = 0;
  for (const GroupInfo& group : sample.groups) sum += group.*count;
  return sum;
}

Change change_between(const Sample& before, const Sample& now) {
  Change change;
  change.seconds = std::chrono::duration<double>(now.at - before.at).count();
  const auto rate = [&change](std::uint64_t count) {
    return static_cast<double>(count) / change.seconds;
  };
  change.in = rate(risen(before.queue.next, now.queue.next));
  change.out = rate(finished_between(before, now));
  change.spilled = rate(risen(before.queue.spilled, now.queue.spilled));
  change.spilled_bytes = rate(risen(before.queue.spilled_bytes, now.queue.spilled_bytes));
  change.dead_lettered = rate(risen(before.queue.dead_lettered, now.queue.dead_lettered));
  change.discarded = rate(risen(before.queue.discarded, now.queue.discarded));
  const auto group_rate = [&](std::uint64_t GroupInfo::*count) {
    return rate(risen(sum_of(before, count), sum_of(now, count)));
  };
  change.read_back = group_rate(&GroupInfo::read_back);
  change.read_back_bytes = group_rate(&GroupInfo::read_back_bytes);
  change.expired = group_rate(&GroupInfo::expired);
  change.dropped = group_rate(&GroupInfo::dropped);
  for (const GroupInfo& group : now.groups) {
    change.lag = std::max(change.lag.value_or(0), group.lag);
  }
  return change;
}

Sample sample_of(const Queue& queue) {
  const Clock::time_point now = Clock::now();
  return {queue.info(), queue.groups(), now};
}

/// Of all there are. One that goes away between two calls is none.
std::vector<Sample> samples_of(const Client& client) {
  std::vector<Sample> samples;
  for (const QueueInfo& queue : client.list()) {
    try {
      samples.push_back(sample_of(client.open(queue.name)));
    } catch (const Error& error) {
      if (error.code() != Code::not_found && error.code() != Code::deleted) throw;
    }
  }
  return samples;
}

/// Of one that has to be there. Where it is removed while it is asked, it is looked for once more:
/// so the error says which one there is not.
Sample sample_of(const Client& client, const std::string& name) {
  while (true) {
    try {
      return sample_of(open_queue(client, name));
    } catch (const Error& error) {
      if (error.code() != Code::deleted) throw;
    }
  }
}

/// Of those that were named.
std::vector<Sample> samples_of(const Client& client, const std::vector<std::string>& names) {
  if (names.empty()) return samples_of(client);
  std::vector<Sample> samples;
  samples.reserve(names.size());
  for (const std::string& name : names) samples.push_back(sample_of(client, name));
  return samples;
}

Cell rate_cell(double rate) { return text_cell(fmt::format("{:.0f}", rate)); }

Cell size_rate_cell(double rate) { return size_cell(static_cast<std::uint64_t>(rate)); }

Table table_of() {
  constexpr std::size_t name = 16;
  constexpr std::size_t number = 10;
  return Table({{"QUEUE", false, name},
                {"MSGS", true, number},
                {"IN/S", true, number},
                {"OUT/S", true, number},
                {"LAG", true, number},
                {"JOURNALED", true, number},
                {"JOURNAL", true, number},
                {"SPILLED/S", true, number},
                {"SPILL-B/S", true, number},
                {"READ/S", true, number},
                {"READ-B/S", true, number},
                {"EXPIRED/S", true, number},
                {"DROPPED/S", true, number},
                {"DEAD/S", true, number},
                {"DISCARD/S", true, number},
                {"DOOMED", true, number},
                {"OLDEST", true, number},
                {"ALARM", true, 7}});
}

std::vector<Cell> row_of(const QueueInfo& queue, const Change& change) {
  return {text_cell(queue.name),
          count_cell(queue.messages),
          rate_cell(change.in),
          rate_cell(change.out),
          change.lag ? count_cell(*change.lag) : text_cell("-"),
          count_cell(queue.journaled),
          size_cell(queue.journal_bytes),
          rate_cell(change.spilled),
          size_rate_cell(change.spilled_bytes),
          rate_cell(change.read_back),
          size_rate_cell(change.read_back_bytes),
          rate_cell(change.expired),
          rate_cell(change.dropped),
          rate_cell(change.dead_lettered),
          rate_cell(change.discarded),
          doomed_cell(queue),
          age_cell(queue.oldest_age),
          alarm_cell(queue.alarm)};
}

Json json_of(const QueueInfo& queue, const Change& change, const std::string& time) {
  const auto rounded = [](double value) { return std::round(value * 10) / 10; };
  return {{"schema", "spillring.stat.v1"},
          {"time", time},
          {"queue", queue.name},
          {"seconds", std::round(change.seconds * 1e6) / 1e6},
          {"messages", queue.messages},
          {"in_per_second", rounded(change.in)},
          {"out_per_second", rounded(change.out)},
          {"lag", change.lag ? Json(*change.lag) : Json(nullptr)},
          {"journaled", queue.journaled},
          {"journal_bytes", queue.journal_bytes},
          {"spilled_per_second", rounded(change.spilled)},
          {"spilled_bytes_per_second", rounded(change.spilled_bytes)},
          {"read_back_per_second", rounded(change.read_back)},
          {"read_back_bytes_per_second", rounded(change.read_back_bytes)},
          {"expired_per_second", rounded(change.expired)},
          {"dropped_per_second", rounded(change.dropped)},
          {"dead_lettered_per_second", rounded(change.dead_lettered)},
          {"discarded_per_second", rounded(change.discarded)},
          {"doomed", queue.doomed},
          {"oldest_age", queue.oldest_age ? Json(seconds(*queue.oldest_age)) : Json(nullptr)},
          {"disk_left", queue.disk_left},
          {"alarm", name(queue.alarm)}};
}

std::string time_now() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return iso_time(static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(now).count()));
}

/// Prints a line for each queue that was there before.
class Lines {
 public:
  explicit Lines(const Settings& settings) : settings_(settings) {
    if (!settings_.wants_json()) return;
    settings_.output = Format::ndjson;  // each line is a document
    settings_.json = false;
  }

  void print(const std::vector<Sample>& before, const std::vector<Sample>& now) {
    Table table = table_of();
    const std::string time = time_now();
    for (const Sample& sample : now) {
      const auto old = std::find_if(before.begin(), before.end(), [&](const Sample& each) {
        return each.queue.name == sample.queue.name;
      });
      if (old == before.end()) continue;
      const Change change = change_between(*old, sample);
      if (settings_.wants_json()) {
        print_json(json_of(sample.queue, change, time), settings_);
      } else {
        table.add(row_of(sample.queue, change));
      }
    }
    if (settings_.wants_json()) return;
    print_table(table, settings_);
    settings_.no_header = true;  // once
  }

 private:
  Settings settings_;
};

Exit run(const StatArguments& arguments, const Settings& settings) {
  settings.refuse_formats("stat", {Format::raw});
  const Client client = settings.connect();
  Lines lines(settings);
  std::vector<Sample> before = samples_of(client, arguments.queues);
  auto next = Clock::now();
  for (std::uint64_t i = 0; i < arguments.count; ++i) {
    // From the time that was due, not from now: what the asking takes is no drift.
    next = std::max(next + arguments.interval, Clock::now());
    std::this_thread::sleep_until(next);
    std::vector<Sample> now = samples_of(client, arguments.queues);
    lines.print(before, now);
    before = std::move(now);
  }
  return Exit::ok;
}

/// Shorter ones would show the asking, longer ones nothing.
void add_interval(CLI::App& app, Timeout& target) {
  add_value(app, "-i,--interval", "DUR", "time between two lines (1s)",
            [&target](const std::string& label, const std::string& value) {
              target = parse_duration(label, value);
              if (target >= std::chrono::milliseconds(10) && target <= std::chrono::hours(24)) {
                return;
              }
              throw usage_failure(fmt::format("{} '{}' is no interval", label, value),
                                  "it is between 10ms and 24h", "write for example 500ms or 1m");
            });
}

}  // namespace

Verb add_stat(CLI::App& root, Settings& settings) {
  CLI::App& app = add_verb(
      root, settings,
      {.name = "stat",
       .does = "Show what happens in queues, a line for each interval",
       .text =
           "MSGS: waiting or in flight. OUT/S: finished with, each group counted for itself. LAG:\n"
           "of the slowest group. JOURNALED: how many of MSGS are on the disk; JOURNAL: the disk\n"
           "space that takes; SPILLED/S and SPILL-B/S: how much is written to it, READ/S and\n"
           "READ-B/S: how much groups are given from it, in messages and their bytes. EXPIRED/S:\n"
           "messages whose time was over before a group got them; DROPPED/S: those that groups\n"
           "have missed, with full policy drop-oldest. DEAD/S: dead letters; DISCARD/S:\n"
           "delivered too often, and finished for want of a queue for dead letters; DOOMED: those\n"
           "that still wait to become one. OLDEST: how long ago the oldest message still needed\n"
           "was sent; ALARM: why the disk takes nothing.\n"
           "Rates are those of the interval; the first line comes at its end. Ctrl-C ends.\n\n"
           "Examples:\n"
           "  spillring stat\n"
           "  spillring stat orders -i 500ms\n"
           "  spillring stat orders -i 10s -n 6 -o ndjson | jq .in_per_second"});
  const auto arguments = std::make_shared<StatArguments>();
  add_values(app, "QUEUE", "", "names of queues (all there are)",
             [arguments](const std::string&, const std::string& value) {
               check_queue_name(value);
               arguments->queues.push_back(value);
             });
  add_interval(app, arguments->interval);
  add_limit(app, "-n,--count", arguments->count, "how many lines for each queue (without end)");
  add_json_flag(app, settings);
  return {&app, [arguments, &settings] { return run(*arguments, settings); }};
}

}  // namespace spillring::tools
