// The structs of spillring.h as the library's own.
#pragma once

#include <algorithm>
#include <cstring>
#include <vector>

#include "spillring.h"
#include "spillring/client.hpp"
#include "spillring/options.hpp"

namespace spillring::c {

/// As much of the caller's struct as it has and we know; all else is zero. Throws `Error` (invalid)
/// where `size` was not set.
template <typename Struct>
Struct known_part(const Struct* given) {
  Struct known{};
  if (given == nullptr) return known;
  if (given->size < sizeof(given->size)) {
    throw Error(Code::invalid, "an options struct without its size", "",
                "set its member `size` to sizeof");
  }
  std::memcpy(&known, given, std::min(given->size, sizeof known));
  return known;
}

/// Fills as much of the caller's struct as it has room for; its `size` stays.
template <typename Struct>
void fill(Struct* target, Struct source) {
  const std::size_t room = target->size;
  if (room < sizeof room) {
    throw Error(Code::invalid, "a struct to be filled without its size", "",
                "set its member `size` to sizeof");
  }
  source.size = room;
  std::memcpy(target, &source, std::min(room, sizeof source));
}

inline Timeout timeout_of(std::int64_t nanoseconds) noexcept { return Timeout(nanoseconds); }

ConnectOptions options_of(const spillring_connect_options* given);
QueueOptions options_of(const spillring_queue_options* given);
ConsumerOptions shared_options(const spillring_consumer_options* given);
SubscriberOptions stream_options(const spillring_consumer_options* given);
/// Throws `Error` (invalid).
Start start_of(std::int32_t from, std::uint64_t value, Start standard);

/// A queue as C sees it, with all that it points to.
class ShownQueue {
 public:
  explicit ShownQueue(QueueInfo info);
  ShownQueue(const ShownQueue&) = delete;
  ShownQueue& operator=(const ShownQueue&) = delete;
  ~ShownQueue() = default;
  [[nodiscard]] const spillring_queue_info& info() const noexcept { return shown_; }

 private:
  QueueInfo info_;
  spillring_queue_options options_;
  spillring_queue_info shown_;
};

/// Key and headers of a call, kept while this lives.
class GivenMetadata {
 public:
  explicit GivenMetadata(const spillring_metadata* given);
  [[nodiscard]] const Metadata& view() const noexcept { return metadata_; }

 private:
  std::vector<Header> headers_;
  Metadata metadata_;
};

}  // namespace spillring::c
