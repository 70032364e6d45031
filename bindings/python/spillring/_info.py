"""What the queues and groups looked like at the moment of asking. Everything in base units."""

from dataclasses import dataclass


@dataclass(frozen=True)
class QueueInfo:
    """One queue as it was at the moment of asking."""

    name: str
    state: str  #: "ok", "deleted", "poisoned" or "stopped"
    capacity: int  #: most bytes of payload and metadata in memory
    slots: int  #: most messages in memory
    full: str  #: "block", "reject" or "spill"
    durability: str  #: "memory" or "disk"
    sync: str  #: of a durable queue: "each", "never", or the least time between two syncs
    keep: str  #: "unread" or "attached"
    retain_age: "float | None"  #: seconds that history is kept; None: no matter how long
    retain_bytes: int  #: bytes of history that are kept; 0: no matter how many
    stall_timeout: float  #: seconds
    lease: "float | None"  #: seconds; None: never
    ttl: "float | None"  #: seconds, of what is sent without a time of its own; None: no matter how long
    group_expiry: "float | None"  #: seconds without consumers after which a group is removed; None: never
    exclusive_producer: bool  #: at most one producer is attached
    prealloc: bool
    owner: int  #: user id
    owner_group: int  #: group id
    mode: int  #: permission bits
    earliest: int  #: the oldest sequence that can still be read
    first: int  #: the oldest sequence somebody may still need
    next: int  #: the sequence the next message will get
    messages: int  #: waiting or in flight, skipped numbers included
    bytes: int  #: memory these occupy
    journaled: int  #: of the messages, how many are read from the journal
    journal_bytes: int  #: disk space of the journal
    largest: int  #: largest message in bytes
    ring_slots: int  #: slots of the newest ring
    ring_bytes: int  #: memory for messages in the newest ring
    rings: int  #: rings alive
    memory: int  #: shared memory held for the queue
    producers: int
    consumers: int
    groups: int
    oldest_age: "float | None"  #: seconds since the oldest message still needed was sent; None: not known
    spilled: int  #: messages written to the journal since the supervisor started
    spilled_bytes: int  #: payload, keys and headers of these
    alarm: "str | None"  #: why the journal takes nothing: "full", "reserve", "quota" or "error"; None: it does
    disk_free: int  #: bytes free on the state directory's file system
    disk_left: int  #: of these, what the disk reserve leaves to journals
    max_deliveries: "int | None"  #: None: without end
    dead_letter: "str | None"  #: the queue for what was delivered too often, or came too late; None: that is discarded
    doomed: int  #: delivered too often, or too late, and not a dead letter yet
    dead_lettered: int  #: taken by it, since the daemon was started
    discarded: int  #: delivered too often, finished for want of such a queue
    dropped: int  #: by full="drop-oldest", each group counted for itself


@dataclass(frozen=True)
class GroupInfo:
    """One group as it was at the moment of asking."""

    name: "str | None"  #: None: a subscription without a name
    kind: str  #: "shared" or "stream"
    floor: int  #: the first sequence it has not finished with
    lag: int  #: sequences between the floor and the queue's end
    members: int  #: consumers attached
    unacked: int  #: handed to a member and not yet acknowledged
    lost: int  #: messages that a damaged journal could not give back, and numbers of a damaged ring
    read_back: int  #: messages its members were given from the journal, ever
    read_back_bytes: int  #: payload, keys and headers of these
    expired: int  #: messages whose time was over before they were delivered
    dropped: int  #: messages that full="drop-oldest" took from it, as far as it has come
    expires_in: "float | None"  #: seconds until it is removed, if nobody joins; None: it is not


QueueInfo.__module__ = GroupInfo.__module__ = "spillring"
