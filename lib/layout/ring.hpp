// D, a ring: claim words, descriptors, arena. Written by producers (and by the supervisor where it
// repairs and seals).
//
//   offset                  0  RingHeader (one page)
//                        4096  claim words, 16 bytes each: producers look at them, readers never
//                4096 + 16 N  descriptors, 64 bytes each: the line that a waiting reader polls
//     whole page after those  the arena; mapped twice in a row, so that no message wraps
//
// Two arrays, so that a claim does not pull the line that a reader polls away from it.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "layout/limits.hpp"
#include "layout/words.hpp"
#include "os/atomic.hpp"

namespace spillring::layout {

inline constexpr std::uint64_t ring_magic = 0x31474E524C495053;  // "SPILRNG1"

struct RingHeader {
  std::uint64_t magic;
  std::uint64_t first;  // the ring's first sequence, and its name
  std::uint64_t slots;
  std::uint64_t arena;
  std::uint64_t reserved_identity[4];
  alignas(cache_line) os::Atomic<std::uint64_t> tail;  // a hint: the next sequence to claim
  std::uint64_t reserved_tail[7];
  alignas(cache_line) os::Atomic<std::uint64_t> gone;  // readers must not start on anything below
  // Where the oldest are dropped: how many numbers of this ring below `gone` are no messages,
  // changed together with `gone` by one 128-bit compare-and-swap; and how many below the ring's
  // first, by the supervisor, before the ring is the oldest.
  os::Atomic<std::uint64_t> skipped;
  os::Atomic<std::uint64_t> skipped_before;
  std::uint64_t reserved_gone[5];
  alignas(cache_line) os::Atomic<std::uint64_t> limit;  // everything below may be overwritten
  std::uint64_t reserved_limit[7];
};
static_assert(offsetof(RingHeader, tail) == 64, "written by every claim: its own line");
static_assert(offsetof(RingHeader, gone) == 128, "read by every reader: its own line");
static_assert(offsetof(RingHeader, skipped) == 136, "the upper half of a pair with gone");
static_assert(offsetof(RingHeader, skipped_before) == 144);
static_assert(offsetof(RingHeader, limit) == 192, "read by claimers: its own line");
static_assert(sizeof(RingHeader) == 256);

struct alignas(16) ClaimWord {
  os::Atomic<std::uint64_t> word;  // claim_word: lap and owner
  os::Atomic<std::uint64_t> end;   // absolute end of the extent; fixed until the slot's next claim
};
static_assert(sizeof(ClaimWord) == 16, "one 128-bit compare-and-swap covers it");
static_assert(offsetof(ClaimWord, end) == 8, "the upper half of the pair");

enum DescriptorFlags : std::uint32_t {
  payload_inline = 1,  // the payload lies in the descriptor
  expires = 2,         // an Expiry does; not with the other
  batch = 4,           // the payload is an atomic batch (layout/batch.hpp)
};

/// Until when a message is delivered. It lies where a small payload would, so that messages without
/// one pay nothing for it.
struct Expiry {
  std::int64_t at;     // CLOCK_MONOTONIC, nanoseconds
  std::uint64_t boot;  // of the machine, that this was measured in: Manifest::boot
  std::uint64_t ttl;   // what was asked for, nanoseconds: after another boot, since `timestamp`
};
static_assert(sizeof(Expiry) == inline_size && alignof(Expiry) == 8);

struct Descriptor {
  os::Atomic<std::uint64_t> published;  // publish_word; changed by compare-and-swap only
  // The rest belongs to the owner between claim and publish, and is read only once committed.
  std::uint64_t start;          // absolute arena position of the payload
  std::uint64_t timestamp;      // nanoseconds since 1970
  std::uint32_t size;           // of the payload
  std::uint32_t metadata_size;  // key and headers, in whole extent units right before `start`
  std::uint32_t flags;          // DescriptorFlags
  std::uint32_t reserved;       // zero
  union {
    std::byte bytes[inline_size];
    Expiry expiry;
  };
};
static_assert(sizeof(Descriptor) == 64, "one cache line: a small message costs one transfer");
static_assert(offsetof(Descriptor, published) == 0);
static_assert(offsetof(Descriptor, start) == 8);
static_assert(offsetof(Descriptor, timestamp) == 16);
static_assert(offsetof(Descriptor, size) == 24);
static_assert(offsetof(Descriptor, metadata_size) == 28);
static_assert(offsetof(Descriptor, flags) == 32);
static_assert(offsetof(Descriptor, reserved) == 36);
static_assert(offsetof(Descriptor, bytes) == 40,
              "aligned to 8, which inline payloads are promised");
static_assert(std::is_standard_layout_v<Descriptor> && std::is_standard_layout_v<RingHeader>);

/// The two numbers everything else of a ring follows from. Never read from the ring itself: they
/// come with its descriptor from the supervisor.
struct RingGeometry {
  std::uint64_t slots = 0;  // N, a power of two
  std::uint64_t arena = 0;  // bytes, whole pages

  [[nodiscard]] constexpr unsigned slots_log2() const noexcept {
    return static_cast<unsigned>(std::countr_zero(slots));
  }
  [[nodiscard]] constexpr std::size_t claims_at() const noexcept { return page; }
  [[nodiscard]] constexpr std::size_t descriptors_at() const noexcept {
    return claims_at() + slots * sizeof(ClaimWord);
  }
  [[nodiscard]] constexpr std::size_t arena_at() const noexcept {
    return (descriptors_at() + slots * sizeof(Descriptor) + page - 1) / page * page;
  }
  [[nodiscard]] constexpr std::size_t segment_size() const noexcept { return arena_at() + arena; }
  [[nodiscard]] constexpr bool valid() const noexcept {
    return std::has_single_bit(slots) && slots >= min_slots && slots <= max_slots &&
           arena >= min_capacity && arena <= max_capacity && arena % page == 0;
  }
};
static_assert(RingGeometry{64, 4096}.descriptors_at() % cache_line == 0,
              "a descriptor must not straddle two lines");

}  // namespace spillring::layout
