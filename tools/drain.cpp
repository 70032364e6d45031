// spillring drain: empties a queue into a file, stdout or another queue.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <system_error>

#include "arguments.hpp"
#include "interruption.hpp"
#include "output.hpp"
#include "pace.hpp"
#include "pour.hpp"
#include "progress.hpp"
#include "queue_sink.hpp"
#include "rendering.hpp"
#include "verb.hpp"

namespace spillring::tools {
namespace {

constexpr std::string_view queue_prefix = "queue:";

struct DrainArguments {
  std::string queue;
  std::string target = "-";
  std::string group = "default";
  std::uint64_t most = no_limit;
  Timeout idle = no_wait;
  Pace pace;
  Delimiter delimiter;
};

/// A file that messages are added to: a second drain must not erase what a first one took.
class AppendedFile {
 public:
  explicit AppendedFile(const std::string& path)
      : fd_(open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666)) {
    if (fd_ >= 0) return;
    const bool denied = errno == EACCES || errno == EPERM;
    throw Failure(denied ? Exit::denied : Exit::cannot_create,
                  fmt::format("cannot write to '{}'", path), std::generic_category().message(errno),
                  "name another file after --to");
  }
  ~AppendedFile() { close(fd_); }
  AppendedFile(const AppendedFile&) = delete;
  AppendedFile& operator=(const AppendedFile&) = delete;

  [[nodiscard]] int fd() const noexcept { return fd_; }

 private:
  int fd_;
};

void say_how_much(const Sink& sink, const Settings& settings) {
  say(settings, fmt::format("drained {}, {}", plural(sink.messages(), "message"),
                            plural(sink.bytes(), "byte")));
  warn_about(sink, settings);
}

/// Then there is no line of a terminal for anything else.
bool prints_on_terminal(const DrainArguments& arguments) {
  return arguments.target == "-" && isatty(STDOUT_FILENO) != 0;
}

void drain(const Queue& queue, DrainArguments& arguments, Sink& sink, const Settings& settings) {
  const OrderlyExit orderly;
  ConsumerOptions options;
  options.prefetch = prefetch_for(arguments.pace, batch_size);
  options.interruptible = true;
  Consumer consumer = queue.consumer(arguments.group, options);
  try {
    Progress progress(settings, "drained", std::min(consumer.lag(), arguments.most));
    pour(consumer, sink, arguments.most, arguments.idle, arguments.pace, [&] {
      if (!prints_on_terminal(arguments)) progress.show(sink.messages(), sink.bytes());
    });
  } catch (...) {
    say_how_much(sink, settings);
    throw;
  }
  say_how_much(sink, settings);
}

void drain_to_fd(const Queue& queue, DrainArguments& arguments, int fd, const std::string& target,
                 const Settings& settings) {
  Outlet outlet(fd, target, arguments.queue, Rendering(settings, arguments.delimiter, "drain"));
  drain(queue, arguments, outlet, settings);
}

void drain_to_queue(const Client& client, const Queue& queue, DrainArguments& arguments,
                    const Settings& settings) {
  const std::string target = arguments.target.substr(queue_prefix.size());
  QueueSink sink(open_queue(client, target));
  drain(queue, arguments, sink, settings);
}

bool to_queue(const DrainArguments& arguments) {
  return arguments.target.starts_with(queue_prefix);
}

void check(const DrainArguments& arguments, const Settings& settings) {
  if (!to_queue(arguments)) {
    (void)Rendering(settings, arguments.delimiter, "drain");
    return;
  }
  const std::string target = arguments.target.substr(queue_prefix.size());
  check_queue_name(target);
  if (target == arguments.queue) {
    throw usage_failure(fmt::format("cannot drain '{}' to itself", target),
                        "it would never be empty", "name another queue after queue:");
  }
  if (settings.format() != Format::automatic || arguments.delimiter.given()) {
    throw usage_failure("a queue takes messages as they are",
                        "-o, --json, -D and -0 are for files and stdout", "leave them out");
  }
}

Exit run(DrainArguments& arguments, const Settings& settings) {
  check(arguments, settings);
  const Client client = settings.connect();
  const Queue queue = open_queue(client, arguments.queue);
  if (to_queue(arguments)) {
    drain_to_queue(client, queue, arguments, settings);
  } else if (arguments.target == "-") {
    drain_to_fd(queue, arguments, STDOUT_FILENO, "stdout", settings);
  } else {
    const AppendedFile file(arguments.target);
    drain_to_fd(queue, arguments, file.fd(), fmt::format("'{}'", arguments.target), settings);
  }
  return Exit::ok;
}

void add_options(CLI::App& app, DrainArguments& arguments) {
  add_queue(app, arguments.queue, "name of the queue");
  add_text(app, "--to", arguments.target, "TARGET", "FILE, '-' for stdout, or queue:NAME (-)");
  add_limit(app, "--max", arguments.most, "stop after this many messages");
  add_duration(app, "--idle", arguments.idle, "stop when nothing came for this long (0)");
  arguments.pace.add_option(app);
  add_text(app, "-g,--group", arguments.group, "GROUP", "the group to receive for (default)");
  arguments.delimiter.add_options(app);
}

}  // namespace

Verb add_drain(CLI::App& root, Settings& settings) {
  CLI::App& app = add_verb(
      root, settings,
      {.name = "drain",
       .does = "Empty a queue into a file, stdout or another queue",
       .text =
           "Writes each payload and a delimiter; -o raw: payloads and nothing else; -o ndjson:\n"
           "envelopes. A file is appended to. A message is acknowledged when the target has it;\n"
           "stopped half-way, a second drain goes on where the first one ended.\n"
           "\n"
           "Examples:\n"
           "  spillring drain logs --to logs.txt\n"
           "  spillring drain orders --to orders.ndjson -o ndjson\n"
           "  spillring drain failed --to queue:orders --max 100\n"
           "  spillring drain recorded --to queue:ticks --speed 10x\n"
           "  spillring drain logs --idle 10s | gzip > logs.gz"});
  const auto arguments = std::make_shared<DrainArguments>();
  add_options(app, *arguments);
  add_json_flag(app, settings);
  return {&app, [arguments, &settings] { return run(*arguments, settings); }};
}

}  // namespace spillring::tools
