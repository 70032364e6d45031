// Which executions of a scenario are tried: first all with few deviations, then random ones.
//
// The first search is depth first. Executions that differ from what was tried only in the order of
// steps that do not touch one another come to the same state, which is known by what each role has
// read and written so far; there they are given up, because all that may follow has been tried.
// The second knows no bound: roles have random priorities, of which a few fall at random steps
// (after Burckhardt and others, "A randomized scheduler with probabilistic guarantees of finding
// bugs"); loads find old values, roles die, and sleepers' times are over at random.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "machine.hpp"

namespace explore {

/// How many deviations of each kind one execution may have.
struct Bounds {
  unsigned preempt = 2;
  unsigned stale = 1;
  unsigned die = 1;
  unsigned time_out = 0;
};

struct Scenario {
  const char* name = "";
  const char* checks = "";  // the invariants, and what else
  void (*build)(Machine&) = nullptr;
  Bounds bounds{};
};

/// What a search came to.
struct Found {
  std::uint64_t ended = 0;     // executions that came to their end
  std::uint64_t given_up = 0;  // at a state that was known
  std::uint64_t states = 0;
  std::uint64_t random = 0;  // of those that ended
  unsigned longest = 0;      // steps of an execution
  bool all = false;          // all with as many deviations as the bounds allow
  std::string violation;     // empty: none
  std::vector<std::string> trace;
  std::string how;  // the violation was found
};

/// Up to `most` executions that end; a `share` of them (of 100) random.
Found search(const Scenario& scenario, std::uint64_t most, unsigned share, std::uint64_t seed);

}  // namespace explore
