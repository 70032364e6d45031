#include "program.hpp"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "peer.hpp"

namespace spillring::bench {
namespace {

class ProgramStage : public Stage {
 public:
  ProgramStage(std::vector<std::string> command, bool together, std::filesystem::path directory)
      : command_(std::move(command)), together_(together), directory_(std::move(directory)) {}

  void play(Role& role) override {
    if (together_ && role.seat_number() != 0) return role.sit_idle();
    std::vector<std::string> all = command_;
    for (std::string& argument : role.work().arguments()) all.push_back(std::move(argument));
    all.push_back("window=/proc/self/fd/" + std::to_string(role.window_file()));
    all.push_back("seat=" + std::to_string(role.seat_number()));
    all.push_back("directory=" + directory_.string());
    std::vector<char*> arguments;
    arguments.reserve(all.size() + 1);
    for (std::string& argument : all) arguments.push_back(argument.data());
    arguments.push_back(nullptr);
    ::execvp(arguments.front(), arguments.data());
    role.fail("cannot run " + command_.front());
  }

 private:
  std::vector<std::string> command_;
  bool together_;
  std::filesystem::path directory_;
};

std::string why_not(const nlohmann::json& program, const Work& work) {
  if (program.contains("missing")) return program["missing"];
  const auto& works = program["works"];
  if (std::find(works.begin(), works.end(), work.name) == works.end()) return "it does not do this";
  return {};
}

Peer peer_of(const nlohmann::json& program) {
  return {.name = program["name"],
          .settings = program["settings"],
          .cannot = [program](const Work& work) { return why_not(program, work); },
          .set =
              [program](const Work&, const std::filesystem::path& directory) {
                return std::make_unique<ProgramStage>(program["command"],
                                                      program.value("together", false), directory);
              },
          .python = program.value("python", false),
          .sleeps = program.value("sleeps", false),
          .warmups = program.value("warmups", 1U)};
}

}  // namespace

void add_programs(const std::filesystem::path& list) {
  std::ifstream file(list);
  for (const nlohmann::json& program : nlohmann::json::parse(file)) {
    all_peers().push_back(peer_of(program));
  }
}

}  // namespace spillring::bench
