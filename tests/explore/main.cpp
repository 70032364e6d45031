// explore [--executions N] [--random PERCENT] [--seed S] [--list] [SCENARIO...]
//
// Explores each scenario (all, if none is named) with N executions, and prints one line for each,
// tab separated: what run and mutants read. The first violation ends it, with the events that lead
// to it, and exit status 1.
#include <fmt/format.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>
#include <vector>

#include "mutant.hpp"
#include "scenarios.hpp"

namespace {

using namespace explore;

struct Arguments {
  std::uint64_t executions = 10'000;
  unsigned random = 50;
  std::uint64_t seed = 1;
  bool list = false;
  std::vector<std::string> names;
};

std::uint64_t number(const char* text) {
  char* end = nullptr;
  const std::uint64_t value = std::strtoull(text, &end, 10);
  if (end == text || *end != '\0') {
    fmt::print(stderr, "explore: '{}' is no number\n", text);
    std::exit(2);
  }
  return value;
}

Arguments read(int count, char** given) {
  Arguments arguments;
  for (int i = 1; i < count; ++i) {
    const std::string argument = given[i];
    const bool more = i + 1 < count;
    if (argument == "--list") {
      arguments.list = true;
    } else if (argument == "--executions" && more) {
      arguments.executions = number(given[++i]);
    } else if (argument == "--random" && more) {
      arguments.random = static_cast<unsigned>(std::min<std::uint64_t>(number(given[++i]), 100));
    } else if (argument == "--seed" && more) {
      arguments.seed = number(given[++i]);
    } else if (argument.rfind("--", 0) != 0) {
      arguments.names.push_back(argument);
    } else {
      fmt::print(stderr,
                 "usage: explore [--executions N] [--random PERCENT] [--seed S] [--list] "
                 "[SCENARIO...]\n");
      std::exit(2);
    }
  }
  return arguments;
}

/// The kernel's: the library's clock is the explored machine's.
double seconds() {
  timespec at{};
  ::syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &at);
  return static_cast<double>(at.tv_sec) + static_cast<double>(at.tv_nsec) / 1e9;
}

/// What is said where there was no violation.
std::string said_of_nothing() { return mutant != 0 && !was_reached ? "not reached" : "ok"; }

bool explore_one(const Scenario& scenario, const Arguments& arguments) {
  const double began = seconds();
  const Found found = search(scenario, arguments.executions, arguments.random, arguments.seed);
  fmt::print("{}\t{}\t{}\t{}\t{}\t{}\t{}\t{:.1f}\t{}\n", scenario.name, found.ended, found.random,
             found.given_up, found.states, found.all ? "all" : "some", found.longest,
             seconds() - began, found.violation.empty() ? said_of_nothing() : found.violation);
  if (!found.violation.empty()) {
    fmt::print("\n{} ({}; {}): {}\n", scenario.name, scenario.checks, found.how, found.violation);
    for (const std::string& event : found.trace) fmt::print("  {}\n", event);
  }
  std::fflush(stdout);
  return found.violation.empty();
}

}  // namespace

int main(int count, char** given) {
  const Arguments arguments = read(count, given);
  std::vector<const explore::Scenario*> chosen;
  for (const std::string& name : arguments.names) {
    const auto all = explore::scenarios();
    const auto at =
        std::find_if(all.begin(), all.end(), [&](const auto& s) { return name == s.name; });
    if (at == all.end()) {
      fmt::print(stderr, "explore: there is no scenario '{}'; --list names them\n", name);
      return 2;
    }
    chosen.push_back(&*at);
  }
  if (arguments.names.empty()) {
    for (const auto& scenario : explore::scenarios()) chosen.push_back(&scenario);
  }
  for (const explore::Scenario* scenario : chosen) {
    if (arguments.list) {
      fmt::print("{}\t{}\n", scenario->name, scenario->checks);
    } else if (!explore_one(*scenario, arguments)) {
      return 1;
    }
  }
  return 0;
}
