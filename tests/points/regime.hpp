// A supervisor in this process, and what its keeper would have.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "daemon/supervisor.hpp"
#include "os/memory.hpp"

namespace points {

/// What the processes of one queue share, at one moment: the bytes of its segments, and the packets
/// by which a keeper would hand them to the next supervisor.
struct Image {
  struct Part {
    spillring::layout::KeepingRecord record;
    std::vector<std::size_t> sizes;  // of its segments; 0: an eventfd
  };
  std::vector<Part> parts;
  std::vector<std::byte> bytes;
};

class Regime {
 public:
  struct Options {
    std::string socket;
    std::string state_dir = {};
    bool without_recovery = false;
  };
  explicit Regime(const Options& options);
  /// Begins with what another one has left.
  Regime(const Options& options, const Image& image);
  Regime(const Regime&) = delete;
  Regime& operator=(const Regime&) = delete;
  ~Regime();

  [[nodiscard]] const std::string& socket() const noexcept { return socket_; }

  /// Returns when it has done all that there was to do.
  void settle();
  /// The segments, read until they hold still. REQUIRES: the regime began with nothing.
  void copy(Image& image);
  /// Whether they are as in `image`; if not, that is brought up to date.
  bool same_as(Image& image);

 private:
  using Key = std::tuple<std::uint16_t, std::uint64_t, std::uint64_t>;  // kind, id, number
  struct Kept {
    spillring::daemon::KeptPacket packet;
    std::vector<spillring::os::Mapping> maps;
    std::vector<std::size_t> sizes;
  };

  void start();
  void hear();
  static Kept mapped(spillring::daemon::KeptPacket packet);

  std::string socket_;
  spillring::os::Fd heard_;  // the keeper's end of the line
  std::map<Key, Kept> kept_;
  bool news_ = false;  // in kept_
  std::unique_ptr<spillring::daemon::Supervisor> supervisor_;
  std::thread thread_;
};

}  // namespace points
