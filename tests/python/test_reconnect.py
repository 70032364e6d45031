"""The daemon is stopped and started: the objects there are go on with the next one."""

import os
import pathlib
import select
import signal

import pytest
import spillring
from conftest import LONG, Daemon


@pytest.fixture(params=["stop", "kill"])
def restart(daemon, request):
    """Ends supervisor and keeper, and starts others at the same socket."""

    def again():
        processes = [os.pidfd_open(pid) for pid in daemon.processes().values()]
        getattr(daemon, request.param)()
        for process in processes:
            assert select.select([process], [], [], LONG)[0], "it does not end"
            os.close(process)
        daemon.start()

    return again


def test_the_same_bus_and_queue_work_again(daemon, restart):
    with daemon.connect() as bus:
        queue = bus.queue("q", create=True)
        queue.put(b"old")
        assert bytes(queue.get_nowait()) == b"old"
        restart()
        assert bus.queues() == []
        with pytest.raises(spillring.NotFound):
            queue.info()
        bus.queue("other", create=True)  # gets the number that "q" had
        bus.queue("q", create=True)
        queue.put(b"new")
        assert queue.info().next == 2
        assert bytes(queue.get_nowait()) == b"new"
        with queue.loan(4) as slot:
            memoryview(slot)[:] = b"loan"
        with spillring.connect(daemon.socket) as other:
            assert bytes(other.queue("q").get_nowait()) == b"loan"
            assert len(other.queue("other")) == 0


def test_it_is_unavailable_only_while_nobody_is_there(daemon):
    with daemon.connect() as bus:
        queue = bus.queue("q", create=True)
        daemon.stop()
        for call in (bus.queues, queue.info, queue.purge, lambda: queue.consume("g")):
            with pytest.raises(spillring.Unavailable):
                call()
        daemon.start()
        assert bus.queues() == []
        assert bus.queue("q", create=True).info().messages == 0
        assert queue.info().messages == 0


def test_who_was_attached_goes_on_with_the_former_queue(daemon, restart):
    with daemon.connect() as bus:
        queue = bus.queue("q", create=True)
        reader = queue.consume("g")
        loan = queue.loan(3)
        queue.put(b"held")
        memoryview(loan)[:] = b"old"
        restart()
        bus.queue("q", create=True)
        queue.put(b"new")  # makes a new producer
        with queue.consume("g") as other, other.receive(timeout=LONG) as message:
            assert bytes(message) == b"new"
            assert other.receive(timeout=0) is None
        loan.publish()
        for expected in (b"old", b"held"):
            with reader.receive(timeout=LONG) as message:
                assert bytes(message) == expected
        reader.close()
        assert (queue.info().producers, queue.info().consumers) == (1, 0)


def test_large_messages_too(daemon, restart):
    """Their copies are made without the GIL, by another way than those of small ones."""
    with daemon.connect() as bus:
        queue = bus.queue("q", create=True)
        queue.put(bytes(1 << 20))
        restart()
        bus.queue("q", create=True, capacity="64MiB")
        queue.put(bytes(8 << 20), timeout=LONG)  # more than the former queue took
        assert len(queue.get(timeout=LONG)) == 8 << 20


def test_threads_share_a_queue_across_a_restart(daemon, restart, in_thread):
    with daemon.connect() as bus:
        queue = bus.queue("q", create=True)
        queue.put(b"old")
        restart()
        bus.queue("q", create=True)
        senders = [in_thread(lambda: [queue.put(b"new") for _ in range(200)]) for _ in range(4)]
        for sender in senders:
            sender.result()
        assert len(queue) == 800
        assert [bytes(queue.get_nowait()) for _ in range(800)] == [b"new"] * 800


def test_a_supervisor_that_its_keeper_replaces_is_not_noticed(daemon):
    with daemon.connect() as bus:
        queue = bus.queue("q", create=True)
        queue.put(b"kept")
        os.kill(daemon.processes()["supervisor"], signal.SIGKILL)
        assert queue.info().messages == 1
        assert bytes(queue.get_nowait()) == b"kept"


def test_a_queue_that_its_supervisor_took_along_is_found_again(tmp_path):
    """A clean stop with a state directory: the end is told once, and nothing goes to the former queue."""
    daemon = Daemon(tmp_path, options=["--state-dir", tmp_path / "state"])
    try:
        with daemon.connect() as bus:
            queue = bus.queue("q", create=True)
            queue.put(b"done")
            queue.put(b"old")
            assert bytes(queue.get_nowait()) == b"done"
            daemon.stop()
            daemon.start()
            with pytest.raises(spillring.Unavailable):
                queue.put(b"to nobody")
            assert queue.put(b"new") == 3
            assert [bytes(queue.get(timeout=LONG)) for _ in range(2)] == [b"old", b"new"]
    finally:
        daemon.kill()


OWN = """
import spillring
bus = spillring.connect()
bus.queue("q", create=True).put(b"old")
print(bus.socket, flush=True)
sys.stdin.readline()
queue = bus.queue("q")
print(len(bus.queues()), len(queue), bytes(queue.get_nowait()).decode(), flush=True)
"""


def test_the_users_own_supervisor_is_started_again(python, tmp_path, monkeypatch):
    for name in ("SPILLRING_SOCKET", "SPILLRING_AUTOSTART", "XDG_RUNTIME_DIR", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    process = python(OWN)
    socket = process.stdout.readline().strip()
    assert socket.startswith(str(tmp_path))
    end(socket)
    output, errors = process.communicate("\n", timeout=LONG)
    assert (output, process.returncode) == ("1 1 old\n", 0), errors  # it has a state directory
    assert errors.count("started a supervisor of your own") == 2
    end(socket)


def end(socket):
    """Ends the supervisor there, which is nobody's child."""
    lines = pathlib.Path(socket + ".lock").read_text().splitlines()
    pids = dict(line.split() for line in lines)
    keeper = os.pidfd_open(int(pids["keeper"]))
    signal.pidfd_send_signal(keeper, signal.SIGTERM)
    assert select.select([keeper], [], [], LONG)[0], "it does not end"
    os.close(keeper)
