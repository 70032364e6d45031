// spillring send: puts messages into a queue.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

#include "arguments.hpp"
#include "envelope.hpp"
#include "input.hpp"
#include "output.hpp"
#include "pour.hpp"
#include "quantity.hpp"
#include "rate.hpp"
#include "rendering.hpp"
#include "sender.hpp"
#include "verb.hpp"

namespace spillring::tools {
namespace {

struct SendArguments {
  std::string queue;
  std::vector<std::string> messages;
  std::vector<std::string> files;
  Delimiter delimiter;
  OwnedMetadata metadata;
  bool envelopes = false;
  bool create = false;
  bool no_wait = false;
  bool durable = false;
  bool atomic = false;
  Timeout wait = forever;
  std::uint64_t count = no_limit;
  Rate rate;
};

[[noreturn]] void refuse_both(const std::string& one, const std::string& other) {
  throw usage_failure(fmt::format("{} and {} do not go together", one, other),
                      "messages come from one place, each with its own properties",
                      "spillring send --help");
}

/// Messages come from one place only: arguments, files, envelopes or lines.
void check_sources(const SendArguments& arguments) {
  const bool text = !arguments.messages.empty();
  const bool files = !arguments.files.empty();
  if (text && files) refuse_both("MSG", "--file");
  if (arguments.envelopes && text) refuse_both("MSG", "--json");
  if (arguments.envelopes && files) refuse_both("--file", "--json");
  if (arguments.envelopes && !arguments.metadata.empty()) {
    refuse_both("--json", "--key, --header or --ttl (an envelope has its own)");
  }
  if (arguments.delimiter.given() && (text || files || arguments.envelopes)) {
    refuse_both("a delimiter", text ? "MSG" : files ? "--file" : "--json");
  }
}

/// Opens each file once before anything is sent or created.
void check_files(const std::vector<std::string>& files) {
  for (const std::string& path : files) (void)InputFile(path).size();
}

/// Calls `send` for each of `given`, or with --count again and again for so many in all.
template <typename Send>
void repeat(const std::vector<std::string>& given, SendArguments& arguments, const Send& send) {
  const std::uint64_t count = arguments.count == no_limit ? given.size() : arguments.count;
  for (std::uint64_t i = 0; i < count; ++i) {
    arguments.rate.wait();
    send(given[i % given.size()]);
  }
}

void send_messages(SendArguments& arguments, Sender& sender) {
  const std::vector<std::string>& messages = arguments.messages;
  for (std::size_t i = 0; i < messages.size(); ++i) {
    sender.check_size(messages[i].size(), fmt::format("message {}", i + 1));
  }
  repeat(messages, arguments, [&](const std::string& message) {
    sender.send(std::as_bytes(std::span(message)), arguments.metadata.view());
  });
}

void send_files(SendArguments& arguments, Sender& sender) {
  for (const std::string& path : arguments.files) {
    sender.check_size(InputFile(path).size().value_or(0), fmt::format("'{}'", path));
  }
  repeat(arguments.files, arguments,
         [&](const std::string& path) { sender.send_file(path, arguments.metadata.view()); });
}

void send_records(SendArguments& arguments, Sender& sender) {
  RecordReader records(STDIN_FILENO, arguments.delimiter.text(), sender.largest());
  while (sender.messages() < arguments.count) {
    const auto record = records.next();
    if (!record) return;
    arguments.rate.wait();
    sender.send(std::as_bytes(std::span(*record)), arguments.metadata.view());
  }
}

std::vector<std::span<const std::byte>> views_of(const std::vector<std::string>& messages) {
  std::vector<std::span<const std::byte>> views;
  views.reserve(messages.size());
  for (const std::string& message : messages) views.push_back(std::as_bytes(std::span(message)));
  return views;
}

void send_envelopes(SendArguments& arguments, Sender& sender) {
  // JSON writes a byte as six at most; the rest is room for key and headers.
  RecordReader lines(STDIN_FILENO, "\n", 6 * (sender.largest() + 64 * KiB) + MiB);
  std::uint64_t number = 0;
  while (sender.messages() < arguments.count) {
    const auto line = lines.next();
    if (!line) return;
    ++number;
    if (line->find_first_not_of(" \t\r") == std::string_view::npos) continue;
    const ParsedEnvelope envelope = parse_envelope(*line, number);
    sender.check_size(envelope.payload.size(), fmt::format("the message of line {}", number));
    arguments.rate.wait();
    if (envelope.parts) {
      sender.send_atomic(views_of(*envelope.parts), envelope.metadata.view());
    } else {
      sender.send(std::as_bytes(std::span(envelope.payload)), envelope.metadata.view());
    }
  }
}

void say_where_from(const Settings& settings) {
  if (isatty(STDIN_FILENO) != 0) {
    remark(settings, "reading messages from the terminal, one a line; Ctrl-D ends");
  }
}

void send_stdin(SendArguments& arguments, Sender& sender, const Settings& settings) {
  say_where_from(settings);
  if (arguments.envelopes) {
    send_envelopes(arguments, sender);
  } else {
    send_records(arguments, sender);
  }
}

/// What was given, or the records of stdin, as one message.
void send_atomic(SendArguments& arguments, Sender& sender, const Settings& settings) {
  std::vector<std::string> messages = arguments.messages;
  if (messages.empty()) {
    say_where_from(settings);
    RecordReader records(STDIN_FILENO, arguments.delimiter.text(), sender.largest());
    std::uint64_t size = 0;
    while (const auto record = records.next()) {
      size += record->size();
      sender.check_size(size, "what stdin has for one batch");
      messages.emplace_back(*record);
    }
  }
  if (messages.empty()) return;
  sender.send_atomic(views_of(messages), arguments.metadata.view());
}

/// Before anything is sent.
void require_durable(const Queue& queue) {
  if (queue.info().options.durability == Durability::disk) return;
  throw Failure(Exit::usage, fmt::format("queue '{}' keeps its messages in memory", queue.name()),
                "only a queue with --durability disk can say when they are on the disk",
                "create it with --durability disk, or leave --durable out");
}

Exit run(SendArguments& arguments, const Settings& settings) {
  check_sources(arguments);
  check_files(arguments.files);
  const Client client = settings.connect();
  const Queue queue = arguments.create ? client.open_or_create(arguments.queue)
                                       : open_queue(client, arguments.queue);
  if (arguments.durable) require_durable(queue);
  Sender sender(queue, arguments.no_wait ? no_wait : arguments.wait);
  if (arguments.atomic) {
    send_atomic(arguments, sender, settings);
  } else if (!arguments.messages.empty()) {
    send_messages(arguments, sender);
  } else if (!arguments.files.empty()) {
    send_files(arguments, sender);
  } else {
    send_stdin(arguments, sender, settings);
  }
  if (arguments.durable) sender.flush();
  remark(settings, fmt::format("sent {}, {}", plural(sender.messages(), "message"),
                               plural(sender.bytes(), "byte")));
  return Exit::ok;
}

void add_header(OwnedMetadata& metadata, const std::string& label, const std::string& value) {
  const std::size_t equals = value.find('=');
  if (equals == std::string::npos || equals == 0) {
    throw usage_failure(fmt::format("{} '{}' is not a header", label, value),
                        "it has no name and '='",
                        "write a name, '=' and a value: -H content-type=text/plain");
  }
  metadata.add_header(value.substr(0, equals), value.substr(equals + 1));
}

Timeout ttl_of(const std::string& label, const std::string& value) {
  const Timeout ttl = parse_duration(label, value);
  if (ttl > no_wait) return ttl;
  throw usage_failure(fmt::format("{} '{}' is no time", label, value),
                      "nothing could be delivered in it", "write for example 500ms or 30s");
}

void add_options(CLI::App& app, SendArguments& arguments) {
  add_queue(app, arguments.queue, "name of the queue");
  add_values(
      app, "MSG", "", "each one a message; without: one message per line of stdin",
      [&](const std::string&, const std::string& value) { arguments.messages.push_back(value); });
  CLI::Option* files = add_values(
      app, "-f,--file", "FILE", "a file as one message; '-': all of stdin as one",
      [&](const std::string&, const std::string& value) { arguments.files.push_back(value); });
  arguments.delimiter.add_options(app);
  CLI::Option* json =
      app.add_flag("--json", arguments.envelopes, "read an envelope from each line of stdin");
  add_values(app, "-H,--header", "NAME=VALUE", "give every message this header",
             [&](const std::string& label, const std::string& value) {
               add_header(arguments.metadata, label, value);
             });
  add_value(
      app, "--key", "KEY", "give every message this key",
      [&](const std::string&, const std::string& value) { arguments.metadata.set_key(value); });
  add_value(app, "--ttl", "DUR",
            "deliver within this time, and then no more; inf: no matter how long\n"
            "(as the queue has it)",
            [&](const std::string& label, const std::string& value) {
              arguments.metadata.set_ttl(ttl_of(label, value));
            });
  CLI::Option* count =
      add_limit(app, "-n,--count", arguments.count,
                "so many in all: MSG and --file again and again, of stdin the first");
  arguments.rate.add_option(app);
  app.add_flag("--atomic", arguments.atomic,
               "all of MSG, or of stdin, as one: an atomic batch, of which all\nor nothing arrives")
      ->excludes(files)
      ->excludes(json)
      ->excludes(count)
      ->excludes("--rate");
  app.add_flag("--create", arguments.create, "create the queue, with defaults, if there is none");
  CLI::Option* wait = add_duration(app, "--wait", arguments.wait,
                                   "how long to wait for room in a full queue (inf)");
  app.add_flag("--durable", arguments.durable,
               "end only when the disk has all of them (a queue with\n--durability disk)");
  app.add_flag("--no-wait", arguments.no_wait, "do not wait for room")->excludes(wait);
}

}  // namespace

Verb add_send(CLI::App& root, Settings& settings) {
  CLI::App& app = add_verb(
      root, settings,
      {.name = "send",
       .does = "Put messages into a queue",
       .text =
           "An empty line is an empty message; a last line without its end is a message too.\n"
           "\n"
           "An envelope is what 'peek --json' prints:\n"
           "  {\"payload\":\"hello\",\"key\":null,\"headers\":{\"name\":\"value\"}}\n"
           "Bytes that are no UTF-8: \"payload_b64\" and \"key_b64\" instead of \"payload\" and\n"
           "\"key\", {\"b64\":\"...\"} as the value of a header, and "
           "\"headers_b64\":[[name,value],...]\n"
           "instead of \"headers\" where names are no text or there twice. \"ttl\": seconds in\n"
           "which it is delivered. \"parts\":[\"text\",{\"b64\":\"...\"}] instead of a payload: "
           "an\n"
           "atomic batch. \"seq\", \"ts\", \"queue\", \"size\", \"deliveries\" and\n"
           "\"expired\" are ignored; other members are refused.\n"
           "\n"
           "Exit code 75: the queue is full. What was sent before stays sent.\n"
           "\n"
           "Examples:\n"
           "  spillring send orders 'first' 'second' --create\n"
           "  spillring send orders -H type=order --key 4711 '{\"amount\": 3}'\n"
           "  tail -f app.log | spillring send logs\n"
           "  find . -print0 | spillring send paths -0\n"
           "  spillring send frames -f 1.jpg -f 2.jpg\n"
           "  spillring peek orders --json | spillring send copy --json\n"
           "  spillring send orders --atomic 'debit 5' 'credit 5'\n"
           "  spillring send orders 'a load to try' -n 100000 --rate 10k/s\n"
           "  spillring send orders -- -1        # a message that begins with a dash"});
  const auto arguments = std::make_shared<SendArguments>();
  add_options(app, *arguments);
  return {&app, [arguments, &settings] { return run(*arguments, settings); }};
}

}  // namespace spillring::tools
