// The journal on disk: the cold part of a queue's log, in files that are called segments.
//
//   segment :=  SegmentHeader (one page)  batch*  zeros
//   batch   :=  BatchHeader  Entry[count]  data  padding to a multiple of 64
//
// A batch is a copy of a run of the ring: its entries are the ring's descriptors, its data are the
// extents they speak of, one behind the other. Every number of the run has an entry, those without
// a message too, so entry i is that of sequence first + i.
//
// Checksums are XXH3-64, seeded with the segment's salt, so that a batch of another segment, or of
// an earlier use of the same blocks, is never taken for one of this. Little-endian.
// docs/journal.md has an example, byte by byte.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "layout/ring.hpp"

namespace spillring::layout {

inline constexpr std::uint64_t segment_magic = 0x314E524A4C495053;  // "SPILJRN1"
inline constexpr std::uint32_t batch_magic = 0x48435442;            // "BTCH"
inline constexpr std::uint32_t journal_version = 1;
inline constexpr std::uint64_t batch_unit = 64;  // batches begin at multiples of it

inline constexpr std::uint32_t most_in_batch = 16384;
// A batch ends with the message that takes it past this; a single message may be larger. It is what
// is read and checked at once: about what a processor's own cache holds.
inline constexpr std::uint64_t batch_goal = 1024 * 1024;
// What a reader believes of a batch's length: the largest message, its metadata, its neighbours.
inline constexpr std::uint64_t max_batch = max_message + 2 * batch_goal;

struct SegmentHeader {
  std::uint64_t magic;
  std::uint32_t version;
  std::uint32_t reserved;
  std::uint64_t queue_id;
  std::uint64_t salt;     // random; of this file alone
  std::uint64_t first;    // no sequence below it is in this file
  std::uint64_t created;  // nanoseconds since 1970
  std::uint64_t reserved_tail;
  std::uint64_t checksum;  // of all before it
};
static_assert(sizeof(SegmentHeader) == 64, "no padding");
static_assert(offsetof(SegmentHeader, salt) == 24);
static_assert(offsetof(SegmentHeader, checksum) == 56);

inline constexpr std::uint64_t first_batch_at = page;  // within a segment

struct BatchHeader {
  std::uint32_t magic;
  std::uint32_t count;     // entries
  std::uint64_t first;     // sequence of the first
  std::uint64_t data;      // bytes of data
  std::uint64_t time;      // the latest timestamp so far in this segment: it never goes back
  std::uint64_t body_sum;  // of entries and data
  std::uint64_t reserved[2];
  std::uint64_t checksum;  // of all before it
};
static_assert(sizeof(BatchHeader) == 64, "no padding; entries begin at a multiple of 64");
static_assert(offsetof(BatchHeader, first) == 8);
static_assert(offsetof(BatchHeader, body_sum) == 32);
static_assert(offsetof(BatchHeader, checksum) == 56);

/// A descriptor as it was in the ring, but for two fields: `start` counts from the beginning of the
/// batch's data, and there is no lap.
struct Entry {
  std::uint64_t state;  // Published; anything but `committed` is a number without a message
  std::uint64_t start;
  std::uint64_t timestamp;
  std::uint32_t size;
  std::uint32_t metadata_size;
  std::uint32_t flags;  // DescriptorFlags
  std::uint32_t reserved;
  union {
    std::byte bytes[inline_size];
    Expiry expiry;
  };
};
static_assert(sizeof(Entry) == sizeof(Descriptor));
static_assert(offsetof(Entry, start) == offsetof(Descriptor, start));
static_assert(offsetof(Entry, bytes) == offsetof(Descriptor, bytes));
static_assert(std::is_trivially_copyable_v<Entry>);

/// Bytes that a batch takes in its segment.
constexpr std::uint64_t batch_size(std::uint64_t count, std::uint64_t data) noexcept {
  const std::uint64_t size = sizeof(BatchHeader) + count * sizeof(Entry) + data;
  return (size + batch_unit - 1) / batch_unit * batch_unit;
}

}  // namespace spillring::layout
