// What a supervisor leaves with its keeper, so that the next supervisor can go on: descriptors,
// each packet of them with a record that says what they are. Both directions use the same packets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "os/atomic.hpp"

namespace spillring::layout {

inline constexpr std::uint32_t keeping_magic = 0x4B525053;  // "SPRK"

enum class Keeping : std::uint16_t {
  keep = 1,  // with descriptors: replaces what was kept under the same key
  drop,      // a queue goes with all its parts
  complete,  // everything there is has been said
  stop,      // the supervisor ends on purpose: so does its keeper
};

enum class Kept : std::uint16_t {
  process = 1,  // a pidfd of the sender
  instance,     // the lock, the listening socket, the notes
  session,      // id; a pidfd of the client, and the connection while there is one
  ring,         // queue, number: its first sequence, geometry
  words,        // queue, number: the group's slot; the words of a shared group
  queue,     // id; manifest, groups, bells, service event. Kept last: without it, parts are nothing
  listener,  // the listening socket where the service manager made it: its path is not ours
  settings,  // the text of the configuration in force
  state,     // the lock of the state directory
};

struct KeepingRecord {
  std::uint32_t magic;
  std::uint16_t op;    // Keeping
  std::uint16_t kind;  // Kept
  std::uint64_t id;    // of the queue or the session
  std::uint64_t number;
  std::uint64_t slots;  // ring: geometry
  std::uint64_t arena;
};
static_assert(sizeof(KeepingRecord) == 40, "no padding: what was not set is zero");
static_assert(offsetof(KeepingRecord, id) == 8);
static_assert(std::is_trivially_copyable_v<KeepingRecord>);

inline constexpr std::uint64_t notes_magic = 0x3145544F4E4C5053;  // "SPLNOTE1"

/// What a supervisor has to remember across its own death. Only the living one maps it.
struct Notes {
  std::uint64_t magic;
  std::uint64_t reserved_starts;
  os::Atomic<std::uint64_t> last_queue;    // ids are never given out twice
  os::Atomic<std::uint64_t> last_session;  // likewise
  // The request that is being carried out: if its supervisor dies, the next one finds it unanswered
  // and carries it out again. `session` is written last and cleared first; 0: none.
  os::Atomic<std::uint64_t> session;
  os::Atomic<std::uint64_t> request;
  os::Atomic<std::uint64_t> attempts;  // supervisors that have begun it
  os::Atomic<std::uint64_t> begun;     // it has had an effect: what it removes may be gone
  os::Atomic<std::uint64_t> purge_to;  // a purge: up to where; 0: not known yet
  os::Atomic<std::uint64_t> purge_count;
  std::uint64_t reserved[6];
};
static_assert(sizeof(Notes) == 128, "no padding");
static_assert(std::is_standard_layout_v<Notes>);

}  // namespace spillring::layout
