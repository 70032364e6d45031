// Somebody who uses the queue, and writes into the ledger what came of each call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <spillring/spillring.hpp>
#include <string>

#include "ledger.hpp"

namespace points {

inline constexpr const char* queue_name = "q";
inline constexpr const char* group_name = "g";   // a shared group
inline constexpr const char* stream_name = "s";  // a stream, which sees all of it, too

class Actor {
 public:
  Actor(const std::string& socket, Ledger& ledger)
      : ledger_(ledger), bus_({.socket = socket, .autostart = false}) {}

  // -- to attach and detach
  void write() { out_.emplace(queue().producer()); }
  void join(unsigned prefetch = 1) {
    in_.emplace(queue().consumer(group_name, {.prefetch = prefetch}));
  }
  /// As the stream's reader.
  void follow() {
    stream_.emplace(queue().subscriber(stream_name, {.start = spillring::Start::earliest()}));
  }
  void stop_writing() { out_.reset(); }
  void leave() { in_.reset(); }
  [[nodiscard]] bool is_member() const noexcept { return in_.has_value(); }
  void stop_following() { stream_.reset(); }

  // -- as a producer; true if it was taken
  bool send(std::size_t size, spillring::Timeout timeout = spillring::forever);
  bool lend(std::size_t size, spillring::Timeout timeout = spillring::forever);
  bool publish();
  void cancel();
  void flush();

  // -- as a member of the group
  /// Holds one message more; false if there is none.
  bool take(spillring::Timeout timeout = spillring::no_wait);
  /// What it holds, oldest first. True if it was its own to finish.
  bool acknowledge();
  /// The same, but it goes on looking at it: at the last `most`.
  void acknowledge_and_look_on(std::size_t most);
  void hand_back(spillring::Timeout delay = spillring::no_wait);
  void drop() {
    if (!held_.empty()) held_.pop_front();
  }
  /// To where the group is: nothing is passed over, nothing comes again.
  void seek();
  [[nodiscard]] std::size_t holds() const noexcept { return held_.size(); }
  /// Everything that it looks at is whole still; it looks away.
  void look_again();

  // -- as the stream's reader: the next one, at once finished with; false if there is none
  bool read(spillring::Timeout timeout = spillring::no_wait);

  [[nodiscard]] spillring::Queue queue() const { return bus_.open(queue_name); }
  [[nodiscard]] const spillring::Client& bus() const noexcept { return bus_; }
  [[nodiscard]] Ledger& ledger() noexcept { return ledger_; }

 private:
  struct Held {
    spillring::Message message;
    std::uint32_t n = 0;
  };

  std::uint32_t begin(std::size_t size);
  bool sent(std::uint32_t n, spillring::Code code);
  bool finish(Held& held, spillring::Result<void> (spillring::Message::*how)());
  [[nodiscard]] Fate& fate(std::uint32_t n) noexcept { return ledger_.fates[n]; }
  /// The number of what came; nullopt: it is nobody's.
  std::optional<std::uint32_t> identify(const spillring::Message& message);

  Ledger& ledger_;
  spillring::Client bus_;
  std::optional<spillring::Producer> out_;
  std::optional<spillring::Consumer> in_;
  std::optional<spillring::Consumer> stream_;
  spillring::Loan loan_;
  std::uint32_t lent_ = 0;
  std::deque<Held> held_;
  std::deque<Held> looked_at_;
  std::uint64_t last_read_ = 0;
};

}  // namespace points
