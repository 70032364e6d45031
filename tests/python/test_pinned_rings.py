"""A ring that somebody keeps from being used again is replaced; four such are kept at a time, and who keeps none counts
for none."""

import os
import signal

import pytest
import spillring
from conftest import LONG, eventually

MANY = 200  # messages: more than a ring has room for
ROUNDS = 6  # more than rings are kept


def kill_supervisor(daemon):
    """Returns when the next one answers."""
    killed = daemon.processes()["supervisor"]
    os.kill(killed, signal.SIGKILL)
    eventually(lambda: daemon.processes().get("supervisor") not in (None, killed))
    with daemon.connect() as bus:
        bus.queues()


def test_a_killed_supervisor_does_not_forget_who_keeps_which(daemon):
    """An idle producer has the first ring; those that were kept by others are not put on its account."""
    with daemon.connect() as bus, daemon.connect() as apart:
        queue = bus.queue("q", create=True, capacity=64 * 1024, slots=64, stall_timeout=0.05)
        idle = apart.queue("q")
        idle.put(b"first")
        queue.get(timeout=LONG)
        for _ in range(ROUNDS):
            with daemon.connect() as slow:
                loan = slow.queue("q").loan(1000)
                for number in range(MANY):
                    queue.put(b"%d" % number, timeout=LONG)
                    assert bytes(queue.get(timeout=LONG)) == b"%d" % number
                kill_supervisor(daemon)
                with pytest.raises(spillring.Stale):
                    loan.publish()
        idle.put(b"last")
        assert bytes(queue.get(timeout=LONG)) == b"last"
