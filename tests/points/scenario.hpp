// What is tried at each of its instructions. A new operation gets its proof by one more entry in
// scenarios.cpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <random>
#include <spillring/options.hpp>
#include <string>
#include <vector>

#include "actor.hpp"

namespace points {

/// What there is before the operation. The longer form draws others than these.
struct Setting {
  std::uint32_t before = 3;   // messages that are sent and finished first
  std::uint32_t backlog = 4;  // messages that nobody has taken
  std::size_t size = 200;     // bytes of a message
  unsigned prefetch = 1;      // of whom the operation is of
  std::string text() const;
};

struct Scenario {
  std::string name;
  /// By the one that is going to be killed or stopped: what it needs, and the operation itself.
  std::function<void(Actor&, const Setting&)> prepare;
  std::function<void(Actor&, const Setting&)> operate;
  spillring::QueueOptions options = {};
  bool on_disk = false;  // with a state directory
  /// How many messages there are that nobody has taken, where the setting does not say.
  std::uint32_t backlog = 0;
  bool full = false;     // there is no room left
  bool alone = false;    // it is the only member of the group
  bool streams = false;  // it is the stream's reader, in whose place nobody else reads
};

/// A small queue: its slots and its bytes go round often.
spillring::QueueOptions small_queue();

const std::vector<Scenario>& scenarios();

Setting drawn(std::mt19937_64& random);

}  // namespace points
