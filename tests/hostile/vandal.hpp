// A client with the rights of any other, which writes anything wherever it may.
#pragma once

#include <atomic>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "client/raw_client.hpp"
#include "layout/bells.hpp"
#include "layout/manifest.hpp"
#include "layout/ring.hpp"

namespace spillring::hostile {

class Vandal {
 public:
  /// Throws `Error` where the queue does not let it in.
  Vandal(const std::string& socket, const std::string& queue, layout::Role role, unsigned seed);

  /// Writes so many words. Throws `Error` once the queue is gone.
  void write(std::uint64_t count);

 private:
  // Where everything is written to, contradictions are found before the contents are looked at.
  enum class Manner : std::uint8_t { everything, contents, header };
  struct Words {
    std::uint64_t* begin = nullptr;
    std::uint64_t size = 0;
  };
  void attach(const std::string& queue);
  void follow_rings();
  [[nodiscard]] std::uint64_t any(std::uint64_t below) { return random_() % below; }
  [[nodiscard]] std::uint64_t* place();
  [[nodiscard]] std::uint64_t* place_in_groups();
  [[nodiscard]] std::uint64_t* place_in_ring();
  [[nodiscard]] std::uint64_t value_for(const std::uint64_t* word);
  static Words words_of(const os::Mapping& map, std::size_t bytes);

  RawClient client_;
  layout::Role role_;
  std::mt19937_64 random_;
  Manner manner_;
  std::uint64_t queue_ = 0;
  std::uint32_t handle_ = 0;
  std::uint64_t ring_name_ = 0;
  layout::RingGeometry geometry_;
  os::Mapping manifest_map_;
  os::Mapping groups_map_;
  os::Mapping bells_map_;
  os::Mapping words_map_;
  os::Mapping ring_map_;
  os::Fd service_;
  Words words_;
  std::vector<std::uint64_t> seen_;  // values that were there once
};

}  // namespace spillring::hostile
