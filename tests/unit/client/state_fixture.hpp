// A supervisor in this process with a state directory, to be ended and started again.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <system_error>
#include <vector>

#include "spillring/embedded.hpp"
#include "spillring/spillring.hpp"
#include "temporary_directory.hpp"

namespace spillring {

class StateTest : public ::testing::Test {
 protected:
  explicit StateTest(std::uint64_t segment_size = 256 * KiB) : segment_size_(segment_size) {
    start();
  }

  void start() {
    Embedded::Options options;
    options.state_dir = state();
    options.segment_size = segment_size_;
    supervisor_.emplace(options);
  }
  void stop() { supervisor_.reset(); }
  void restart() {
    stop();
    start();
  }
  [[nodiscard]] Client bus() const { return supervisor_->connect(); }
  [[nodiscard]] std::string socket() const { return supervisor_->socket(); }
  [[nodiscard]] std::filesystem::path state() const { return directory_.path() / "state"; }
  /// The journal's segments, in order. Where the supervisor removes a queue's meanwhile, it looks
  /// again.
  [[nodiscard]] std::vector<std::filesystem::path> segments() const {
    std::vector<std::filesystem::path> found;
    std::error_code vanished;
    do {
      found.clear();
      std::filesystem::recursive_directory_iterator at(state() / "journal");
      for (; at != end(at); at.increment(vanished)) {
        if (at->is_regular_file()) found.push_back(at->path());
      }
    } while (vanished);
    std::sort(found.begin(), found.end());
    return found;
  }

 private:
  std::uint64_t segment_size_;
  TemporaryDirectory directory_;  // outlives the supervisor
  std::optional<Embedded> supervisor_;
};

}  // namespace spillring
