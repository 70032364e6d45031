import os
import queue
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Literal, final

from _typeshed import ReadableBuffer
from typing_extensions import Self

__all__ = [
    "Bus",
    "Closed",
    "Consumer",
    "Corrupt",
    "Deleted",
    "Denied",
    "Empty",
    "Error",
    "Exists",
    "Forked",
    "Full",
    "GroupInfo",
    "Invalid",
    "Loan",
    "Message",
    "NoMemory",
    "NotFound",
    "Poisoned",
    "Queue",
    "QueueInfo",
    "Stale",
    "InDoubt",
    "Timeout",
    "TooLarge",
    "Unavailable",
    "__version__",
    "connect",
    "embedded",
]

__version__: str

class Error(Exception):
    code: str
    hint: str
    def __init__(self, message: str = "", code: str | None = None, hint: str = "") -> None: ...

class Full(Error, queue.Full): ...
class Empty(Error, queue.Empty): ...
class Timeout(Error, TimeoutError): ...
class Closed(Error): ...
class NotFound(Error, KeyError): ...
class Exists(Error): ...
class Denied(Error, PermissionError): ...
class TooLarge(Error, ValueError): ...
class Invalid(Error, ValueError): ...
class Stale(Error): ...
class Deleted(Error): ...
class Poisoned(Error): ...
class Corrupt(Error): ...
class Unavailable(Error, ConnectionError): ...
class Forked(Error): ...
class NoMemory(Error, MemoryError): ...
class InDoubt(Error): ...

@dataclass(frozen=True)
class QueueInfo:
    name: str
    state: str
    capacity: int
    slots: int
    full: str
    durability: str
    sync: str
    keep: str
    retain_age: float | None
    retain_bytes: int
    stall_timeout: float
    lease: float | None
    ttl: float | None
    group_expiry: float | None
    exclusive_producer: bool
    prealloc: bool
    owner: int
    owner_group: int
    mode: int
    earliest: int
    first: int
    next: int
    messages: int
    bytes: int
    journaled: int
    journal_bytes: int
    largest: int
    ring_slots: int
    ring_bytes: int
    rings: int
    memory: int
    producers: int
    consumers: int
    groups: int
    oldest_age: float | None
    spilled: int
    spilled_bytes: int
    alarm: str | None
    disk_free: int
    disk_left: int
    max_deliveries: int | None
    dead_letter: str | None
    doomed: int
    dead_lettered: int
    discarded: int
    dropped: int

@dataclass(frozen=True)
class GroupInfo:
    name: str | None
    kind: str
    floor: int
    lag: int
    members: int
    unacked: int
    lost: int
    read_back: int
    read_back_bytes: int
    expired: int
    dropped: int
    expires_in: float | None

@final
class Message:
    def __buffer__(self, flags: int, /) -> memoryview: ...
    @property
    def seq(self) -> int: ...
    @property
    def queue(self) -> str: ...
    @property
    def is_batch(self) -> bool: ...
    def parts(self) -> list[bytes]: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def headers(self) -> dict[str, bytes]: ...
    @property
    def timestamp(self) -> datetime: ...
    @property
    def deliveries(self) -> int: ...
    @property
    def gap(self) -> int: ...
    @property
    def ttl(self) -> float | None: ...
    @property
    def expired(self) -> bool: ...
    def ack(self) -> None: ...
    def nack(self, delay: float = 0) -> None: ...
    def copy(self) -> bytes: ...
    def __len__(self) -> int: ...
    def __bool__(self) -> bool: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        type: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None: ...

@final
class Loan:
    def __buffer__(self, flags: int, /) -> memoryview: ...
    @property
    def seq(self) -> int: ...
    @property
    def queue(self) -> str: ...
    def publish(self, size: int | None = None) -> int: ...
    def cancel(self) -> None: ...
    def __len__(self) -> int: ...
    def __bool__(self) -> bool: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        type: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None: ...

