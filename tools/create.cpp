// spillring create: makes a queue.
#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "arguments.hpp"
#include "output.hpp"
#include "quantity.hpp"
#include "text/quantity.hpp"
#include "verb.hpp"

namespace spillring::tools {
namespace {

struct CreateArguments {
  std::string queue;
  QueueOptions options;
  bool if_not_exists = false;
};

void create(const Client& client, const CreateArguments& arguments) {
  try {
    (void)client.create(arguments.queue, arguments.options);
  } catch (const Error& error) {
    if (error.code() != Code::exists) throw;
    throw Failure(Exit::cannot_create, error.summary(),
                  "nothing of it was changed, neither messages nor options",
                  "add --if-not-exists to take it as it is");
  }
}

Exit run(const CreateArguments& arguments, const Settings& settings) {
  const Client client = settings.connect();
  if (arguments.if_not_exists) {
    (void)client.open_or_create(arguments.queue, arguments.options);
    remark(settings, fmt::format("queue '{}' is there", arguments.queue));
  } else {
    create(client, arguments);
    remark(settings, fmt::format("created queue '{}'", arguments.queue));
  }
  return Exit::ok;
}

void add_retention(CLI::App& app, QueueOptions& options) {
  add_value(app, "--retain", "AGE|SIZE|AGE,SIZE",
            "how much of what all groups have read stays on the disk, to be\n"
            "read again: 24h, 10GiB, or both (none)",
            [&options](const std::string& label, const std::string& value) {
              const text::Retention retention = text::retention_of(value);
              if (!retention.problem.empty()) {
                throw usage_failure(fmt::format("{} '{}' cannot be had", label, value),
                                    retention.problem,
                                    "write an age, a size or both: 24h, 10GiB, 7d,10GiB");
              }
              options.retain_age = Timeout(retention.nanoseconds);
              options.retain_bytes = retention.bytes;
            });
}

void add_options(CLI::App& app, CreateArguments& arguments) {
  QueueOptions& options = arguments.options;
  add_queue(app, arguments.queue, "name: A-Z a-z 0-9 . _ -");
  add_size(app, "--capacity", options.capacity,
           "most bytes in memory; a limit, not a price (16MiB)");
  add_count(app, "--slots", options.slots, "most messages in memory, a power of two (65536)");
  add_choice<Full>(app, "--full", options.full,
                   {{"block", Full::block},
                    {"reject", Full::reject},
                    {"spill", Full::spill},
                    {"drop-oldest", Full::drop_oldest}},
                   "what happens when there is no room: senders wait, are told so, the\n"
                   "oldest messages go to the disk, or are dropped (spill where there\n"
                   "is a state directory, else block)");
  add_choice<Durability>(app, "--durability", options.durability,
                         {{"memory", Durability::memory}, {"disk", Durability::disk}},
                         "disk: every message goes to the disk too, and senders can wait\n"
                         "for that: send --durable (memory)");
  add_value(app, "--sync", "each|never|TIME",
            "how often the disk is made to have what was sent: for each who\n"
            "waits, at most every TIME, or never (each)",
            [&options](const std::string& label, const std::string& value) {
              const text::Quantity sync = text::sync_of(value);
              if (!sync.problem.empty()) {
                throw usage_failure(fmt::format("{} '{}' cannot be had", label, value),
                                    sync.problem, "write each, never, or a duration: 100ms, 1s");
              }
              options.sync_interval = Timeout(sync.value);
            });
  add_choice<Keep>(app, "--keep", options.keep,
                   {{"unread", Keep::unread}, {"attached", Keep::attached}},
                   "what stays that nobody has read: everything, or only what\n"
                   "attached groups need (unread)");
  add_retention(app, options);
  add_duration(app, "--stall-timeout", options.stall_timeout,
               "a sender that stops half-way holds others up this long (1s)");
  add_duration(app, "--lease", options.lease,
               "a message held this long goes to another consumer; 0: only\n"
               "death gives it away (0)");
  add_duration(app, "--ttl", options.ttl,
               "messages sent without a time of their own are delivered within\n"
               "this time, and then no more; 0: no matter how long (0)");
  add_value(app, "--max-deliveries", "N",
            "how often a group delivers a message at most; after that it is\n"
            "discarded, or a dead letter (without end; with --dead-letter 5)",
            [&options](const std::string& label, const std::string& value) {
              options.max_deliveries =
                  static_cast<unsigned>(std::min<std::uint64_t>(parse_count(label, value), 65535));
            });
  add_text(app, "--dead-letter", options.dead_letter, "QUEUE",
           "where messages go that were delivered as often, or whose time is\n"
           "over; it must be there");
  add_duration(app, "--group-expiry", options.group_expiry,
               "a group without consumers for this long is removed, with its\n"
               "position; 0: none is (0)");
  app.add_flag("--exclusive-producer", options.exclusive_producer,
               "one sender at a time: while it is attached, others are refused");
  app.add_flag("--prealloc", options.prealloc,
               "start at full size, with all its pages, instead of growing");
  add_mode(app, "--mode", options.mode,
           "who may use it, as a file's: read = receive, write = send (0600)");
  add_text(app, "--owner-group", options.owner_group, "GROUP",
           "the Unix group that the mode speaks of (your own)");
  app.add_flag("--if-not-exists", arguments.if_not_exists,
               "succeed if there is one already, whatever its options");
}

}  // namespace

Verb add_create(CLI::App& root, Settings& settings) {
  CLI::App& app =
      add_verb(root, settings,
               {.name = "create",
                .does = "Make a queue",
                .text = "Examples:\n"
                        "  spillring create orders\n"
                        "  spillring create logs --capacity 256MiB --slots 1048576\n"
                        "  spillring create payments --durability disk --retain 7d\n"
                        "  spillring create ticks --full reject --keep attached --if-not-exists"});
  const auto arguments = std::make_shared<CreateArguments>();
  add_options(app, *arguments);
  return {&app, [arguments, &settings] { return run(*arguments, settings); }};
}

}  // namespace spillring::tools
