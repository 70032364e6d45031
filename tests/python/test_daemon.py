"""The module with the real supervisor, and other processes."""

import gc
import os
import signal

import pytest
import spillring
from conftest import LONG, Daemon, eventually

ECHO = """
import spillring
with spillring.connect(sys.argv[1]) as bus:
    requests, answers = bus.queue("requests"), bus.queue("answers")
    print("ready", flush=True)
    for message in requests.consume("servers", timeout=2):
        with message:
            answers.put(message, key=message.key, headers=message.headers)
"""


def test_processes_talk(daemon, python):
    with daemon.connect() as bus:
        requests = bus.queue("requests", create=True)
        answers = bus.queue("answers", create=True)
        process = python(ECHO, daemon.socket)
        assert process.stdout.readline() == "ready\n"
        for number in range(100):
            requests.put(bytes(number * 100), key=bytes([number]), headers={"n": b"%d" % number})
        for number in range(100):
            message = answers.get(timeout=LONG)
            assert (len(message), message.key) == (number * 100, bytes([number]))
            assert message.headers == {"n": b"%d" % number}
        output, errors = process.communicate(timeout=LONG)
        assert (output, errors, process.returncode) == ("", "", 0)


HOLD = """
import spillring
bus = spillring.connect(sys.argv[1])
consumer = bus.queue("q").consume()
messages = [consumer.receive(timeout=30) for _ in range(3)]
loan = bus.queue("q").loan(100)
print("ready", flush=True)
sys.stdin.readline()
"""


def test_what_a_killed_process_held_is_delivered_again(daemon, python):
    with daemon.connect() as bus:
        queue = bus.queue("q", create=True)
        for number in range(3):
            queue.put(b"%d" % number)
        process = python(HOLD, daemon.socket)
        assert process.stdout.readline() == "ready\n"
        process.kill()
        again = sorted((queue.get(timeout=LONG) for _ in range(3)), key=lambda m: m.seq)
        assert [(bytes(m), m.deliveries) for m in again] == [(b"0", 2), (b"1", 2), (b"2", 2)]
        queue.put(b"behind the loan")
        assert bytes(queue.get(timeout=LONG)) == b"behind the loan"


def test_queue_keeps_messages_after_its_sender_ended(daemon, python):
    send = "import spillring\nspillring.connect(sys.argv[1]).queue('q', create=True).put(b'hello')"
    _, errors = python(send, daemon.socket).communicate(timeout=LONG)
    assert errors == ""
    with daemon.connect() as bus:
        assert bytes(bus.queue("q").get_nowait()) == b"hello"


def test_messages_go_on_without_a_supervisor(daemon):
    bus = daemon.connect()
    queue = bus.queue("q", create=True)
    consumer = queue.consume("workers")
    subscriber = queue.subscribe()
    queue.put(b"before")
    with queue.get(ack=False) as message:
        assert bytes(message) == b"before"

    daemon.kill()
    for call in (
        bus.queues,
        queue.info,
        queue.groups,
        queue.peek,
        queue.purge,
        lambda: len(queue),
        lambda: bus.queue("other", create=True),
        lambda: bus.delete("q"),
        lambda: queue.consume("new"),
        lambda: queue.get_nowait(group="new"),
    ):
        with pytest.raises(spillring.Unavailable) as error:
            call()
        assert isinstance(error.value, ConnectionError)

    for number in range(100):
        queue.put(b"%d" % number)
    with queue.loan(5) as slot:
        memoryview(slot)[:] = b"after"
    with pytest.raises(spillring.Unavailable):
        spillring.connect(daemon.socket)
    expected = [b"%d" % number for number in range(100)] + [b"after"]
    assert [bytes(queue.get_nowait()) for _ in expected] == expected
    with pytest.raises(spillring.Empty):
        queue.get(timeout=0.05)
    for receive in (consumer.receive, subscriber.receive):
        got = []
        for _ in range(1 + len(expected)):
            with receive(timeout=0) as message:
                got.append(bytes(message))
        assert got == [b"before", *expected]
    bus.close()


def test_embedded_supervisor_that_is_gone(bus):
    with spillring.connect(bus.socket) as other:
        queue = other.queue("q", create=True)
        queue.put(b"1")
        assert bytes(queue.get_nowait()) == b"1"
        bus.close()
        with pytest.raises(spillring.Unavailable):
            queue.info()
        queue.put(b"2")
        assert bytes(queue.get_nowait()) == b"2"


def test_queue_grows_with_what_is_put(daemon):
    with daemon.connect() as bus:
        queue = bus.queue("q", create=True, capacity="32MiB")
        before = queue.info().ring_bytes
        for _ in range(20):
            queue.put(bytes(1 << 20), timeout=LONG)
        assert queue.info().ring_bytes > before
        for _ in range(20):
            assert len(queue.get(timeout=LONG)) == 1 << 20

        def has_moved_on():  # whoever reads on past a ring's end lets go of it
            queue.put(b"one more")
            queue.get(timeout=LONG)
            return queue.info().rings == 1

        eventually(has_moved_on)


def test_a_queue_whose_journal_may_not_grow_says_why(tmp_path):
    limits = ("--state-dir", tmp_path / "state", "--segment-size", "64KiB", "--max-journal-per-queue", "1MiB")
    daemon = Daemon(tmp_path, limits)
    try:
        with daemon.connect() as bus:
            queue = bus.queue("q", create=True, capacity="256KiB", slots=1024)
            assert (queue.info().alarm, queue.info().oldest_age) == (None, None)
            with pytest.raises(spillring.Full, match="queue 'q': the queue is full, and its journal cannot") as error:
                for number in range(10_000):
                    queue.put(b"%1000d" % number, timeout=0.5)
            assert "max_journal_per_queue" in error.value.hint
            info = queue.info()
            assert info.alarm == "quota" and info.oldest_age > 0.4
            assert info.spilled_bytes == info.spilled * 1000 > 0
            assert 0 < info.disk_left < info.disk_free
            assert [bytes(queue.get(timeout=LONG)) for _ in range(number)] == [b"%1000d" % n for n in range(number)]
            group, = queue.groups()
            assert group.read_back >= info.spilled and group.read_back_bytes == group.read_back * 1000
    finally:
        daemon.kill()


@pytest.mark.parametrize("end", ["ack", "drop"])
def test_other_threads_run_while_the_supervisor_is_asked(daemon, in_thread, end):
    """The last message of a closed consumer gives its place back, which the supervisor has to answer."""
    with daemon.connect(timeout=1) as bus:
        queue = bus.queue("q", create=True)
        queue.put(b"x")
        # What a stream has given may be dropped without a word.
        reader = queue.consume() if end == "ack" else queue.subscribe(start="earliest")
        held = [reader.receive(timeout=LONG)]
        del reader
        gc.collect()  # the consumer
        assert queue.info().consumers == 1
        supervisor = daemon.processes()["supervisor"]
        os.kill(supervisor, signal.SIGSTOP)
        try:
            thread = in_thread(held[0].ack if end == "ack" else held.clear)
            count = 0
            while thread.is_alive():
                count += 1
        finally:
            os.kill(supervisor, signal.SIGCONT)
        assert count > 10_000
        thread.result()
