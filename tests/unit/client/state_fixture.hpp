// A supervisor in this process with a state directory, to be ended and started again.
#pragma once

#include <gtest/gtest.h>

#include <optional>

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

 private:
  std::uint64_t segment_size_;
  TemporaryDirectory directory_;  // outlives the supervisor
  std::optional<Embedded> supervisor_;
};

}  // namespace spillring
