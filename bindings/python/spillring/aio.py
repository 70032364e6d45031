"""Spillring for asyncio: the names of `spillring`, awaitable.

    import asyncio
    import spillring.aio

    async def main():
        async with spillring.aio.connect() as bus:
            orders = await bus.queue("orders", create=True)
            await orders.put(b"hello")
            async for message in orders.consume("billing"):
                with message:  # a Message as elsewhere: ack() and nack() never wait
                    print(bytes(message))

What waits for messages or for room leaves the loop alone; what asks the supervisor runs in the
loop's executor. A call that is cancelled has taken nothing: get() and receive() take a message only
as they return. All of a Bus belongs to the loop that it is first used in.
"""

import asyncio
import functools
import time
import weakref

from . import _spillring
from ._errors import Closed, Empty, Full

__all__ = ["Bus", "Consumer", "Queue", "connect", "embedded"]

_LONGEST_WAIT_FOR_ROOM = 1.0  # seconds; then the executor's thread is free for others
_TAKEN_AT_A_STRETCH = 64  # messages; then the loop's other tasks have a turn, whatever comes


async def _in_thread(function, *args, **options):
    call = functools.partial(function, *args, **options)
    return await asyncio.get_running_loop().run_in_executor(None, call)


class _Opening:
    """What an opening call returns: to be awaited, entered by `async with`, or iterated at once."""

    def __init__(self, opening):
        self._opening = opening
        self._opened = None

    def __await__(self):
        return self._opening.__await__()

    async def __aenter__(self):
        self._opened = await self._opening
        return self._opened

    async def __aexit__(self, *error):
        await self._opened.close()

    async def __aiter__(self):
        async with self as opened:
            async for item in opened:
                yield item


class _Readiness:
    """Who waits until a descriptor can be read. It is polled while somebody does.

    Level-triggered: the descriptor can be read until somebody has found nothing. So of many who
    wait one is woken each time the loop comes round, and one who was cancelled is no loss to the
    others.
    """

    def __init__(self, fd):
        self._fd = fd
        self._loop = asyncio.get_running_loop()
        self._waiting = []
        self._closed = False
        self._taken = 0

    async def obtain(self, attempt, timeout):
        """What attempt() returns, as soon as that is something; None where time is over before."""
        self._taken += 1
        if self._taken % _TAKEN_AT_A_STRETCH == 0:
            await asyncio.sleep(0)
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            if self._closed:
                raise Closed("this was closed while somebody waited")
            obtained = attempt()
            if obtained:
                return obtained
            left = None if end is None else end - time.monotonic()
            if left is not None and left <= 0:
                return None
            await self._wait(left)

    def close(self):
        """Tells everybody who waits."""
        self._closed = True
        for future in list(self._waiting):
            self._wake(future)

    async def _wait(self, timeout):
        future = self._loop.create_future()
        if not self._waiting:
            self._loop.add_reader(self._fd, self._wake_one)
        self._waiting.append(future)
        timer = timeout is not None and self._loop.call_later(timeout, self._wake, future)
        try:
            await future
        finally:
            if timer:
                timer.cancel()
            self._wake(future)  # where it was cancelled

    def _wake_one(self):
        self._wake(self._waiting[0])

    def _wake(self, future):
        if not future.done():
            future.set_result(None)
        if future in self._waiting:
            self._waiting.remove(future)
            if not self._waiting:
                self._loop.remove_reader(self._fd)


class Consumer:
    """Receives a group's messages; an asynchronous iterator of them.

    Made by Queue.consume() and Queue.subscribe(). Tasks may share it. close(), or the end of an
    `async with` statement, hands back what was claimed ahead and leaves the group.
    """

    def __init__(self, consumer, timeout, opened):
        self._consumer = consumer
        self._timeout = timeout
        self._readiness = _Readiness(consumer.fileno())
        opened.add(self._readiness)

    async def receive(self, timeout=None):
        """The next message; None if none came within `timeout` seconds (None: waits for ever)."""
        return await self._readiness.obtain(lambda: self._consumer.receive(0), timeout)

    async def receive_many(self, n, timeout=None):
        """Up to n messages: waits for the first, then takes what is there."""
        many = functools.partial(self._consumer.receive_many, n, 0)
        return await self._readiness.obtain(many, timeout) or []

    async def seek(self, to):
        """Goes on elsewhere, as spillring.Consumer.seek()."""
        await _in_thread(self._consumer.seek, to)

    def fileno(self):
        """As spillring.Consumer.fileno()."""
        return self._consumer.fileno()

    @property
    def lag(self):
        """How many sequences the group is behind the queue's end."""
        return self._consumer.lag

    @property
    def queue(self):
        """The queue's name."""
        return self._consumer.queue

    @property
    def group(self):
        """The group's name; None for a subscription without a name."""
        return self._consumer.group

    async def close(self):
        """Leaves the group. Who waits for a message is told Closed."""
        self._readiness.close()
        await _in_thread(self._consumer.close)

    def __aiter__(self):
        return self

    async def __anext__(self):
        try:
            message = await self.receive(self._timeout)
        except Closed:
            message = None
        if message is None:
            raise StopAsyncIteration
        return message

    async def __aenter__(self):
        return self

    async def __aexit__(self, *error):
        await self.close()

    def __repr__(self):
        return repr(self._consumer).replace("<spillring.", "<spillring.aio.", 1)


