import os
from collections.abc import AsyncIterator, Awaitable, Generator, Iterable, Mapping
from datetime import datetime
from typing import Any, Generic, Literal, TypeVar

from _typeshed import ReadableBuffer
from typing_extensions import Self

from spillring import GroupInfo, Loan, Message, QueueInfo

__all__ = ["Bus", "Consumer", "Queue", "connect", "embedded"]

_Start = Literal["earliest", "latest"] | int | datetime
_T = TypeVar("_T")

class _Opening(Generic[_T]):
    def __init__(self, opening: Awaitable[_T]) -> None: ...
    def __await__(self) -> Generator[Any, None, _T]: ...
    async def __aenter__(self) -> _T: ...
    async def __aexit__(self, *error: object) -> None: ...
    def __aiter__(self) -> AsyncIterator[Message]: ...

class Consumer:
    @property
    def queue(self) -> str: ...
    @property
    def group(self) -> str | None: ...
    @property
    def lag(self) -> int: ...
    async def receive(self, timeout: float | None = None) -> Message | None: ...
    async def receive_many(self, n: int, timeout: float | None = None) -> list[Message]: ...
    async def seek(self, to: _Start) -> None: ...
    def fileno(self) -> int: ...
    async def close(self) -> None: ...
    def __aiter__(self) -> Self: ...
    async def __anext__(self) -> Message: ...
    async def __aenter__(self) -> Self: ...
    async def __aexit__(self, *error: object) -> None: ...

class Queue:
    @property
    def name(self) -> str: ...
    async def put(
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
    async def put_many(
        self,
        buffers: Iterable[ReadableBuffer],
        *,
        key: ReadableBuffer | None = None,
        headers: Mapping[str, ReadableBuffer] | None = None,
        ttl: float | None = None,
        timeout: float | None = None,
        atomic: bool = False,
    ) -> tuple[int, int] | None: ...
    async def flush(self, *, timeout: float | None = None) -> None: ...
    async def loan(
        self,
        nbytes: int,
        *,
        key: ReadableBuffer | None = None,
        headers: Mapping[str, ReadableBuffer] | None = None,
        ttl: float | None = None,
        timeout: float | None = None,
    ) -> Loan: ...
    async def get(
        self, *, group: str = "default", timeout: float | None = None, ack: bool = True
    ) -> Message: ...
    def get_nowait(self, *, group: str = "default", ack: bool = True) -> Message: ...
    async def get_many(
        self, n: int, *, group: str = "default", timeout: float | None = None
    ) -> list[Message]: ...
    def consume(
        self,
        group: str = "default",
        *,
        prefetch: int = 64,
        start: _Start = "earliest",
        timeout: float | None = None,
    ) -> _Opening[Consumer]: ...
    def subscribe(
        self, group: str | None = None, *, start: _Start = "latest"
    ) -> _Opening[Consumer]: ...
    async def peek(self, n: int = 1, *, seq: int | None = None) -> list[Message]: ...
    async def info(self) -> QueueInfo: ...
    async def groups(self) -> list[GroupInfo]: ...
    async def remove_group(self, name: str, *, force: bool = False) -> None: ...
    async def set(
        self,
        *,
        lease: float | None = None,
        stall_timeout: float | None = None,
        sync: float | str | None = None,
        retain: int | str | None = None,
        ttl: float | None = None,
        group_expiry: float | None = None,
    ) -> QueueInfo: ...
    async def purge(self) -> int: ...

class Bus:
    @property
    def socket(self) -> str: ...
    async def queue(
        self,
        name: str,
        *,
        create: bool = False,
        capacity: int | str | None = None,
        slots: int | None = None,
        full: Literal["block", "reject", "spill", "drop-oldest"] | None = None,
        durability: Literal["memory", "disk"] | None = None,
        sync: float | str | None = None,
        keep: Literal["unread", "attached"] | None = None,
        retain: int | str | None = None,
        stall_timeout: float | None = None,
        lease: float | None = None,
        exclusive_producer: bool | None = None,
        prealloc: bool | None = None,
        mode: int | None = None,
        owner_group: str | int | None = None,
        max_deliveries: int | None = None,
        dead_letter: str | None = None,
        ttl: float | None = None,
        group_expiry: float | None = None,
    ) -> Queue: ...
    async def queues(self) -> list[QueueInfo]: ...
    async def delete(self, name: str) -> None: ...
    async def close(self) -> None: ...
    async def __aenter__(self) -> Self: ...
    async def __aexit__(self, *error: object) -> None: ...

def connect(
    socket: str | os.PathLike[str] | None = None,
    *,
    user: bool = False,
    timeout: float | None = 5,
    autostart: bool = True,
) -> _Opening[Bus]: ...
def embedded(state_dir: str | os.PathLike[str] | None = None) -> _Opening[Bus]: ...
