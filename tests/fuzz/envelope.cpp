// A message as a line of JSON: what `send --json` reads, and what `peek --json` writes.
#include "tools/envelope.hpp"

#include <chrono>
#include <cmath>

#include "layout/batch.hpp"
#include "target.hpp"
#include "tools/failure.hpp"

namespace spillring::fuzz {
namespace {

using tools::Envelope;
using tools::ParsedEnvelope;

std::string owned(const std::optional<Bytes>& bytes) { return bytes ? text_of(*bytes) : "(none)"; }

bool is_same(const Metadata& left, const Metadata& right) {
  // Times are written in seconds, and rounded up: what is lost is less than what a number holds.
  const auto seconds = [](Timeout time) { return std::chrono::duration<double>(time).count(); };
  const double least = std::max(1e-9, 1e-15 * seconds(left.ttl));
  return owned(left.key) == owned(right.key) && left.key.has_value() == right.key.has_value() &&
         std::ranges::equal(left.headers, right.headers,
                            [](const Header& one, const Header& other) {
                              return one.name == other.name &&
                                     std::ranges::equal(one.value, other.value);
                            }) &&
         std::abs(seconds(left.ttl) - seconds(right.ttl)) <= 2 * least;
}

/// Written and read again it is the same message.
void require_same_again(const ParsedEnvelope& parsed) {
  const Metadata metadata = parsed.metadata.view();
  std::vector<std::byte> batch;
  if (parsed.parts) {
    std::vector<Bytes> views;
    for (const std::string& part : *parsed.parts) views.push_back(bytes_of(part));
    batch.resize(layout::encoded_batch_size(views).value());
    layout::encode_batch(views, batch.data());
  }
  Envelope written{.queue = "q", .key = metadata.key};
  written.headers.assign(metadata.headers.begin(), metadata.headers.end());
  written.payload = parsed.parts ? Bytes(batch) : bytes_of(parsed.payload);
  written.is_batch = parsed.parts.has_value();
  written.ttl = metadata.ttl;
  const std::string line = tools::to_json_line(written);
  require(line.find('\n') == line.size() - 1, "an envelope is one line");
  const ParsedEnvelope again = tools::parse_envelope(line, 1);
  require(again.payload == parsed.payload && again.parts == parsed.parts, "a payload comes back");
  // What is without end is written as null, which is the queue's own.
  Metadata expected = metadata;
  if (expected.ttl == forever) expected.ttl = again.metadata.view().ttl;
  require(is_same(expected, again.metadata.view()), "key, headers and ttl come back");
}

void read(const std::string& line) {
  std::optional<ParsedEnvelope> parsed;
  try {
    parsed = tools::parse_envelope(line, 1);
  } catch (const tools::Failure& failure) {
    require(failure.exit() == tools::Exit::bad_data, "what is no envelope is bad data");
    return;
  }
  require(!parsed->parts || parsed->payload.empty(), "a batch has no payload beside");
  require(parsed->metadata.view().ttl >= no_wait, "no time is negative");
  require_same_again(*parsed);
}

/// Any bytes can be sent, and be shown.
void write(Input& in) {
  ParsedEnvelope message;
  const std::uint8_t what = in.number<std::uint8_t>();
  if ((what & 1U) != 0) message.metadata.set_key(in.text());
  for (int count = (what >> 1U) & 3U; count != 0; --count) {
    std::string name = in.text();
    message.metadata.add_header(std::move(name), in.text());
  }
  if ((what & 8U) != 0) {
    message.parts.emplace();
    for (int count = what >> 6U; count >= 0; --count) message.parts->push_back(in.text());
  } else {
    message.payload = text_of(in.rest());
  }
  require_same_again(message);
}

}  // namespace

void envelope(Bytes input) {
  Input in(input);
  if ((in.number<std::uint8_t>() & 1U) == 0) {
    read(text_of(in.rest()));
  } else {
    write(in);
  }
}

}  // namespace spillring::fuzz
