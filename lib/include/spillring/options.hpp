// Options of queues, producers and consumers, each with meaning, cost and default.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "spillring/disk_alarm.hpp"

namespace spillring {

inline constexpr std::uint64_t KiB = 1024;
inline constexpr std::uint64_t MiB = 1024 * KiB;
inline constexpr std::uint64_t GiB = 1024 * MiB;

/// How long a call may wait. Measured on the monotonic clock.
using Timeout = std::chrono::nanoseconds;
inline constexpr Timeout forever = Timeout::max();
inline constexpr Timeout no_wait = Timeout::zero();

/// What a producer gets when there is no room.
enum class Full : std::uint8_t {
  block = 0,   ///< it waits, up to its timeout
  reject = 1,  ///< it is told `Code::full` at once
  spill = 2,   ///< the oldest messages go to the disk, and come back from there in order
  /// The oldest messages are dropped, whoever has not read them; each group is told how many it
  /// has missed (`Message::gap`, `GroupInfo::dropped`). Not with `Durability::disk` or retention.
  drop_oldest = 3,
  standard = 255,  ///< `spill` where the supervisor has a state directory, else `block`
};

/// What a queue keeps that nobody has read yet.
enum class Keep : std::uint8_t {
  unread =
      0,  ///< everything until each named group has it; while there is no named group, everything
  attached = 1,  ///< only what the groups attached now still need (publish/subscribe)
};

/// When a message is safe from what.
enum class Durability : std::uint8_t {
  memory = 0,  ///< from the death of any process but the supervisor and its keeper together
  disk = 1,    ///< from a power cut, once `Producer::flush` or `confirm` said so: every message
               ///< goes to the journal, and many share one fdatasync
};

/// What `Message::nack` takes at most.
inline constexpr Timeout longest_delay = std::chrono::hours(72);

inline constexpr Timeout sync_never = Timeout::max();

struct QueueOptions {
  /// Most bytes of payload and metadata in memory. A limit, not a price: a queue starts small and
  /// grows.
  std::uint64_t capacity = 16 * MiB;
  /// Most messages in memory; rounded up to a power of two, at least 64.
  std::uint64_t slots = 65536;
  Full full = Full::standard;
  Keep keep = Keep::unread;
  /// `disk` needs a supervisor with a state directory.
  Durability durability = Durability::memory;
  /// With `Durability::disk`: the least time from one sync to the next, in whole milliseconds, at
  /// most an hour. Zero: as soon as there is something, one sync for all who wait. More: the disk
  /// does less, and who waits for it waits that much longer. `sync_never`: what the operating
  /// system has counts as confirmed; it outlives every process, not a power cut.
  Timeout sync_interval = Timeout::zero();
  /// How long messages stay in the journal after they were sent, to be read again, though every
  /// group has read them; zero: no matter how long. Needs a state directory. Files of the journal
  /// go as a whole, so it may be more.
  Timeout retain_age = Timeout::zero();
  /// The same by size: so many bytes of files. With both, what goes is what either lets go.
  std::uint64_t retain_bytes = 0;
  /// A loan that is in somebody's way for this long is revoked: its publish becomes `stale`. A call
  /// that sleeps looks as often by itself (from every 50 ms to every second): the process that was
  /// to wake it may be stopped. Who waits by a descriptor is told within a second.
  Timeout stall_timeout = std::chrono::seconds(1);
  /// A message that a member of a shared group has held for this long while somebody waits for it
  /// is given to another; zero: never, only death gives it away.
  Timeout lease = Timeout::zero();
  /// How long after it was sent a message is delivered, where it is sent without a time of its own
  /// (`Metadata::ttl`); at least a millisecond. Zero: no matter how long.
  Timeout ttl = Timeout::zero();
  /// How often a shared group delivers a message at most, up to 250. One that is handed back after
  /// that, by a nack, a death or a lease, goes to `dead_letter`, or is discarded where that is
  /// empty. Zero: without end, or 5 with a `dead_letter`.
  unsigned max_deliveries = 0;
  /// The queue that such messages, and those whose time is over, are copied to before their group
  /// finishes with them, as they are, with headers that say where they come from and why. It has to
  /// be there, of at least this capacity, and be one that the creator may send to; of a durable
  /// queue it is durable. While it takes nothing, they stay.
  std::string dead_letter = {};
  /// A named group that has had no members for this long is removed, with its position, as by
  /// `Queue::remove_group`; at least a millisecond. Not while messages of it are on their way to
  /// `dead_letter`. Time in which no supervisor runs does not count. Zero: none is.
  Timeout group_expiry = Timeout::zero();
  /// At most one producer is attached at a time; another one is refused (`busy`) with the process
  /// that has the place. It is free again when that producer is closed or its process has died, and
  /// what it left unfinished was given up.
  bool exclusive_producer = false;
  /// Start at full size instead of growing to it, and have all of the ring in the page table of
  /// each process that attaches to send or receive (from Linux 5.14). The first call of each takes
  /// longer, some 0.2 s for a GiB; later ones do not wait for the kernel to find a page. A ring
  /// that takes the place of a damaged or a pinned one comes page by page.
  bool prealloc = false;
  /// Who may use the queue, as a file's permission bits: read = consume, write = publish. Its owner
  /// is the user who creates it; purging and removing are the owner's (and root's).
  unsigned mode = 0600;
  /// The Unix group that the mode speaks of: a name or a number. Empty: the creator's own. The
  /// creator must be a member.
  std::string owner_group = {};
};

/// Options of a queue that can be changed while it is in use, each as in `QueueOptions`; what is
/// empty stays.
struct QueueChanges {
  std::optional<Timeout> stall_timeout = {};
  std::optional<Timeout> lease = {};
  /// Of what is sent from then on.
  std::optional<Timeout> ttl = {};
  /// Counts from when a group had its last member, which may be long ago.
  std::optional<Timeout> group_expiry = {};
  /// Only of a durable queue.
  std::optional<Timeout> sync_interval = {};
  /// How much history is kept. Whether any is kept cannot be changed, but of a durable queue.
  std::optional<Timeout> retain_age = {};
  std::optional<std::uint64_t> retain_bytes = {};
};

/// Where a new group begins.
struct Start {
  enum class From : std::uint8_t { earliest = 0, latest = 1, sequence = 2, time = 3 };
  From from = From::earliest;
  /// With `From::sequence`, clamped to what the queue still has; with `From::time`, nanoseconds
  /// since 1970: the first message that was sent then or later.
  std::uint64_t value = 0;

