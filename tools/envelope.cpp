#include "envelope.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>

#include "base64.hpp"
#include "failure.hpp"
#include "moment.hpp"
#include "output.hpp"
#include "utf8.hpp"

namespace spillring::tools {
namespace {

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void add_bytes(Json& object, const std::string& name, std::span<const std::byte> bytes) {
  if (is_utf8(text_of(bytes))) {
    object[name] = text_of(bytes);
  } else {
    object[name + "_b64"] = to_base64(bytes);
  }
}

/// True where every name is text and there once, so that an object can hold them.
bool fit_an_object(const std::vector<Header>& headers) {
  for (auto it = headers.begin(); it != headers.end(); ++it) {
    const auto same_name = [&](const Header& other) { return other.name == it->name; };
    if (!is_utf8(it->name) || std::any_of(headers.begin(), it, same_name)) return false;
  }
  return true;
}

Json header_value(std::span<const std::byte> value) {
  if (is_utf8(text_of(value))) return text_of(value);
  return Json{{"b64", to_base64(value)}};
}

void add_payload(Json& object, const Envelope& envelope) {
  if (!envelope.is_batch) {
    object["size"] = envelope.payload.size();
    return add_bytes(object, "payload", envelope.payload);
  }
  std::size_t size = 0;
  Json parts = Json::array();
  for (const auto part : envelope.parts()) {
    size += part.size();
    parts.push_back(header_value(part));
  }
  object["size"] = size;
  object["parts"] = std::move(parts);
}

void add_headers(Json& object, const std::vector<Header>& headers) {
  if (fit_an_object(headers)) {
    Json& members = object["headers"] = Json::object();
    for (const Header& header : headers) {
      members[std::string(header.name)] = header_value(header.value);
    }
    return;
  }
  Json& pairs = object["headers_b64"] = Json::array();
  for (const Header& header : headers) {
    pairs.push_back(
        Json::array({to_base64(std::as_bytes(std::span(header.name))), to_base64(header.value)}));
  }
}

/// Reads one envelope and says where in the input it stood if it cannot.
class Reader {
 public:
  explicit Reader(std::uint64_t number) : number_(number) {}

  ParsedEnvelope read(std::string_view line) const {
    const Json object = parse(line);
    if (!object.is_object()) refuse("it is not an object");
    check_members(object);
    ParsedEnvelope result;
    auto payload = bytes(object, "payload");
    result.parts = parts(object);
    if (!payload && !result.parts) {
      refuse("it has neither \"payload\" nor \"payload_b64\" nor \"parts\"");
    }
    if (payload && result.parts) refuse("it has both a payload and \"parts\"");
    if (payload) result.payload = *std::move(payload);
    if (auto key = bytes(object, "key")) result.metadata.set_key(*std::move(key));
    read_headers(object, result.metadata);
    read_ttl(object, result.metadata);
    return result;
  }

 private:
  [[noreturn]] void refuse(const std::string& why) const {
    throw Failure(Exit::bad_data, fmt::format("line {} is not an envelope", number_), why,
                  "spillring peek QUEUE --json shows what an envelope looks like");
  }

  Json parse(std::string_view line) const {
    try {
      return Json::parse(line);
    } catch (const Json::parse_error& error) {
      refuse(fmt::format("it is not JSON from byte {} on", error.byte));
    } catch (const Json::exception&) {
      refuse("a number in it is too large");
    }
  }

  /// A misspelt member would be a key or a header silently lost.
  void check_members(const Json& object) const {
    static constexpr std::array<std::string_view, 15> known{
        "queue", "seq",     "ts",          "key",   "key_b64",    "headers", "ttl", "headers_b64",
        "size",  "payload", "payload_b64", "parts", "deliveries", "expired", "gap"};
    for (const auto& [name, value] : object.items()) {
      if (std::find(known.begin(), known.end(), name) == known.end()) {
        refuse(fmt::format("\"{}\" is not a member of an envelope", name));
      }
    }
  }

  std::string text(const Json& value, const std::string& name) const {
    if (!value.is_string()) refuse(fmt::format("\"{}\" is not a string", name));
    return value.get<std::string>();
  }

  std::string base64(const Json& value, const std::string& name) const {
    auto decoded = from_base64(text(value, name));
    if (!decoded) refuse(fmt::format("\"{}\" is not base64", name));
    return *std::move(decoded);
  }

  /// The member `name`, or `name`_b64; nothing where neither is there or it is null.
  std::optional<std::string> bytes(const Json& object, const std::string& name) const {
    const std::string encoded = name + "_b64";
    const bool plain = object.contains(name) && !object[name].is_null();
    if (!object.contains(encoded)) {
      return plain ? std::optional(text(object[name], name)) : std::nullopt;
    }
    if (plain) refuse(fmt::format("it has both \"{}\" and \"{}\"", name, encoded));
    return base64(object[encoded], encoded);
  }

