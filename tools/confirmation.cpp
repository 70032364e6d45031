#include "confirmation.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <iostream>

#include "failure.hpp"

namespace spillring::tools {

void require_confirmable(bool yes, const std::string& what) {
  if (yes || isatty(STDIN_FILENO) != 0) return;
  throw usage_failure(fmt::format("{} needs a confirmation", what),
                      "stdin is no terminal, so nobody can be asked", "add --yes");
}

bool confirmed(bool yes, const std::string& question) {
  if (yes) return true;
  fmt::print(stderr, "{} [y/N] ", question);
  std::string answer;
  std::getline(std::cin, answer);
  if (answer == "y" || answer == "Y" || answer == "yes") return true;
  fmt::print(stderr, "nothing was changed\n");
  return false;
}

}  // namespace spillring::tools
