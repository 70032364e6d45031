// One program for all targets, as building and linking is most of the work: the fuzzer's own
// arguments, and --target=NAME; --list says which there are.
#include <array>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "target.hpp"

namespace spillring::fuzz {
namespace {

struct Target {
  std::string_view name;
  void (*run)(Bytes input);
};

constexpr std::array targets{
    Target{"answers", answers},
    Target{"arguments", arguments},
    Target{"catalogue", catalogue},
    Target{"configuration", configuration},
    Target{"envelope", envelope},
    Target{"journal", journal},
    Target{"message", message},
    Target{"names", names},
    Target{"quantities", quantities},
    Target{"requests", requests},
    Target{"ring", ring},
};

const Target* chosen = nullptr;

void choose(std::string_view argument) {
  constexpr std::string_view option = "--target=";
  if (argument == "--list") {
    for (const Target& target : targets) std::puts(target.name.data());
    std::exit(0);
  }
  if (!argument.starts_with(option)) return;
  for (const Target& target : targets) {
    if (target.name == argument.substr(option.size())) chosen = &target;
  }
}

}  // namespace
}  // namespace spillring::fuzz

// NOLINTNEXTLINE(readability-identifier-naming): the fuzzer calls it
extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  for (int i = 1; i < *argc; ++i) spillring::fuzz::choose((*argv)[i]);
  if (spillring::fuzz::chosen != nullptr) return 0;
  std::fputs("fuzz: there is no such target; --list says which there are\n", stderr);
  std::exit(2);
}

// NOLINTNEXTLINE(readability-identifier-naming): likewise
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  spillring::fuzz::chosen->run(std::as_bytes(std::span(data, size)));
  return 0;
}
