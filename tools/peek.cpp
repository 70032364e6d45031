// spillring peek: shows messages and leaves them where they are.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

#include "arguments.hpp"
#include "output.hpp"
#include "pace.hpp"
#include "pour.hpp"
#include "rendering.hpp"
#include "verb.hpp"

namespace spillring::tools {
namespace {

/// What is copied in one step, about; each step attaches to the queue anew.
constexpr std::uint64_t most_bytes = 64 * MiB;
constexpr std::uint64_t most_messages = 16384;

struct PeekArguments {
  std::string queue;
  std::uint64_t count = no_limit;
  std::uint64_t seq = 0;
  Pace pace;
  Delimiter delimiter;
};

void write_out(const std::vector<PeekedMessage>& messages, const Queue& queue,
               const Rendering& rendering, Pace& pace) {
  Gather out;
  for (const PeekedMessage& message : messages) {
    pace.wait_for(message.timestamp_ns);
    rendering.append(envelope_of(message, queue.name()), out);
    if (pace.keeps_time()) out.write_all(STDOUT_FILENO, "stdout");
  }
  out.write_all(STDOUT_FILENO, "stdout");
}

std::uint64_t step_for(const QueueInfo& queue) {
  const std::uint64_t average = queue.bytes / std::max<std::uint64_t>(queue.messages, 1);
  return std::clamp<std::uint64_t>(most_bytes / std::max<std::uint64_t>(average, 1), 1,
                                   most_messages);
}

/// Shows what is there now; what is sent meanwhile could go on for ever.
std::uint64_t show(const Queue& queue, PeekArguments& arguments, const Rendering& rendering) {
  const QueueInfo info = queue.info();
  const std::uint64_t step = step_for(info);
  std::uint64_t from = arguments.seq;
  std::uint64_t shown = 0;
  while (shown < arguments.count) {
    const auto most =
        static_cast<std::size_t>(std::min<std::uint64_t>(arguments.count - shown, step));
    std::vector<PeekedMessage> messages = queue.peek(most, from);
    std::erase_if(messages, [&info](const PeekedMessage& each) { return each.seq >= info.next; });
    if (messages.empty()) break;
    write_out(messages, queue, rendering, arguments.pace);
    shown += messages.size();
    from = messages.back().seq + 1;
  }
  return shown;
}

Exit run(PeekArguments& arguments, const Settings& settings) {
  const Rendering rendering(settings, arguments.delimiter, "peek");
  const Client client = settings.connect();
  const Queue queue = open_queue(client, arguments.queue);
  if (show(queue, arguments, rendering) > 0) return Exit::ok;
  remark(settings, fmt::format("there is nothing to see in queue '{}'", arguments.queue));
  return Exit::nothing;
}

}  // namespace

Verb add_peek(CLI::App& root, Settings& settings) {
  CLI::App& app = add_verb(
      root, settings,
      {.name = "peek",
       .does = "Show messages and leave them in the queue",
       .text =
           "Shows what somebody may still need, oldest first. 'send --json' reads the envelopes.\n"
           "Exit code 1: there is nothing.\n"
           "\n"
           "Examples:\n"
           "  spillring peek orders\n"
           "  spillring peek orders -n 3 --seq 1042\n"
           "  spillring peek orders --json | spillring send copy --json\n"
           "  spillring peek frames -n 1 -o raw | file -"});
  const auto arguments = std::make_shared<PeekArguments>();
  add_queue(app, arguments->queue, "name of the queue");
  add_limit(app, "-n,--count", arguments->count, "how many messages to show (all there are)");
  add_count(app, "--seq", arguments->seq, "begin at this sequence (the oldest)");
  arguments->pace.add_option(app);
  arguments->delimiter.add_options(app);
  add_json_flag(app, settings);
  return {&app, [arguments, &settings] { return run(*arguments, settings); }};
}

}  // namespace spillring::tools