class Queue:
    """A named queue. Made by Bus.queue(). Tasks may share it."""

    def __init__(self, queue, opened):
        self._queue = queue
        self._opened = opened
        self._getters = {}  # descriptor and readiness of each group that get() was called for
        self._room = None  # the one wait for room that is under way

    @property
    def name(self):
        """The queue's name."""
        return self._queue.name

    async def put(self, buf, *, key=None, headers=None, ttl=None, timeout=None, durable=False):
        """Sends a copy of a buffer, as spillring.Queue.put(), and returns its sequence."""
        if durable:
            put = functools.partial(self._queue.put, key=key, headers=headers, ttl=ttl, durable=True)
            return await _in_thread(put, buf, timeout=timeout)
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            sequence = self._queue._try_put(buf, key, headers, ttl)
            if sequence is not None:
                return sequence
            left = None if end is None else end - time.monotonic()
            if left is not None and left <= 0:  # once more, for the words that say why
                put = functools.partial(self._queue.put_nowait, key=key, headers=headers, ttl=ttl)
                return await _in_thread(put, buf)
            await self._wait_for_room(buf, key, headers, ttl, left)

    def put_nowait(self, buf, *, key=None, headers=None, ttl=None):
        """put() that raises Full instead of waiting. No coroutine."""
        sequence = self._queue._try_put(buf, key, headers, ttl)
        if sequence is None:
            raise Full(f"queue '{self.name}' is full")
        return sequence

    async def put_many(self, buffers, *, key=None, headers=None, ttl=None, timeout=None, atomic=False):
        """Sends a copy of each buffer, as spillring.Queue.put_many()."""
        return await _in_thread(
            self._queue.put_many, list(buffers), key=key, headers=headers, ttl=ttl, timeout=timeout, atomic=atomic
        )

    async def flush(self, *, timeout=None):
        """Returns when the disk has all that was put, as spillring.Queue.flush()."""
        await _in_thread(self._queue.flush, timeout=timeout)

    async def loan(self, nbytes, *, key=None, headers=None, ttl=None, timeout=None):
        """Room for a message in the queue's memory: a spillring.Loan, to be used in `with`."""
        loan = functools.partial(self._queue.loan, nbytes, key=key, headers=headers, ttl=ttl)
        return await _in_thread(loan, timeout=timeout)

    async def get(self, *, group="default", timeout=None, ack=True):
        """Takes the group's next message, as spillring.Queue.get(); raises Empty."""

        get = functools.partial(self._queue.get_nowait, group=group, ack=ack)
        return await self._get(get, group, timeout)

    def get_nowait(self, *, group="default", ack=True):
        """get() that raises Empty instead of waiting. No coroutine."""
        return self._queue.get_nowait(group=group, ack=ack)

    async def get_many(self, n, *, group="default", timeout=None):
        """Takes up to n messages, as spillring.Queue.get_many(); raises Empty."""

        get = functools.partial(self._queue.get_many, n, group=group, timeout=0)
        return await self._get(get, group, timeout)

    async def _get(self, get, group, timeout):
        def attempt():
            try:
                return get()
            except Empty:
                return None

        readiness = await self._getter(group)
        obtained = await readiness.obtain(attempt, timeout)
        if obtained is None:
            raise Empty(f"queue '{self.name}': no message came in time")
        return obtained

    def consume(self, group="default", *, prefetch=64, start="earliest", timeout=None):
        """Becomes a member of a shared group: await it, enter it, or iterate over it at once."""

        async def opening():
            consume = functools.partial(self._queue.consume, group, prefetch=prefetch, start=start)
            return Consumer(await _in_thread(consume), timeout, self._opened)

        return _Opening(opening())

    def subscribe(self, group=None, *, start="latest"):
        """Reads all messages from `start` on: await it, enter it, or iterate over it at once."""

        async def opening():
            consumer = await _in_thread(self._queue.subscribe, group, start=start)
            return Consumer(consumer, None, self._opened)

        return _Opening(opening())

    async def peek(self, n=1, *, seq=None):
        """Copies of up to n messages; nothing changes for anybody."""
        return await _in_thread(self._queue.peek, n, seq=seq)

    async def info(self):
        """The queue as it is at this moment, a QueueInfo."""
        return await _in_thread(self._queue.info)

    async def groups(self):
        """The groups as they are at this moment, a list of GroupInfo."""
        return await _in_thread(self._queue.groups)

    async def remove_group(self, name, *, force=False):
        """Removes a group and its position, as spillring.Queue.remove_group()."""
        await _in_thread(self._queue.remove_group, name, force=force)

    async def set(
        self, *, lease=None, stall_timeout=None, sync=None, retain=None, ttl=None, group_expiry=None
    ):
        """Changes options of the queue, as spillring.Queue.set()."""
        changes = {"lease": lease, "stall_timeout": stall_timeout, "sync": sync, "retain": retain}
        return await _in_thread(self._queue.set, **changes, ttl=ttl, group_expiry=group_expiry)

    async def purge(self):
        """Moves every group to the queue's end."""
        return await _in_thread(self._queue.purge)

    async def _getter(self, group):
        # The descriptor is another one where the queue is another one.
        fd = await self._fileno(group)
        known = self._getters.get(group)
        if known is None or known[0] != fd:
            known = self._getters[group] = fd, _Readiness(fd)
            self._opened.add(known[1])
        return known[1]

    async def _fileno(self, group):
        if group in self._getters:
            return self._queue._fileno(group)
        return await _in_thread(self._queue._fileno, group)  # the first time asks the supervisor

    async def _wait_for_room(self, buf, key, headers, ttl, timeout):
        # One thread of the executor for each queue, however many wait.
        if self._room is None or self._room.done():
            longest = _LONGEST_WAIT_FOR_ROOM
            seconds = longest if timeout is None else min(timeout, longest)
            wait = _in_thread(self._queue._wait_for_room, buf, key, headers, ttl, seconds)
            self._room = asyncio.ensure_future(wait)
        await asyncio.wait([self._room], timeout=timeout)
        if self._room.done():
            self._room.result()

    def __repr__(self):
        return repr(self._queue).replace("<spillring.", "<spillring.aio.", 1)