  /// Text, or {"b64": "..."}.
  std::string text_or_base64(const Json& value, const std::string& name) const {
    const bool encoded = value.is_object() && value.size() == 1 && value.contains("b64");
    return encoded ? base64(value["b64"], name) : text(value, name);
  }

  std::optional<std::vector<std::string>> parts(const Json& object) const {
    if (!object.contains("parts") || object["parts"].is_null()) return std::nullopt;
    const Json& array = object["parts"];
    if (!array.is_array() || array.empty()) refuse("\"parts\" is not an array of messages");
    std::vector<std::string> result;
    for (const Json& part : array) result.push_back(text_or_base64(part, "parts"));
    return result;
  }

  void read_ttl(const Json& object, OwnedMetadata& metadata) const {
    if (!object.contains("ttl") || object["ttl"].is_null()) return;
    const Json& ttl = object["ttl"];
    if (!ttl.is_number() || !(ttl.get<double>() > 0)) {
      refuse("\"ttl\" is not a number of seconds above zero");
    }
    const std::chrono::duration<double> given(ttl.get<double>());
    metadata.set_ttl(given < std::chrono::duration<double>(forever)
                         ? Timeout(std::llround(std::ceil(given.count() * 1e9)))
                         : forever);
  }

  void read_headers(const Json& object, OwnedMetadata& metadata) const {
    const bool plain = object.contains("headers") && !object["headers"].is_null();
    const bool encoded = object.contains("headers_b64");
    if (plain && encoded) refuse("it has both \"headers\" and \"headers_b64\"");
    if (plain) read_members(object["headers"], metadata);
    if (encoded) read_pairs(object["headers_b64"], metadata);
  }

  void read_members(const Json& members, OwnedMetadata& metadata) const {
    if (!members.is_object()) refuse("\"headers\" is not an object");
    for (const auto& [name, value] : members.items()) {
      metadata.add_header(name, text_or_base64(value, name));
    }
  }

  void read_pairs(const Json& pairs, OwnedMetadata& metadata) const {
    if (!pairs.is_array()) refuse("\"headers_b64\" is not an array");
    for (const Json& pair : pairs) {
      if (!pair.is_array() || pair.size() != 2)
        refuse("\"headers_b64\" holds something else than pairs");
      metadata.add_header(base64(pair[0], "headers_b64"), base64(pair[1], "headers_b64"));
    }
  }

  std::uint64_t number_;
};

}  // namespace

std::uint64_t timestamp_of(const Message& message) {
  return static_cast<std::uint64_t>(
      std::chrono::nanoseconds(message.timestamp().time_since_epoch()).count());
}

Envelope envelope_of(const Message& message, std::string_view queue) {
  return {.queue = queue,
          .seq = message.seq(),
          .timestamp_ns = timestamp_of(message),
          .key = message.key(),
          .headers = message.headers(),
          .payload = message.bytes(),
          .deliveries = message.deliveries(),
          .gap = message.gap(),
          .ttl = message.ttl(),
          .is_batch = message.is_batch()};
}

Envelope envelope_of(const PeekedMessage& message, std::string_view queue) {
  Envelope result{.queue = queue,
                  .seq = message.seq,
                  .timestamp_ns = message.timestamp_ns,
                  .key = std::nullopt,
                  .headers = {},
                  .payload = message.payload,
                  .deliveries = std::nullopt,
                  .ttl = message.ttl,
                  .expired = message.expired,
                  .is_batch = message.is_batch};
  if (message.key) result.key = *message.key;
  for (const auto& [name, value] : message.headers) result.headers.push_back({name, value});
  return result;
}

std::string to_json_line(const Envelope& envelope) {
  Json object;
  object["queue"] = envelope.queue;
  object["seq"] = envelope.seq;
  object["ts"] = iso_time(envelope.timestamp_ns);
  if (envelope.key) {
    add_bytes(object, "key", *envelope.key);
  } else {
    object["key"] = nullptr;
  }
  add_headers(object, envelope.headers);
  add_payload(object, envelope);
  if (envelope.deliveries) object["deliveries"] = *envelope.deliveries;
  if (envelope.gap != 0) object["gap"] = envelope.gap;
  if (envelope.ttl != no_wait) object["ttl"] = seconds(envelope.ttl);
  if (envelope.expired) object["expired"] = true;
  return object.dump() + "\n";
}

void OwnedMetadata::add_header(std::string name, std::string value) {
  const auto& field = fields_.emplace_back(std::move(name), std::move(value));
  headers_.push_back({field.first, std::as_bytes(std::span(field.second))});
}

Metadata OwnedMetadata::view() const {
  Metadata result{.key = std::nullopt, .headers = headers_, .ttl = ttl_};
  if (key_) result.key = std::as_bytes(std::span(*key_));
  return result;
}

ParsedEnvelope parse_envelope(std::string_view line, std::uint64_t number) {
  return Reader(number).read(line);
}

}  // namespace spillring::tools
