// Whatever carries messages from process to process, as the harness knows it.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "play.hpp"

namespace spillring::bench {

/// Something is missing on this machine, or forbidden, that a peer needs.
struct Unable : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// A carrier that was set up for one work.
class Stage {
 public:
  Stage() = default;
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;
  virtual ~Stage() = default;
  /// The whole life of one of the work's processes.
  virtual void play(Role& role) = 0;
};

struct Peer {
  std::string name;
  std::string settings;  ///< how it is configured, for the report
  /// Why it cannot do the work; empty: it can.
  std::function<std::string(const Work&)> cannot;
  /// Sets it up in a directory of its own.
  std::function<std::unique_ptr<Stage>(const Work&, const std::filesystem::path&)> set;
  bool python = false;   ///< a program in Python
  bool alone = false;    ///< it has no receiver: a limit, not a carrier
  bool sleeps = false;   ///< in the kernel, or while a broker works, even in works that are busy
  unsigned warmups = 1;  ///< windows of each set of processes that are not counted
  std::chrono::milliseconds window{};  ///< longer than a work's own
  bool rival = true;  ///< not ourselves and no yardstick: where it fails, that is its own affair
};

/// All that were built, by name.
std::vector<Peer>& all_peers();

/// A Carrier is made in the harness with (work, directory). Its processes make from it
/// `Out(carrier, role, lane)` and `In(carrier, role, lane)`; lane 1 is for answers.
template <typename Carrier>
class StageOf : public Stage {
 public:
  StageOf(const Work& work, const std::filesystem::path& directory) : carrier_(work, directory) {}
  void play(Role& role) override {
    if (role.work().kind == Kind::round_trip) return play_round_trip(role);
    if (!role.produces()) {
      typename Carrier::In in(carrier_, role, 0);
      consume(role, in);
    } else if (role.work().kind == Kind::attach) {
      arrive(role, [&] { return typename Carrier::Out(carrier_, role, 0); });
    } else {
      typename Carrier::Out out(carrier_, role, 0);
      produce(role, out);
    }
  }

 private:
  void play_round_trip(Role& role) {
    const unsigned mine = role.produces() ? 0 : 1;
    // Where making an end waits for the other end, both must begin with the same lane.
    if (mine == 0) {
      typename Carrier::Out out(carrier_, role, 0);
      typename Carrier::In in(carrier_, role, 1);
      ping(role, out, in);
    } else {
      typename Carrier::In in(carrier_, role, 0);
      typename Carrier::Out out(carrier_, role, 1);
      pong(role, out, in);
    }
  }
  Carrier carrier_;
};

/// A peer that is a class of this program; one such object in the file that defines it.
template <typename Carrier>
struct Registered {
  Registered() {
    Peer peer{.name = Carrier::name,
              .settings = Carrier::settings,
              .cannot = &Carrier::cannot,
              .set = [](const Work& work, const std::filesystem::path& directory) {
                return std::make_unique<StageOf<Carrier>>(work, directory);
              }};
    if constexpr (requires { Carrier::alone; }) peer.alone = Carrier::alone;
    if constexpr (requires { Carrier::sleeps; }) peer.sleeps = Carrier::sleeps;
    if constexpr (requires { Carrier::window; }) peer.window = Carrier::window;
    if constexpr (requires { Carrier::rival; }) peer.rival = Carrier::rival;
    all_peers().push_back(std::move(peer));
  }
};

}  // namespace spillring::bench
