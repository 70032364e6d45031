// A message as a line of JSON, the same out and in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "spillring/message.hpp"
#include "spillring/queue.hpp"

namespace spillring::tools {

/// A message to be written out. Views: the message stays with whoever has it.
struct Envelope {
  std::string_view queue;
  std::uint64_t seq = 0;
  std::uint64_t timestamp_ns = 0;
  std::optional<std::span<const std::byte>> key;
  std::vector<Header> headers;
  std::span<const std::byte> payload;
  std::optional<unsigned> deliveries;  ///< nothing where it was not handed out
  std::uint64_t gap = 0;               ///< messages missed before it
  Timeout ttl = no_wait;               ///< what it was sent with; zero: none
  bool expired = false;
  bool is_batch = false;  ///< the payload is that of an atomic batch

  [[nodiscard]] Parts parts() const noexcept { return {payload, is_batch}; }
};

/// When it was sent, in nanoseconds since 1970.
[[nodiscard]] std::uint64_t timestamp_of(const Message& message);
[[nodiscard]] Envelope envelope_of(const Message& message, std::string_view queue);
[[nodiscard]] Envelope envelope_of(const PeekedMessage& message, std::string_view queue);

/// The envelope as one line of JSON, with its newline. Bytes that are no UTF-8 become base64:
///
///   {"queue":"q","seq":7,"ts":"2026-01-02T03:04:05.678901234Z","key":null,"headers":{"a":"b"},
///    "size":5,"payload":"hello","deliveries":1}
///
///   "payload_b64", "key_b64"  instead of "payload", "key"
///   {"b64": "..."}            as the value of a header
///   "headers_b64": [["name", "value"], ...] in base64, instead of "headers", where a name is no
///                             UTF-8 or there twice
///   "gap": 1000               messages that its group has missed before it, where it has
///   "ttl": 1.5                seconds that it was sent with, where it was
///   "expired": true           where these are over
///   "parts": ["text", {"b64": "..."}]  instead of "payload", the messages of an atomic batch;
///                             "size" is that of all of them
[[nodiscard]] std::string to_json_line(const Envelope& envelope);

/// Metadata that own their bytes.
class OwnedMetadata {
 public:
  OwnedMetadata() = default;
  OwnedMetadata(OwnedMetadata&&) = default;
  OwnedMetadata& operator=(OwnedMetadata&&) = default;

  void set_key(std::string key) { key_ = std::move(key); }
  void add_header(std::string name, std::string value);
  void set_ttl(Timeout ttl) noexcept { ttl_ = ttl; }
  [[nodiscard]] bool empty() const noexcept { return !key_ && headers_.empty() && ttl_ == no_wait; }
  /// Valid until this changes.
  [[nodiscard]] Metadata view() const;

 private:
  std::optional<std::string> key_;
  std::deque<std::pair<std::string, std::string>> fields_;  // addresses stay, also when moved
  std::vector<Header> headers_;
  Timeout ttl_ = no_wait;
};

/// A message that was read from an envelope.
struct ParsedEnvelope {
  std::string payload;
  std::optional<std::vector<std::string>> parts;  // of an atomic batch, which has no payload
  OwnedMetadata metadata;
};

/// Reads what `to_json_line` writes; "seq", "ts", "queue", "size", "deliveries" and "expired" are
/// ignored and may be missing, as may key, headers and ttl. Throws `Failure` (bad_data), naming
/// line `number`.
[[nodiscard]] ParsedEnvelope parse_envelope(std::string_view line, std::uint64_t number);

}  // namespace spillring::tools
