// The works that every peer does, as far as it can.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace spillring::bench {

enum class Kind {
  round_trip,  ///< a message, its answer, the next one: nanoseconds
  stream,      ///< as many as go through: messages a second
  attach,      ///< from nothing to the first message: nanoseconds; and the memory that takes
  load,        ///< on schedule: nanoseconds from when a message is due until it is received
  cpu,         ///< the same stream, but what counts is the processors' time: seconds a second
};

/// How a receiver waits.
enum class Wait {
  busy,   ///< it asks over and over
  wait,   ///< by the peer's own waiting call, and the other side is quick
  sleep,  ///< the same, and the other side takes so long that it really sleeps
};

/// Paces that are none.
constexpr std::uint64_t as_fast_as_possible = 0;
constexpr std::uint64_t nothing_at_all = ~std::uint64_t{0};

struct Work {
  std::string name = {};
  Kind kind = Kind::stream;
  std::size_t size = 64;  ///< bytes of a message
  Wait wait = Wait::busy;
  unsigned producers = 1;
  unsigned consumers = 1;
  bool shared = false;       ///< each message goes to one of the consumers and is acknowledged
  unsigned batch = 1;        ///< messages sent and received at a time
  bool touched = true;       ///< written and read in full; else its first word
  bool exclusive = false;    ///< by a sender that is the only one and says so
  bool python = false;       ///< between programs in Python
  unsigned idle_queues = 0;  ///< of the same supervisor; the consumer of each sleeps
  unsigned idle_groups = 0;  ///< of the same queue: they read nothing while a burst goes through
  unsigned burst = 0;        ///< so many messages, and a pause that does not count; 0: no pauses
  std::size_t capacity = 0;  ///< bytes of memory, there from the beginning; 0: as each has it
  double part = 0;           ///< of a peer's greatest rate, measured just before; in Kind::load
  /// Picoseconds from one message to the next, in Kind::cpu.
  std::uint64_t pace = as_fast_as_possible;
  /// Works that are compared with each other take turns: each peer does all of them in each round.
  std::string_view turns = {};
  std::string_view curve = {};  ///< it is a point of one, named after it and where it is
  std::size_t at = 0;           ///< there

  /// All of it as the arguments of a program: name=value.
  [[nodiscard]] std::vector<std::string> arguments() const;
  /// More processes than the two cores hold: whoever has nothing to do lets others run.
  [[nodiscard]] bool crowded() const { return producers + consumers > 2; }
  /// Asks for what only we have.
  [[nodiscard]] bool ours() const { return curve == "groups" || curve == "queues"; }
  /// One of many that show one thing together: half the rounds do.
  [[nodiscard]] bool one_of_many() const {
    return !curve.empty() || kind == Kind::load || kind == Kind::cpu;
  }
  /// A busy round trip: who asks over and over gets it sooner than who waits.
  [[nodiscard]] bool polled() const { return kind == Kind::round_trip && wait == Wait::busy; }
  /// Bytes of a message that are written and read.
  [[nodiscard]] std::size_t touched_bytes() const { return touched ? size : 8; }
  [[nodiscard]] std::chrono::milliseconds window() const;
};

/// All of them, in the order of the report.
const std::vector<Work>& all_works();
std::optional<Work> find_work(std::string_view name);

}  // namespace spillring::bench
