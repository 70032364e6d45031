#include "journal/checksum.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "journal/checksum_avx2.hpp"

namespace spillring::journal {

struct Checksum::State {
  XXH3_state_t of;
};

Checksum::Checksum(std::uint64_t seed) : state_(std::make_unique<State>()) {
  XXH3_64bits_reset_withSeed(&state_->of, seed);
}
Checksum::~Checksum() = default;

void Checksum::add(std::span<const std::byte> bytes) noexcept {
  static const bool has_avx2 = __builtin_cpu_supports("avx2") != 0;
  if (has_avx2) {
    add_with_avx2(&state_->of, bytes.data(), bytes.size());
  } else {
    XXH3_64bits_update(&state_->of, bytes.data(), bytes.size());
  }
}

std::uint64_t Checksum::value() const noexcept { return XXH3_64bits_digest(&state_->of); }

std::uint64_t checksum_of(const layout::SegmentHeader& header) noexcept {
  return XXH3_64bits_withSeed(&header, offsetof(layout::SegmentHeader, checksum), header.salt);
}

std::uint64_t checksum_of(const layout::BatchHeader& header, std::uint64_t salt) noexcept {
  return XXH3_64bits_withSeed(&header, offsetof(layout::BatchHeader, checksum), salt);
}

}  // namespace spillring::journal
