// The block of shared memory by which the harness starts and stops the processes it measures, and
// gets their counts. Programs in other languages map the same file: offsets are fixed.
//
//     0  go       u32   number of the newest window that has begun; 1 is the first
//     4  stop     u32   number of the newest window that is over
//     8  quit     u32   1: go away
//    16  pace     u64   picoseconds from one message to the next in the window that begins; 0: as
//                       fast as possible, all ones: none is sent
//    64  a seat of 64 KiB for each process, those of producers first:
//        +0    ready     u32   1: set up, and waiting for the first window
//        +4    done      u32   number of the newest window it has finished
//        +8    failed    u32   1: `failure` says why
//        +12   wrong     u32   1: what was received is not what was sent
//        +16   began     u64   nanoseconds of CLOCK_MONOTONIC: the window's first message
//        +24   ended     u64   the same: all messages of the window have been received
//        +32   sent      u64   by a producer, in all windows, valid once `done`
//        +40   busy      u64   by a producer: nanoseconds that the window's bursts took; 0: all of
//        it +64   received  u64   by a consumer, in all windows, always valid +128  stamp     u64
//        when it sent its newest message, in its own ticks (Wait::sleep); by a
//                              consumer of bursts, what it had received before its newest pause; by
//                              a producer on schedule, when the window's first message was due
//        +136  transit   u64   how long the newest message to it was on its way, in nanoseconds
//        +192  failure   text, 320 bytes with the final zero
//        +512  histogram of round trips in this window, in nanoseconds
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "histogram.hpp"

namespace spillring::bench {

struct alignas(64) Seat {
  std::atomic<std::uint32_t> ready;
  std::atomic<std::uint32_t> done;
  std::atomic<std::uint32_t> failed;
  std::atomic<std::uint32_t> wrong;
  std::uint64_t began;
  std::uint64_t ended;
  std::atomic<std::uint64_t> sent;
  std::uint64_t busy;
  alignas(64) std::atomic<std::uint64_t> received;
  alignas(64) std::atomic<std::uint64_t> stamp;
  std::atomic<std::uint64_t> transit;
  alignas(64) std::array<char, 320> failure;
  alignas(64) Histogram histogram;
  std::array<std::byte, 65536 - 512 - sizeof(Histogram)> unused;
};

struct Window {
  static constexpr std::size_t most_seats = 40;
  std::atomic<std::uint32_t> go;
  std::atomic<std::uint32_t> stop;
  std::atomic<std::uint32_t> quit;
  alignas(8) std::atomic<std::uint64_t> pace;
  alignas(64) std::array<Seat, most_seats> seats;
};

static_assert(offsetof(Window, stop) == 4 && offsetof(Window, quit) == 8);
static_assert(offsetof(Window, pace) == 16);
static_assert(offsetof(Window, seats) == 64 && sizeof(Seat) == 65536);
static_assert(offsetof(Seat, began) == 16 && offsetof(Seat, sent) == 32);
static_assert(offsetof(Seat, busy) == 40);
static_assert(offsetof(Seat, received) == 64 && offsetof(Seat, stamp) == 128);
static_assert(offsetof(Seat, failure) == 192 && offsetof(Seat, histogram) == 512);

}  // namespace spillring::bench
