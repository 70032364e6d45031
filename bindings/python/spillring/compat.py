"""A queue to be used where multiprocessing.Queue is used now.

    from spillring.compat import Queue  # instead of multiprocessing

    tasks = Queue()
    Process(target=work, args=(tasks,)).start()
    tasks.put({"any": "object that can be pickled"})

The same methods, with the same meaning. What differs:

- put() sends at once, in the caller: no thread, no pipe. What cannot be pickled raises there, and
  join_thread() and cancel_join_thread() have nothing to do.
- Killing a process, at any instruction, leaves the queue whole for all others. With a maxsize it may
  take one object more afterwards, never fewer.
- It can be handed over when a process is started, and later too: through another queue, say.
- An object takes at most a quarter of the queue's capacity of 64 MiB when pickled, or put() raises
  spillring.TooLarge. Without maxsize, put() waits where so much is in the queue that it is full, unless
  the supervisor has a state directory: then the oldest go to the disk.
- The queue is removed when the process that made it ends, after those that it has started.
- It unpickles what comes out of a queue: like multiprocessing, only for processes that trust each
  other.
"""

import functools
import multiprocessing.util
import os
import pickle
import secrets
import time

from . import _spillring
from ._errors import Closed, Deleted, Empty, Full, Unavailable

__all__ = ["Queue"]

_CAPACITY = "64MiB"
_LAST = -10  # of multiprocessing's finalizers: when the processes it has started have ended


@functools.cache
def _bus():
    """This process's, and in a forked child, which connects anew, the child's."""
    return _spillring.connect()


def _remove(bus, names, creator):
    if os.getpid() != creator:
        return
    for name in names:
        try:
            bus.delete(name)
        except (Closed, Deleted, KeyError, Unavailable):  # it has gone before
            pass


class Queue:
    """A queue of Python objects between processes; see the module."""

    def __init__(self, maxsize=0, *, queue=None):
        """maxsize: most objects in it; 0: as many as fit. queue: a spillring.Queue to be used, for
        example one with options of its own, which is then not removed; None: a new one."""
        self._maxsize = max(maxsize, 0)
        self._closed = False
        self._permits = None
        name = f"multiprocessing-{os.getpid()}-{secrets.token_hex(6)}"
        names = []
        if queue is None:
            names.append(name)
            queue = _bus().queue(name, create=True, capacity=_CAPACITY)
        self._queue = queue
        if self._maxsize:
            names.append(name + ".permits")
            # For each object that it may still take, an empty message. Who dies between the two
            # queues holds one of them unacknowledged: it comes again.
            self._permits = _bus().queue(names[-1], create=True, slots=2 * self._maxsize)
            self._permits.put_many([b""] * self._maxsize)
        if names:
            multiprocessing.util.Finalize(
                None, _remove, args=(_bus(), names, os.getpid()), exitpriority=_LAST
            )

    def put(self, obj, block=True, timeout=None):
        """Puts obj into the queue; raises queue.Full where there is no room, or none in time."""
        self._require_open()
        pickled = pickle.dumps(obj, pickle.HIGHEST_PROTOCOL)
        seconds = _seconds(block, timeout)
        if self._permits is None:
            self._queue.put(pickled, timeout=seconds)
            return
        end = None if seconds is None else time.monotonic() + seconds
        try:
            permit = self._permits.get(timeout=seconds, ack=False)
        except Empty:
            raise Full(f"there are {self._maxsize} objects in the queue") from None
        with permit:
            left = None if end is None else max(end - time.monotonic(), 0)
            self._queue.put(pickled, timeout=left)

    def get(self, block=True, timeout=None):
        """Takes an object; raises queue.Empty where there is none, or none in time."""
        self._require_open()
        seconds = _seconds(block, timeout)
        if self._permits is None:
            return pickle.loads(self._queue.get(timeout=seconds))
        message = self._queue.get(timeout=seconds, ack=False)
        try:
            return pickle.loads(message)
        finally:
            self._permits.put(b"")
            message.ack()

    def put_nowait(self, obj):
        """put(obj, block=False)."""
        self.put(obj, False)

    def get_nowait(self):
        """get(block=False)."""
        return self.get(False)

    def qsize(self):
        """About how many objects are in the queue."""
        return len(self._queue)

    def empty(self):
        """Whether there is nothing in the queue, at this moment."""
        return not self._queue.peek(1)

    def full(self):
        """Whether there are maxsize objects in the queue, at this moment."""
        return self._permits is not None and not self._permits.peek(1)

    def close(self):
        """This object, in this process, puts and takes nothing any more."""
        self._closed = True

    def join_thread(self):
        """Returns: what was put is in the queue. After close() only."""
        if not self._closed:
            raise AssertionError(f"{self!r} is not closed")

    def cancel_join_thread(self):
        """Nothing: there is no thread to wait for."""

    def _require_open(self):
        if self._closed:
            raise ValueError(f"{self!r} is closed")

    def __getstate__(self):
        return self._maxsize, self._queue, self._permits

    def __setstate__(self, state):
        self._maxsize, self._queue, self._permits = state
        self._closed = False

    def __repr__(self):
        return f"<spillring.compat.Queue '{self._queue.name}'>"


def _seconds(block, timeout):
    if not block:
        return 0
    return None if timeout is None else max(timeout, 0)
