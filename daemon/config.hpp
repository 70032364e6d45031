// The configuration file: TOML, one key for each setting.
#pragma once

#include <exception>
#include <string>
#include <utility>
#include <vector>

#include "settings.hpp"

namespace spillring::daemon {

struct Config {
  std::string file;  // empty: there is none
  std::string text;
};

/// A file that cannot be read, or says what cannot be.
class ConfigError : public std::exception {
 public:
  explicit ConfigError(std::vector<std::string> problems) : problems_(std::move(problems)) {}

  /// One line each: file, line and column, what is wrong, and what to write.
  [[nodiscard]] const std::vector<std::string>& problems() const noexcept { return problems_; }
  [[nodiscard]] const char* what() const noexcept override {
    return "the configuration file is wrong";
  }

 private:
  std::vector<std::string> problems_;
};

/// Reads the file; an empty name is an empty file. Throws `ConfigError`.
[[nodiscard]] Config read_config(const std::string& file);

/// Takes the file's settings. Throws `ConfigError` with all its problems.
void apply(const Config& config, Settings& settings);

}  // namespace spillring::daemon
