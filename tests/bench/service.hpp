// A program that runs beside the measured processes: a supervisor, a broker.
#pragma once

#include <sys/types.h>

#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

namespace spillring::bench {

/// Its output goes to a file in `directory`. Ends with this object, and with the harness however
/// that ends.
class Service {
 public:
  /// `environment`: "NAME=value", beside what the harness has. `at_death`: the signal it gets where
  /// the harness dies.
  Service(const std::vector<std::string>& command, const std::filesystem::path& directory,
          const std::vector<std::string>& environment = {}, int at_death = SIGTERM);
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;
  ~Service();

  /// Waits until `path` exists. Throws std::runtime_error with the end of the output where it does
  /// not come.
  void await(const std::filesystem::path& path);
  /// To it and all that it has started.
  void signal(int number) const;

 private:
  std::filesystem::path log_;
  pid_t process_;
};

}  // namespace spillring::bench
