// The journal's checksum: XXH3-64.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "layout/journal.hpp"

namespace spillring::journal {

/// Of bytes that come in pieces.
class Checksum {
 public:
  explicit Checksum(std::uint64_t seed);
  Checksum(const Checksum&) = delete;
  Checksum& operator=(const Checksum&) = delete;
  ~Checksum();

  void add(std::span<const std::byte> bytes) noexcept;
  [[nodiscard]] std::uint64_t value() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// What a header's `checksum` has to be.
std::uint64_t checksum_of(const layout::SegmentHeader& header) noexcept;
std::uint64_t checksum_of(const layout::BatchHeader& header, std::uint64_t salt) noexcept;

}  // namespace spillring::journal
