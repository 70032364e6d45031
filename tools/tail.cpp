// spillring tail: shows the last messages of queues, and those that come, and takes none.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <deque>
#include <limits>
#include <memory>
#include <optional>
#include <vector>

#include "arguments.hpp"
#include "moment.hpp"
#include "output.hpp"
#include "pattern.hpp"
#include "place.hpp"
#include "pour.hpp"
#include "rendering.hpp"
#include "spillring/wait_set.hpp"
#include "verb.hpp"

namespace spillring::tools {
namespace {

constexpr std::uint64_t default_count = 10;
constexpr std::uint64_t no_end = std::numeric_limits<std::uint64_t>::max();

struct TailArguments {
  std::vector<std::string> queues;
  bool follow = false;
  std::uint64_t count = no_limit;
  std::optional<Start> since;
  std::uint64_t until = no_end;  // nanoseconds since 1970
  std::unique_ptr<Pattern> pattern;
  Delimiter delimiter;
};

/// One of the queues: a subscription of its own, which takes nothing from any group.
struct Followed {
  std::string name;
  Consumer messages;
  std::uint64_t end;  // what has a lower number was there at the start
  bool over = false;  // it is removed, or past --until
};

class Tail {
 public:
  Tail(const TailArguments& arguments, const Settings& settings)
      : arguments_(arguments),
        rendering_(settings, arguments.delimiter, "tail"),
        with_names_(arguments.queues.size() > 1 && !settings.wants_json() &&
                    settings.format() != Format::raw) {}

  void open(const Client& client) {
    for (const std::string& name : arguments_.queues) {
      const Queue queue = open_queue(client, name);
      const std::uint64_t end = queue.info().next;
      followed_.push_back({name, queue.subscriber({}, {.start = start(end)}), end});
    }
  }

  /// What was there at the start.
  void show_last() {
    for (Followed& queue : followed_) show_last(queue);
  }

  void follow() {
    WaitSet waits;
    for (Followed& queue : followed_) {
      if (!queue.over) waits.add(queue.messages);  // ids count from 1
    }
    while (!is_over()) {
      const auto ready = waits.wait(left());
      if (!ready && ready.error() != Code::interrupted) return;  // past --until
      for (Followed& queue : followed_) show_new(queue);
    }
  }

  [[nodiscard]] bool has_shown() const noexcept { return shown_; }

 private:
  [[nodiscard]] Start start(std::uint64_t end) const {
    if (arguments_.since) return *arguments_.since;
    // Whoever looks for a pattern has to look everywhere; numbers that were given up count, too.
    constexpr std::uint64_t spare = 64;
    if (arguments_.pattern || arguments_.count >= end - std::min(end, spare)) {
      return Start::earliest();
    }
    return Start::at(end - arguments_.count - std::min(end - arguments_.count, spare));
  }

  /// Empty: there is none now, or none any more.
  static Message next(Followed& queue, std::uint64_t until) {
    if (queue.over) return {};
    Result<Message> message = queue.messages.try_receive();
    if (message.error() == Code::empty) return {};
    queue.over = message ? timestamp_of(*message) > until : message.error() == Code::deleted;
    if (queue.over) return {};
    if (!message) {
      throw data_failure(message.error(), fmt::format("cannot read from '{}'", queue.name));
    }
    return *std::move(message);
  }

  [[nodiscard]] bool is_wanted(const Message& message) const {
    if (!arguments_.pattern) return true;
    const Parts parts = message.parts();
    return std::any_of(parts.begin(), parts.end(),
                       [this](const auto part) { return arguments_.pattern->is_in(part); });
  }

  void show_last(Followed& queue) {
    std::deque<Message> last;
    while (Message message = next(queue, arguments_.until)) {
      const bool at_end = message.seq() + 1 >= queue.end;
      if (is_wanted(message)) last.push_back(std::move(message));
      if (last.size() > arguments_.count) last.pop_front();
      if (at_end) break;
      if (arguments_.count == no_limit) flush(queue, last);
    }
    flush(queue, last);
  }

  void flush(const Followed& queue, std::deque<Message>& messages) {
    for (const Message& message : messages) show(queue, message);
    out_.write_all(STDOUT_FILENO, "stdout");
    messages.clear();
  }

