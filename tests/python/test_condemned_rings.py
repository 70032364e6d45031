"""A ring that is condemned, and a supervisor that dies in the middle of that: the next one goes on at whichever step
it was. While the keeper is stopped nobody takes over, so each step can be made as the dead one left it."""

import contextlib
import os
import signal
import struct

import pytest
import spillring
from conftest import LONG, Daemon, eventually

SLOTS = 64
# Of the manifest, as docs/memory-layout.md has them.
JOURNALED, FIRST, LOST_UNTIL, CONDEMNED = 288, 320, 464, 512


def manifests(keeper):
    """Where the manifest of q is, as soon as the keeper has taken it."""
    folder = f"/proc/{keeper}/fd"
    links = {os.readlink(f"{folder}/{fd}"): f"{folder}/{fd}" for fd in os.listdir(folder)}
    return [path for link, path in links.items() if link.startswith("/memfd:spillring:q:manifest")]


class Words:
    """The manifest of q, which the keeper has, as a supervisor writes to it."""

    def __init__(self, keeper):
        [self.path] = manifests(keeper)

    def read(self, offset):
        with open(self.path, "rb", buffering=0) as file:
            return struct.unpack("<Q", os.pread(file.fileno(), 8, offset))[0]

    def write(self, words):
        with open(self.path, "r+b", buffering=0) as file:
            for offset, value in words.items():
                os.pwrite(file.fileno(), struct.pack("<Q", value), offset)


@contextlib.contextmanager
def between_two_supervisors(daemon):
    """The words of q, while nobody takes over from a supervisor that was killed."""
    before = daemon.processes()
    eventually(lambda: manifests(before["keeper"]))
    os.kill(before["keeper"], signal.SIGSTOP)
    os.kill(before["supervisor"], signal.SIGKILL)
    yield Words(before["keeper"])
    os.kill(before["keeper"], signal.SIGCONT)
    eventually(lambda: daemon.processes().get("supervisor") not in (None, before["supervisor"]))


@pytest.fixture
def durable(tmp_path):
    daemon = Daemon(tmp_path, ("--state-dir", str(tmp_path / "state")))
    yield daemon
    daemon.kill()


@pytest.mark.parametrize("durability", ["memory", "disk"])
def test_the_next_supervisor_goes_on(durable, durability):
    daemon = durable
    with daemon.connect() as bus, daemon.connect() as apart, daemon.connect() as late:
        queue = bus.queue("q", create=True, capacity=64 * 1024, slots=SLOTS, durability=durability, full="block")
        read = late.queue("q").subscribe("late", start="earliest")
        for number in range(10):
            queue.put(b"%d" % number, durable=durability == "disk")
        for _ in range(3):
            queue.get(timeout=LONG)
        loan = apart.queue("q").loan(100)
        end = 4 + SLOTS if durability == "memory" else 11 + SLOTS
        after = {}
        # The mark alone; then all but what follows it; then all but the last step.
        for words in ({CONDEMNED: 1}, {LOST_UNTIL: 0, JOURNALED: None}, {JOURNALED: None}):
            with between_two_supervisors(daemon) as m:
                journaled = after.setdefault(JOURNALED, m.read(JOURNALED))
                m.write({offset: journaled if value is None else value for offset, value in words.items()})
            eventually(lambda: Words(daemon.processes()["keeper"]).read(LOST_UNTIL) == end)
            m = Words(daemon.processes()["keeper"])
            assert sorted(m.read(FIRST + 8 * place) for place in range(8))[-2:] == [1, end]
            eventually(lambda: m.read(JOURNALED) == end)
        with pytest.raises(spillring.Stale):
            loan.publish()
        queue.put(b"last", durable=durability == "disk")
        on_disk = 10 if durability == "disk" else 0
        for number in range(on_disk):
            assert bytes(next(read)) == b"%d" % number
        message = next(read)
        assert (bytes(message), message.seq, message.gap) == (b"last", end, end - 1 - on_disk)
        for number in range(3, on_disk):
            assert bytes(queue.get(timeout=LONG)) == b"%d" % number
        assert bytes(queue.get(timeout=LONG)) == b"last"
        lost = {group.name: group.lost for group in bus.queue("q").groups()}
        assert lost == {"late": end - 1 - on_disk, "default": end - 4 if not on_disk else end - 11}
        del message  # the floor of a stream is the oldest in somebody's hands
        eventually(lambda: bus.queue("q").info().rings == 1)
