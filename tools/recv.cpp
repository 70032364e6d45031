// spillring recv: takes messages out of a queue.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

#include "arguments.hpp"
#include "command.hpp"
#include "envelope.hpp"
#include "interruption.hpp"
#include "output.hpp"
#include "pace.hpp"
#include "patience.hpp"
#include "pour.hpp"
#include "rendering.hpp"
#include "verb.hpp"

namespace spillring::tools {
namespace {

struct RecvArguments {
  std::string queue;
  std::string group = "default";
  std::uint64_t count = 1;
  bool all = false;
  bool no_ack = false;
  std::string command;
  Timeout retry_delay = no_wait;
  Timeout wait = no_wait;
  Pace pace;
  Delimiter delimiter;
};

/// Claiming ahead more than is wanted would touch messages that stay.
ConsumerOptions consumer_options(std::uint64_t most, const Pace& pace) {
  ConsumerOptions options;
  options.prefetch = std::min(prefetch_for(pace, most), options.prefetch);
  options.interruptible = true;
  return options;
}

void check_retry_delay(Timeout delay) {
  if (delay <= longest_delay) return;
  throw usage_failure("--retry-delay is too long",
                      "a message can be delayed for at most three days",
                      "write a shorter one: 5s, 10m, 72h");
}

/// Hands each message to a command of its own, and ends with the first that fails.
Exit execute(Consumer& consumer, RecvArguments& arguments, std::uint64_t most,
             const Settings& settings) {
  for (std::uint64_t done = 0; done < most; ++done) {
    auto message =
        wait_patiently(arguments.wait, [&](Timeout left) { return consumer.receive(left); });
    if (message.error() == Code::empty || message.error() == Code::timeout) {
      if (done > 0) return Exit::ok;
      remark(settings, fmt::format("queue '{}' is empty", arguments.queue));
      return Exit::nothing;
    }
    if (!message) {
      throw data_failure(message.error(), fmt::format("cannot receive from '{}'", arguments.queue));
    }
    arguments.pace.wait_for(timestamp_of(*message));
    if (const std::uint64_t gap = message->gap(); gap != 0) {
      say(settings, fmt::format("warning: {} missed before message {}", plural(gap, "message"),
                                message->seq()));
    }
    const int status = run_command(arguments.command, envelope_of(*message, arguments.queue));
    const std::uint64_t seq = message->seq();
    const Result<void> told = status == 0 ? message->ack() : message->nack(arguments.retry_delay);
    leave_if_interrupted();
    if (told.error() == Code::stale) {
      say(settings, fmt::format("warning: message {} took longer than the lease and is delivered "
                                "again",
                                seq));
    }
    if (status != 0) {
      say(settings,
          fmt::format("message {} was handed back: the command ended with {}", seq, status));
      return Exit::partly;
    }
  }
  return Exit::ok;
}

Exit run(RecvArguments& arguments, const Settings& settings) {
  check_retry_delay(arguments.retry_delay);
  const Rendering rendering(settings, arguments.delimiter, "recv");
  const Client client = settings.connect();
  const Queue queue = open_queue(client, arguments.queue);
  const std::uint64_t most = arguments.all ? no_limit : arguments.count;
  const OrderlyExit orderly;
  const bool executes = !arguments.command.empty();
  Consumer consumer =
      queue.consumer(arguments.group, consumer_options(executes ? 1 : most, arguments.pace));
  if (executes) return execute(consumer, arguments, most, settings);
  Outlet outlet(STDOUT_FILENO, "stdout", arguments.queue, rendering,
                arguments.no_ack ? Outlet::Acknowledge::never : Outlet::Acknowledge::written);
  pour(consumer, outlet, most, arguments.wait, arguments.pace);
  warn_about(outlet, settings);
  if (outlet.messages() > 0) return Exit::ok;
  remark(settings, fmt::format("queue '{}' is empty", arguments.queue));
  return Exit::nothing;
}

void add_options(CLI::App& app, RecvArguments& arguments) {
  add_queue(app, arguments.queue, "name of the queue");
  CLI::Option* count =
      add_limit(app, "-n,--count", arguments.count, "how many messages to take (1)");
  app.add_flag("--all", arguments.all, "take all that come")->excludes(count);
  add_duration(app, "-t,--wait", arguments.wait,
               "wait this long for each next message; inf: for ever (0)");
  add_text(app, "-g,--group", arguments.group, "GROUP", "the group to receive for (default)");
  arguments.pace.add_option(app);
  CLI::Option* no_ack =
      app.add_flag("--no-ack", arguments.no_ack, "print messages and leave them in the queue");
  CLI::Option* exec = add_text(app, "--exec", arguments.command, "COMMAND",
                               "instead of printing it, run a command of the shell for each\n"
                               "message, which is its stdin")
                          ->excludes(no_ack);
  add_duration(app, "--retry-delay", arguments.retry_delay,
               "a message whose command failed comes again no earlier (0)")
      ->needs(exec);
  arguments.delimiter.add_options(app);
}

}  // namespace

Verb add_recv(CLI::App& root, Settings& settings) {
  CLI::App& app = add_verb(
      root, settings,
      {.name = "recv",
       .does = "Take messages out of a queue and print them",
       .text =
           "Prints each payload and a delimiter; -o raw: the payload and nothing else; -o ndjson\n"
           "or --json: envelopes. A message is acknowledged when it is written; what was not\n"
           "written is still in the queue, also after Ctrl-C or a closed pipe.\n"
           "Exit code 1: no message came.\n"
           "\n"
           "With --exec a message is acknowledged when its command exits with 0, and handed back\n"
           "when it does not, for --retry-delay; the first that fails ends it, with exit code 3.\n"
           "After the queue's --max-deliveries it is a dead letter. The command knows\n"
           "$SPILLRING_QUEUE, $SPILLRING_SEQ, $SPILLRING_DELIVERIES and, where it has one,\n"
           "$SPILLRING_KEY.\n"
           "\n"
           "Of an atomic batch each part is printed as a message is, and a command's stdin has "
           "each\n"
           "on a line, $SPILLRING_PARTS of them; it counts and is acknowledged as one message.\n"
           "\n"
           "Examples:\n"
           "  spillring recv orders\n"
           "  spillring recv orders -n 10 -t 5s\n"
           "  spillring recv logs --all -t inf | grep ERROR\n"
           "  spillring recv frames -o raw > frame.jpg\n"
           "  spillring recv orders -g billing --json\n"
           "  spillring recv jobs --all -t inf --exec ./work.sh --retry-delay 5s\n"
           "  spillring recv ticks --all --speed 1x      # with the gaps they were sent with"});
  const auto arguments = std::make_shared<RecvArguments>();
  add_options(app, *arguments);
  add_json_flag(app, settings);
  return {&app, [arguments, &settings] { return run(*arguments, settings); }};
}

}  // namespace spillring::tools