  void show_new(Followed& queue) {
    while (const Message message = next(queue, arguments_.until)) {
      if (!is_wanted(message)) continue;
      show(queue, message);
      out_.write_all(STDOUT_FILENO, "stdout");
    }
  }

  void show(const Followed& queue, const Message& message) {
    if (with_names_ && named_ != &queue) {
      out_.keep(fmt::format("{}==> {} <==\n", shown_ ? "\n" : "", queue.name));
      named_ = &queue;
    }
    rendering_.append(envelope_of(message, queue.name), out_);
    shown_ = true;
  }

  [[nodiscard]] bool is_over() const { return std::ranges::all_of(followed_, &Followed::over); }

  /// Until --until.
  [[nodiscard]] Timeout left() const {
    if (arguments_.until == no_end) return forever;
    const std::uint64_t present = now();
    return Timeout(arguments_.until > present ? arguments_.until - present : 0);
  }

  const TailArguments& arguments_;
  Rendering rendering_;
  bool with_names_;
  std::deque<Followed> followed_;  // addresses stay
  const Followed* named_ = nullptr;
  bool shown_ = false;
  Gather out_;
};

Exit run(const TailArguments& arguments, const Settings& settings) {
  Tail tail(arguments, settings);
  tail.open(settings.connect());
  tail.show_last();
  if (arguments.follow) tail.follow();
  if (tail.has_shown() || arguments.follow) return Exit::ok;
  remark(settings, "there is nothing to see");
  return Exit::nothing;
}

void add_times(CLI::App& app, TailArguments& arguments) {
  add_value(app, "--since", "PLACE",
            "begin there: how long ago (10m), a moment, a sequence, or\nearliest",
            [&arguments](const std::string& label, const std::string& value) {
              arguments.since = place_of(label, value);
            });
  add_value(app, "--until", "MOMENT", "end there: a moment, or how long ago",
            [&arguments](const std::string& label, const std::string& value) {
              const Start place = place_of(label, value);
              if (place.from != Start::From::time) {
                throw usage_failure(fmt::format("{} '{}' is no moment", label, value),
                                    "messages are shown up to a point in time",
                                    "write 2026-11-23T10:00:00Z, or 10m for ten minutes ago");
              }
              arguments.until = place.value;
            });
}

}  // namespace

Verb add_tail(CLI::App& root, Settings& settings) {
  CLI::App& app = add_verb(
      root, settings,
      {.name = "tail",
       .does = "Show the last messages of queues, and take none",
       .text =
           "Reads as a subscription of its own: no group notices. Shown is what the queue still "
           "has,\n"
           "unread or kept as history. While it runs, a queue keeps what it has not shown yet;\n"
           "stopped with Ctrl-Z it holds up senders to a queue with --full block.\n"
           "Exit code 1: there is nothing.\n"
           "\n"
           "Examples:\n"
           "  spillring tail orders\n"
           "  spillring tail orders billing -f\n"
           "  spillring tail logs --since 10m --grep 'ERROR|FATAL'\n"
           "  spillring tail orders -f -n 1 --json"});
  const auto arguments = std::make_shared<TailArguments>();
  add_values(app, "QUEUE", "", "names of queues",
             [arguments](const std::string&, const std::string& value) {
               check_queue_name(value);
               arguments->queues.push_back(value);
             })
      ->required();
  app.add_flag("-f,--follow", arguments->follow, "go on with what comes, until Ctrl-C");
  add_limit(app, "-n,--count", arguments->count,
            "how many of the last messages (10; all with --since)");
  add_times(app, *arguments);
  add_value(app, "--grep", "RE", "only those whose payload matches, as for grep -E",
            [arguments](const std::string& label, const std::string& value) {
              arguments->pattern = std::make_unique<Pattern>(label, value);
            });
  arguments->delimiter.add_options(app);
  add_json_flag(app, settings);
  return {&app, [arguments, &settings] {
            if (arguments->count == no_limit && !arguments->since) arguments->count = default_count;
            return run(*arguments, settings);
          }};
}

}  // namespace spillring::tools
