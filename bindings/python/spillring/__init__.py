"""Spillring: named queues in shared memory for the processes of one Linux machine.

    import spillring

    with spillring.connect() as bus:
        frames = bus.queue("frames", create=True, capacity="64MiB")

        frames.put(b"hello", key=b"greeting")  # sends a copy
        with frames.loan(1920 * 1080) as slot:  # or written in place
            np.asarray(slot)[:] = 127

        for message in frames.consume("gpu", timeout=1):  # a member of a shared group
            with message:  # acknowledged at the end
                print(np.frombuffer(message, np.uint8).mean())  # read in place

connect() finds a running supervisor (spillringd); embedded() runs one inside this process, which
is all a test needs.
"""

from ._errors import (
    Closed,
    Corrupt,
    Deleted,
    Denied,
    Empty,
    Error,
    Exists,
    Forked,
    Full,
    InDoubt,
    Invalid,
    NoMemory,
    NotFound,
    Poisoned,
    Stale,
    Timeout,
    TooLarge,
    Unavailable,
)
from ._info import GroupInfo, QueueInfo
from ._spillring import Bus, Consumer, Loan, Message, Queue, __version__, connect, embedded

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
    "InDoubt",
    "Invalid",
    "Loan",
    "Message",
    "NoMemory",
    "NotFound",
    "Poisoned",
    "Queue",
    "QueueInfo",
    "Stale",
    "Timeout",
    "TooLarge",
    "Unavailable",
    "__version__",
    "connect",
    "embedded",
]