@final
class Consumer:
    @property
    def queue(self) -> str: ...
    @property
    def group(self) -> str | None: ...
    @property
    def lag(self) -> int: ...
    def seek(self, to: int | datetime | Literal["earliest", "latest"]) -> None: ...
    def receive(self, timeout: float | None = None) -> Message | None: ...
    def receive_many(self, n: int, timeout: float | None = None) -> list[Message]: ...
    def fileno(self) -> int: ...
    def close(self) -> None: ...
    def __iter__(self) -> Self: ...
    def __next__(self) -> Message: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        type: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None: ...

@final
class Queue:
    @property
    def name(self) -> str: ...
    def put(
        self,
        buf: ReadableBuffer,
        *,
        key: ReadableBuffer | None = None,
        headers: Mapping[str, ReadableBuffer] | None = None,
        ttl: float | None = None,
        timeout: float | None = None,
        durable: bool = False,
    ) -> int: ...
    def put_nowait(
        self,
        buf: ReadableBuffer,
        *,
        key: ReadableBuffer | None = None,
        headers: Mapping[str, ReadableBuffer] | None = None,
        ttl: float | None = None,
    ) -> int: ...
    def put_many(
        self,
        buffers: Iterable[ReadableBuffer],
        *,
        key: ReadableBuffer | None = None,
        headers: Mapping[str, ReadableBuffer] | None = None,
        ttl: float | None = None,
        timeout: float | None = None,
        atomic: bool = False,
    ) -> tuple[int, int] | None: ...
    def flush(self, *, timeout: float | None = None) -> None: ...
    def loan(
        self,
        nbytes: int,
        *,
        key: ReadableBuffer | None = None,
        headers: Mapping[str, ReadableBuffer] | None = None,
        ttl: float | None = None,
        timeout: float | None = None,
    ) -> Loan: ...
    def get(
        self, *, group: str = "default", timeout: float | None = None, ack: bool = True
    ) -> Message: ...
    def get_nowait(self, *, group: str = "default", ack: bool = True) -> Message: ...
    def get_many(
        self, n: int, *, group: str = "default", timeout: float | None = None
    ) -> list[Message]: ...
    def consume(
        self,
        group: str = "default",
        *,
        prefetch: int = 64,
        start: Literal["earliest", "latest"] | int | datetime = "earliest",
        timeout: float | None = None,
    ) -> Consumer: ...
    def subscribe(
        self, group: str | None = None, *, start: Literal["earliest", "latest"] | int | datetime = "latest"
    ) -> Consumer: ...
    def peek(self, n: int = 1, *, seq: int | None = None) -> list[Message]: ...
    def info(self) -> QueueInfo: ...
    def groups(self) -> list[GroupInfo]: ...
    def remove_group(self, name: str, *, force: bool = False) -> None: ...
    def set(
        self,
        *,
        lease: float | None = None,
        stall_timeout: float | None = None,
        sync: float | str | None = None,
        retain: int | str | None = None,
        ttl: float | None = None,
        group_expiry: float | None = None,
    ) -> QueueInfo: ...
    def purge(self) -> int: ...
    def __len__(self) -> int: ...
    def __bool__(self) -> bool: ...

@final
class Bus:
    @property
    def socket(self) -> str: ...
    def queue(
        self,
        name: str,
        *,
        create: bool = False,
        capacity: int | str = "16MiB",
        slots: int = 65536,
        full: Literal["block", "reject", "spill", "drop-oldest"] | None = None,
        durability: Literal["memory", "disk"] = "memory",
        sync: float | str = "each",
        keep: Literal["unread", "attached"] = "unread",
        retain: int | str | None = None,
        stall_timeout: float = 1.0,
        lease: float | None = None,
        exclusive_producer: bool = False,
        prealloc: bool = False,
        mode: int = 0o600,
        owner_group: str | int | None = None,
        max_deliveries: int | None = None,
        dead_letter: str | None = None,
        ttl: float | None = None,
        group_expiry: float | None = None,
    ) -> Queue: ...
    def queues(self) -> list[QueueInfo]: ...
    def delete(self, name: str) -> None: ...
    def close(self) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        type: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None: ...

def connect(
    socket: str | os.PathLike[str] | None = None,
    *,
    user: bool = False,
    timeout: float | None = 5,
    autostart: bool = True,
) -> Bus: ...
def embedded(state_dir: str | os.PathLike[str] | None = None) -> Bus: ...