  static constexpr Start earliest() noexcept { return {From::earliest, 0}; }
  static constexpr Start latest() noexcept { return {From::latest, 0}; }
  static constexpr Start at(std::uint64_t sequence) noexcept { return {From::sequence, sequence}; }
  static constexpr Start at_time(std::uint64_t ns) noexcept { return {From::time, ns}; }
};

/// One header of a message: a name and bytes. Views; the caller keeps what they refer to.
struct Header {
  std::string_view name;
  std::span<const std::byte> value;
};

/// What is sent along with a message. Key and headers are copied; 64 KiB in all.
struct Metadata {
  std::optional<std::span<const std::byte>> key = {};
  std::span<const Header> headers = {};
  /// How long after it was published it is delivered. When that is over, each group passes it:
  /// whoever finds it acknowledges it, or it becomes a dead letter. Who has it keeps it. Zero: the
  /// producer's default, else the queue's; `forever`: no matter how long.
  Timeout ttl = Timeout::zero();
};

struct LoanOptions {
  Metadata metadata = {};
  /// Alignment of the payload, a power of two up to 4096. 0: payloads of up to 24 bytes without
  /// metadata lie in their descriptor, aligned to 8; all others to 64.
  std::size_t alignment = 0;
};

struct BatchOptions {
  /// All or nothing: the messages become one, with one sequence and one acknowledgement, whose
  /// parts they are (`Message::parts`). As large together as one message may be, with 4 bytes for
  /// each, every part at a multiple of 8.
  bool atomic = false;
  /// Of each message; of an atomic batch once.
  Metadata metadata = {};
};

/// What became of a batch.
struct Sent {
  std::size_t count = 0;    ///< so many of the messages, from the first on, were sent
  std::uint64_t first = 0;  ///< sequence of the first of these
  std::uint64_t last = 0;   ///< and of the last; others may have sent in between
};

struct ProducerOptions {
  /// Waits return `Code::interrupted` after a signal handler ran, and at least once a second.
  bool interruptible = false;
  /// Of what is sent without one (`Metadata::ttl`); zero: the queue's.
  Timeout ttl = Timeout::zero();
};

struct ConsumerOptions {
  /// How many messages a member of a shared group claims ahead. More is faster, fewer spreads
  /// better.
  unsigned prefetch = 64;
  /// Where the group begins if this call creates it.
  Start start = Start::earliest();
  /// As in `ProducerOptions`.
  bool interruptible = false;
};

struct SubscriberOptions {
  Start start = Start::latest();
  bool interruptible = false;
};

enum class QueueState : std::uint8_t { ok = 0, deleted = 1, poisoned = 2, stopped = 3 };
enum class GroupKind : std::uint8_t { shared = 0, stream = 1 };

/// One group as it was at the moment of asking.
struct GroupInfo {
  std::string name;  ///< empty for a broadcast subscription
  GroupKind kind = GroupKind::shared;
  std::uint64_t floor = 0;    ///< the first sequence it has not finished with
  std::uint64_t lag = 0;      ///< sequences between the floor and the queue's end
  std::uint64_t members = 0;  ///< consumers attached
  std::uint64_t unacked = 0;  ///< claimed by a member and not yet acknowledged
  /// Messages that a damaged journal could not give back, and numbers of a damaged ring.
  std::uint64_t lost = 0;
  std::uint64_t read_back = 0;        ///< messages its members were given from the journal, ever
  std::uint64_t read_back_bytes = 0;  ///< payload, keys and headers of these
  std::uint64_t expired = 0;          ///< messages whose time was over before they were delivered
  /// When it will be removed, if nobody joins (`QueueOptions::group_expiry`). None: it will not.
  std::optional<Timeout> expires_in;
  /// Messages that `Full::drop_oldest` took from it, as far as it has come.
  std::uint64_t dropped = 0;
};

enum class ClientRole : std::uint8_t { producer = 1, shared_consumer = 2, stream_consumer = 3 };

/// One producer or consumer of a queue as it was at the moment of asking.
struct ClientInfo {
  unsigned pid = 0;   ///< process id, as the supervisor sees it; 0: in a namespace it does not see
  unsigned user = 0;  ///< user id
  ClientRole role = ClientRole::producer;
  std::string group;                  ///< of a consumer; empty for a broadcast subscription
  std::uint64_t lag = 0;              ///< of its group
  std::uint64_t unacked = 0;          ///< claimed by it and not yet acknowledged
  std::optional<std::uint64_t> hold;  ///< the oldest sequence that it may be looking at
};

/// One queue as it was at the moment of asking. Everything in base units.
struct QueueInfo {
  std::string name;
  QueueState state = QueueState::ok;
  QueueOptions options;
  std::uint64_t earliest = 0;   ///< the oldest sequence that can still be read
  std::uint64_t first = 0;      ///< the oldest sequence somebody may still need
  std::uint64_t next = 0;       ///< the sequence the next message will get
  std::uint64_t messages = 0;   ///< waiting or in flight (numbers given up by producers included)
  std::uint64_t bytes = 0;      ///< arena bytes these occupy
  std::uint64_t journaled = 0;  ///< of these, how many are read from the journal
  std::uint64_t journal_bytes = 0;  ///< disk space of the journal
  std::uint64_t largest = 0;        ///< largest message in bytes
  std::uint64_t ring_slots = 0;     ///< slots of the newest ring
  std::uint64_t ring_bytes = 0;     ///< arena of the newest ring
  std::uint64_t rings = 0;   ///< rings alive (more than one while a replaced one still has readers)
  std::uint64_t memory = 0;  ///< shared memory held for the queue, all segments
  std::uint64_t producers = 0;
  std::uint64_t consumers = 0;
  std::uint64_t groups = 0;
  unsigned owner = 0;        ///< user id
  unsigned owner_group = 0;  ///< group id
  /// How long ago the oldest message that is still needed was sent. None: there is no message, or
  /// it is in the journal and this is from `Client::list`, or of a user who may not read it.
  std::optional<Timeout> oldest_age;
  std::uint64_t spilled = 0;  ///< messages written to the journal since the supervisor started
  std::uint64_t spilled_bytes = 0;    ///< payload, keys and headers of these
  DiskAlarm alarm = DiskAlarm::none;  ///< why the journal takes nothing at present
  std::uint64_t disk_free =
      0;  ///< bytes free on the state directory's file system; 0: there is none
  std::uint64_t disk_left = 0;      ///< of these, what the disk reserve leaves to journals
  std::uint64_t doomed = 0;         ///< delivered too often, or too late, and not a dead letter yet
  std::uint64_t dead_lettered = 0;  ///< taken by it, since the daemon was started
  std::uint64_t discarded = 0;      ///< delivered too often, finished for want of such a queue
  std::uint64_t dropped = 0;        ///< by `Full::drop_oldest`, each group counted for itself
};

}  // namespace spillring
