// A supervisor that answers as a script says: right, as long as that is empty, with a queue that
// has messages in a ring and in a segment of the journal; and wrong where it says so. What a script
// changes of the queue's memory is changed before anybody maps it.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "control/channel.hpp"
#include "layout/bells.hpp"
#include "layout/groups.hpp"
#include "layout/manifest.hpp"
#include "layout/ring.hpp"
#include "os/memory.hpp"
#include "target.hpp"
#include "temporary_directory.hpp"

namespace spillring::fuzz {

class ScriptedSupervisor {
 public:
  static constexpr std::uint64_t queue_id = 7;
  static constexpr std::uint64_t first_in_ring = 9;  // what is before is in the journal
  static constexpr std::uint64_t window = 64;
  static constexpr layout::RingGeometry geometry{64, 4096};

  ScriptedSupervisor();
  ScriptedSupervisor(const ScriptedSupervisor&) = delete;
  ScriptedSupervisor& operator=(const ScriptedSupervisor&) = delete;
  /// Ends with the process.
  ~ScriptedSupervisor() = delete;

  /// Everything is as it was; then `forgeries` changes of the queue's memory, read from the script,
  /// and the rest of it is for the answers.
  void begin(Bytes script);

  [[nodiscard]] const std::string& socket() const { return socket_; }
  /// What all payloads are parts of, wherever they lie: twice, as it may run over the end.
  [[nodiscard]] const std::vector<std::byte>& pattern() const { return pattern_; }

 private:
  /// One of the queue's segments, and what it has to be at the beginning.
  struct Segment {
    explicit Segment(std::size_t size);
    os::Fd writable;
    os::Fd read_only;
    os::Mapping map;
    std::vector<std::byte> right;
    void keep();
    void restore();
    [[nodiscard]] std::span<std::byte> bytes() const { return {map.data(), right.size()}; }
  };
  /// An answer before it is sent.
  struct Draft {
    layout::Reply reply{};
    std::vector<std::byte> records;
    std::vector<int> descriptors;
  };

  void make_queue();
  void publish(std::uint64_t s, std::uint32_t size, std::uint32_t flags, std::uint32_t metadata);
  void make_journal();
  void serve();
  bool answer(const os::Fd& socket, const layout::Request& request);
  bool send(const os::Fd& socket, Draft draft);
  [[nodiscard]] Draft right_answer(const layout::Request& request) const;
  void forge_descriptors(std::vector<int>& descriptors);

  TemporaryDirectory directory_;
  std::string socket_ = directory_.path() / "socket";
  std::vector<std::byte> pattern_;
  Segment manifest_{os::whole_pages(sizeof(layout::Manifest))};
  Segment groups_{os::whole_pages(sizeof(layout::Groups))};
  Segment bells_{os::whole_pages(sizeof(layout::Bells))};
  Segment words_{os::whole_pages(window * sizeof(layout::Word))};
  Segment ring_{geometry.segment_size()};
  os::Fd service_;
  os::Fd journal_;
  std::vector<std::byte> right_journal_;
  os::Fd nothing_;
  os::Fd listener_;
  std::mutex mutex_;  // of what follows
  std::vector<std::byte> script_;
  Input in_{Bytes{}};
  std::thread thread_;
};

}  // namespace spillring::fuzz
