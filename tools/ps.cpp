// spillring ps: who is attached to which queue.
#include <fmt/format.h>

#include <fstream>
#include <memory>

#include "arguments.hpp"
#include "output.hpp"
#include "queue_view.hpp"
#include "users.hpp"
#include "verb.hpp"

namespace spillring::tools {
namespace {

struct PsArguments {
  std::string queue;
};

/// A client, and what it is a client of.
struct Attached {
  std::string queue;
  ClientInfo client;
  std::string command;
};

/// The name of the program; empty where the process cannot be seen.
std::string command_of(unsigned pid) {
  std::string name;
  std::ifstream file(fmt::format("/proc/{}/comm", pid));
  std::getline(file, name);
  return name;
}

std::string name_of(ClientRole role) {
  return role == ClientRole::producer          ? "producer"
         : role == ClientRole::shared_consumer ? "consumer"
                                               : "subscriber";
}

void add_clients(const Queue& queue, std::vector<Attached>& all) {
  for (ClientInfo& client : queue.clients()) {
    std::string command = command_of(client.pid);
    all.push_back({queue.name(), std::move(client), std::move(command)});
  }
}

std::vector<Attached> attached(const Client& client, const std::string& name) {
  std::vector<Attached> all;
  if (!name.empty()) {
    add_clients(open_queue(client, name), all);
    return all;
  }
  for (const QueueInfo& info : client.list()) {
    try {
      add_clients(client.open(info.name), all);
    } catch (const Error& error) {
      // Removed since the list was made.
      if (error.code() != Code::not_found && error.code() != Code::deleted) throw;
    }
  }
  return all;
}

Cell optional_cell(bool there, std::uint64_t value) {
  return there ? count_cell(value) : text_cell("-");
}

Table table_of(const std::vector<Attached>& all) {
  Table table({{"QUEUE"},
               {"PID", true},
               {"USER"},
               {"COMMAND"},
               {"ROLE"},
               {"GROUP"},
               {"LAG", true},
               {"UNACKED", true},
               {"HOLD", true}});
  for (const Attached& entry : all) {
    const ClientInfo& client = entry.client;
    const bool consumes = client.role != ClientRole::producer;
    const bool nameless = consumes && client.group.empty();
    table.add({text_cell(entry.queue), text_cell(std::to_string(client.pid)),
               text_cell(user_name(client.user)),
               text_cell(entry.command.empty() ? "-" : entry.command),
               text_cell(name_of(client.role)),
               text_cell(nameless   ? "(broadcast)"
                         : consumes ? client.group
                                    : "-"),
               optional_cell(consumes, client.lag),
               optional_cell(client.role == ClientRole::shared_consumer, client.unacked),
               optional_cell(client.hold.has_value(), client.hold.value_or(0))});
  }
  return table;
}

Json json_of(const Attached& entry) {
  const ClientInfo& client = entry.client;
  const bool consumes = client.role != ClientRole::producer;
  Json object{{"schema", "spillring.client.v1"},
              {"queue", entry.queue},
              {"pid", client.pid},
              {"user", user_name(client.user)},
              {"command", entry.command},
              {"role", name_of(client.role)}};
  object["group"] = consumes && !client.group.empty() ? Json(client.group) : Json(nullptr);
  object["lag"] = consumes ? Json(client.lag) : Json(nullptr);
  object["unacked"] = consumes ? Json(client.unacked) : Json(nullptr);
  object["hold"] = client.hold ? Json(*client.hold) : Json(nullptr);
  return object;
}

/// Why producers may be waiting that nobody keeps from sending.
void say_alarms(const Client& client, const std::string& name, const Settings& settings) {
  for (const QueueInfo& queue : client.list()) {
    const std::string alarm = alarm_text(queue);
    if (!alarm.empty() && (name.empty() || name == queue.name)) say(settings, "warning: " + alarm);
  }
}

Exit run(const PsArguments& arguments, const Settings& settings) {
  settings.refuse_formats("ps", {Format::raw});
  const Client client = settings.connect();
  const std::vector<Attached> all = attached(client, arguments.queue);
  if (settings.format() == Format::ndjson) {
    for (const Attached& entry : all) print_json(json_of(entry), settings);
  } else if (settings.wants_json()) {
    Json list = Json::array();
    for (const Attached& entry : all) list.push_back(json_of(entry));
    print_json(Json{{"schema", "spillring.clients.v1"}, {"clients", list}}, settings);
  } else {
    print_table(table_of(all), settings);
  }
  say_alarms(client, arguments.queue, settings);
  if (all.empty()) remark(settings, "nobody is attached");
  return all.empty() ? Exit::nothing : Exit::ok;
}

}  // namespace

Verb add_ps(CLI::App& root, Settings& settings) {
  CLI::App& app = add_verb(
      root, settings,
      {.name = "ps",
       .does = "Show who is attached: process, user, role, group, lag, what it holds",
       .text =
           "UNACKED: messages it has taken and not acknowledged. HOLD: the oldest message that it\n"
           "may be looking at. Exit code 1: nobody is attached.\n\n"
           "Examples:\n"
           "  spillring ps\n"
           "  spillring ps orders --json | jq '.clients[] | select(.unacked > 0)'"});
  const auto arguments = std::make_shared<PsArguments>();
  add_text(app, "QUEUE", arguments->queue, "", "only this queue");
  add_json_flag(app, settings);
  return {&app, [arguments, &settings] { return run(*arguments, settings); }};
}

}  // namespace spillring::tools
