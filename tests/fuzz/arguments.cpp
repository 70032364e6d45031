// The arguments of the command: understood, or refused as a usage that cannot be. Nothing is run.
#include "tools/arguments.hpp"

#include <algorithm>
#include <vector>

#include "target.hpp"
#include "tools/command_line.hpp"

namespace spillring::fuzz {
namespace {

constexpr std::size_t most_arguments = 16;

/// CLI11 gets no argument that it would take for something else, and gives back what was written.
void require_unmarked(const std::string& argument) {
  const std::vector<std::string> marked = tools::marked({"--", argument});
  require(marked.size() == 1 && tools::unmarked(marked[0]) == argument,
          "an argument is what the user wrote");
}

}  // namespace

void arguments(Bytes input) {
  const std::string all = text_of(input);
  std::vector<std::string> words;
  for (std::size_t at = 0; at < all.size() && words.size() < most_arguments;) {
    const std::size_t end = std::min(all.find('\n', at), all.size());
    words.push_back(all.substr(at, end - at));
    require_unmarked(words.back());
    at = end + 1;
  }
  tools::CommandLine line;
  try {
    require(static_cast<bool>(line.understood(words)), "arguments mean something");
  } catch (const tools::Failure& failure) {
    require(failure.exit() == tools::Exit::usage, "what cannot be understood is a usage");
    require(*failure.what() != '\0', "and it is said why");
  }
}

}  // namespace spillring::fuzz