class Bus:
    """A connection to a supervisor. Made by connect() or embedded(). Tasks may share it."""

    def __init__(self, bus):
        self._bus = bus
        self._opened = weakref.WeakSet()  # what somebody may wait for

    @property
    def socket(self):
        """Path of the supervisor's socket."""
        return self._bus.socket

    async def queue(self, name, **options):
        """Opens a queue, or makes it with create=True: as spillring.Bus.queue()."""
        return Queue(await _in_thread(self._bus.queue, name, **options), self._opened)

    async def queues(self):
        """All queues, by name: a list of QueueInfo."""
        return await _in_thread(self._bus.queues)

    async def delete(self, name):
        """Removes a queue and its messages."""
        await _in_thread(self._bus.delete, name)

    async def close(self):
        """Closes all that was made through this Bus. Who waits is told Closed."""
        for readiness in list(self._opened):
            readiness.close()
        await _in_thread(self._bus.close)

    async def __aenter__(self):
        return self

    async def __aexit__(self, *error):
        await self.close()

    def __repr__(self):
        return repr(self._bus).replace("<spillring.", "<spillring.aio.", 1)


def connect(socket=None, *, user=False, timeout=5, autostart=True):
    """Connects as spillring.connect(): await it, or enter it with `async with`."""

    async def opening():
        connect = functools.partial(_spillring.connect, user=user, autostart=autostart)
        return Bus(await _in_thread(connect, socket, timeout=timeout))

    return _Opening(opening())


def embedded(state_dir=None):
    """Runs a supervisor inside this process, as spillring.embedded()."""

    async def opening():
        return Bus(await _in_thread(_spillring.embedded, state_dir))

    return _Opening(opening())
