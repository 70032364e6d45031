// The control protocol: one packet asks, one answers; descriptors travel beside the answer.
// SOCK_SEQPACKET, little-endian, fixed records; the first packet of a connection is `hello`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "layout/limits.hpp"
#include "layout/text.hpp"

namespace spillring::layout {

inline constexpr std::uint32_t control_magic = 0x4C525053;  // "SPRL"
inline constexpr std::size_t max_packet = 4096;

enum class Ask : std::uint16_t {
  hello = 1,
  create,        // name, options
  open,          // name -> queue
  list,          // name: begin after it -> records
  remove,        // name
  info,          // queue -> one record
  groups,        // queue, number: begin at this slot -> group records
  produce,       // queue -> handle; M ro, G ro, bells, service
  consume,       // queue, name: the group, kind, start -> handle; M ro, G rw, bells, service, words
  observe,       // queue -> M ro, G ro, number: the first sequence that can still be read
  ring,          // queue, number: its first sequence -> geometry; the ring (rw only for producers)
  detach,        // queue, handle; handle 0: that which request `number` of this connection made
  drop_ring,     // queue, handle, number: the handle has unmapped this ring; not answered
  purge,         // queue -> number
  remove_group,  // queue, name, kind: 1 = though it has members
  clients,       // queue, number: begin at this handle -> client records
  journal,       // queue, number: a sequence -> its segment (ro), number: the segment's first
                 // sequence, window: the first of the segment behind it; 0: none yet
  seek,          // queue, name, start, number: moves a group that has no members
  set,           // queue, kind: Setting bits, and the options that they name -> one record
};

/// Options that can be changed while the queue is in use.
enum Setting : std::uint16_t {
  setting_stall_timeout = 1,
  setting_lease = 2,
  setting_sync = 4,
  setting_retain_age = 8,
  setting_retain_bytes = 16,
  setting_ttl = 32,
  setting_group_expiry = 64,
};

inline constexpr std::uint32_t no_group = UINT32_MAX;

struct Request {
  std::uint32_t magic;
  std::uint16_t ask;
  std::uint16_t kind;  // consume: GroupKind; set: Setting bits; remove_group: with its members
  std::uint64_t id;    // comes back with the answer
  std::uint64_t queue;
  std::uint32_t handle;
  std::uint32_t start;  // consume: Start::From
  std::uint64_t number;
  Text<name_size> name;
  // hello
  std::uint32_t protocol_version;
  std::uint32_t layout_version;
  // create
  std::uint64_t capacity;
  std::uint64_t slots;
  std::uint64_t stall_timeout_ns;
  std::uint64_t lease_ns;
  std::uint8_t full;
  std::uint8_t keep;
  std::uint8_t prealloc;
  std::uint8_t durability;
  std::uint32_t mode;         // permission bits as a file's: read = consume, write = publish
  std::uint32_t owner_group;  // no_group: the creator's own
  std::uint32_t sync_ms;      // Manifest::sync_ms
  std::uint64_t retain_ns;
  std::uint64_t retain_bytes;
  Text<name_size> dead_letter;       // empty: none
  std::uint32_t max_deliveries;      // 0: without end; with a dead_letter: default_deliveries
  std::uint32_t exclusive_producer;  // 1: at most one producer is attached
  std::uint64_t ttl_ns;
  std::uint64_t group_expiry_ns;  // 0: none
};
static_assert(sizeof(Request) == 376, "no padding: what was not set is zero, not stale memory");
static_assert(offsetof(Request, name) == 40);
static_assert(offsetof(Request, protocol_version) == 160);
static_assert(offsetof(Request, capacity) == 168);
static_assert(offsetof(Request, full) == 200);
static_assert(offsetof(Request, mode) == 204);
static_assert(offsetof(Request, sync_ms) == 212);
static_assert(offsetof(Request, retain_ns) == 216);
static_assert(offsetof(Request, dead_letter) == 232);
static_assert(offsetof(Request, exclusive_producer) == 356);
static_assert(std::is_trivially_copyable_v<Request>);

struct Reply {
  std::uint32_t magic;
  std::uint16_t ask;
  std::uint8_t code;     // spillring::Code; not ok: `text` has what, why, hint, each ended by '\n'
  std::uint8_t records;  // of the kind that was asked for, behind this head
  std::uint64_t id;
  std::uint64_t queue;
  std::uint32_t handle;
  std::uint16_t generation;
  std::uint16_t group;
  std::uint64_t window;  // consume, shared: words
  std::uint64_t slots;   // ring: geometry
  std::uint64_t arena;
  std::uint64_t number;  // purge: passed over; list and groups: 1 = there is more
  Text<512> text;
};
static_assert(sizeof(Reply) == 64 + 512, "no padding");
static_assert(offsetof(Reply, id) == 8);
static_assert(offsetof(Reply, handle) == 24);
static_assert(offsetof(Reply, window) == 32);
static_assert(offsetof(Reply, text) == 64);
static_assert(std::is_trivially_copyable_v<Reply>);

/// One queue, as spillring::QueueInfo.
struct QueueRecord {
  Text<name_size> name;
  std::uint64_t capacity;
  std::uint64_t slots;
  std::uint64_t stall_timeout_ns;
  std::uint64_t lease_ns;
  std::uint64_t retain_ns;
  std::uint64_t retain_bytes;
  std::uint64_t earliest;
  std::uint64_t first;
  std::uint64_t next;
  std::uint64_t messages;
  std::uint64_t bytes;
  std::uint64_t journaled;
  std::uint64_t journal_bytes;
  std::uint64_t largest;
  std::uint64_t ring_slots;
  std::uint64_t ring_bytes;
  std::uint64_t memory;
  std::uint64_t oldest;         // when the message at `first` was sent; 0: that is not in memory
  std::uint64_t spilled;        // messages written to the journal since the supervisor started
  std::uint64_t spilled_bytes;  // payload and metadata of these
  std::uint64_t disk_free;      // of the state directory's file system
  std::uint64_t disk_left;      // of that, what the reserve leaves to journals
  std::uint32_t rings;
  std::uint32_t producers;
  std::uint32_t consumers;
  std::uint32_t groups;
  std::uint8_t state;
  std::uint8_t full;
  std::uint8_t keep;
  std::uint8_t prealloc;
  std::uint8_t durability;
  std::uint8_t alarm;  // DiskAlarm
  std::uint8_t exclusive_producer;
  std::uint8_t reserved;
  std::uint32_t owner;
  std::uint32_t owner_group;
  std::uint32_t mode;
  std::uint32_t sync_ms;
  Text<name_size> dead_letter;
  std::uint64_t doomed;  // delivered too often, or too late, and nothing was done about it yet
  std::uint64_t dead_lettered;  // since the supervisor or its keeper was started
  std::uint64_t discarded;      // likewise
  std::uint32_t max_deliveries;
  std::uint32_t reserved_end;
  std::uint64_t ttl_ns;
  std::uint64_t dropped;  // each group counted for itself
  std::uint64_t group_expiry_ns;
};
static_assert(sizeof(QueueRecord) == 512, "no padding");
static_assert(offsetof(QueueRecord, oldest) == 256);
static_assert(offsetof(QueueRecord, rings) == 296);
static_assert(offsetof(QueueRecord, state) == 312);

/// One group, as spillring::GroupInfo.
struct GroupRecord {
  Text<name_size> name;
  std::uint64_t floor;
  std::uint64_t lag;
  std::uint64_t unacked;
  std::uint64_t lost;
  std::uint64_t read_back;
  std::uint64_t read_back_bytes;
  std::uint64_t expired;
  std::uint64_t dropped;
  std::uint64_t expires_in_ns;  // no_sequence: it does not
  std::uint32_t members;
  std::uint16_t slot;
  std::uint8_t kind;
  std::uint8_t reserved;
};
static_assert(sizeof(GroupRecord) == 200, "no padding");
static_assert(offsetof(GroupRecord, members) == 192);

/// One handle, as spillring::ClientInfo.
struct ClientRecord {
  Text<name_size> group;
  std::uint64_t lag;
  std::uint64_t unacked;
  std::uint64_t hold;  // no_sequence: none
  std::uint32_t pid;
  std::uint32_t user;
  std::uint32_t slot;
  std::uint8_t role;
  std::uint8_t reserved[3];
};
static_assert(sizeof(ClientRecord) == 160, "no padding");
static_assert(offsetof(ClientRecord, lag) == 120);
static_assert(offsetof(ClientRecord, pid) == 144);

template <typename Record>
inline constexpr std::size_t records_in_packet = (max_packet - sizeof(Reply)) / sizeof(Record);

}  // namespace spillring::layout
