"""What the tests of the Python module share. The build under test is $SPILLRING_BUILD."""

import contextlib
import itertools
import os
import pathlib
import socket
import subprocess
import sys
import threading
import time

import pytest

BUILD = pathlib.Path(
    os.environ.get("SPILLRING_BUILD", pathlib.Path(__file__).parents[2] / "build/dev")
)
sys.path.insert(0, str(BUILD / "python"))
sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "cli"))

import spillring  # noqa: E402
from supervised import tmp_path  # noqa: E402, F401

LONG = 30  # seconds: as good as for ever in a test that passes


def pytest_configure(config):
    # A warning that no test expects, a forgotten ack for instance, is a failure.
    config.addinivalue_line("filterwarnings", "error")


@pytest.fixture
def bus():
    with spillring.embedded() as bus:
        yield bus


@pytest.fixture
def make(bus):
    """make(**options): a new queue."""
    numbers = itertools.count()
    return lambda **options: bus.queue(f"queue-{next(numbers)}", create=True, **options)


@pytest.fixture
def queue(make):
    return make()


@pytest.fixture
def in_thread():
    """in_thread(f, *args): runs f in a thread, which is joined in the end."""
    threads = []

    def start(function, *args):
        thread = Outcome(function, *args)
        threads.append(thread)
        thread.start()
        return thread

    yield start
    for thread in threads:
        thread.join(LONG)
        assert not thread.is_alive()


class Outcome(threading.Thread):
    """A thread that keeps what its function returned or raised."""

    def __init__(self, function, *args):
        super().__init__(daemon=True)
        self._call = function, args
        self._value = None
        self._error = None

    def run(self):
        function, args = self._call
        try:
            self._value = function(*args)
        except BaseException as error:  # noqa: BLE001 - handed to whoever asks
            self._error = error

    def result(self):
        self.join(LONG)
        assert not self.is_alive(), "it still runs"
        if self._error is not None:
            raise self._error
        return self._value


def eventually(condition, timeout=LONG):
    """Waits until condition() is true."""
    end = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.005)


def wait_until_blocked(thread_id, process="self"):
    """Waits until a thread sleeps in one system call, and goes on to: not just for the GIL."""
    seen = []

    def blocked():
        try:
            with open(f"/proc/{process}/task/{thread_id}/syscall") as file:
                seen.append(file.read())
        except FileNotFoundError:  # not started yet
            return False
        return len(seen) > 5 and seen[-1] != "running\n" and len(set(seen[-5:])) == 1

    eventually(blocked)


class Daemon:
    """A spillringd with a socket of its own."""

    def __init__(self, directory, options=(), **environment):
        self.options = options
        self.socket = str(directory / "spillringd.sock")
        self.environment = {**os.environ, **environment}
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [BUILD / "bin/spillringd", "--socket", self.socket, *self.options],
            env=self.environment,
            start_new_session=True,
        )
        eventually(self.listens)

    def listens(self):
        assert self.process.poll() is None, "spillringd ended"
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as probe:
            return probe.connect_ex(self.socket) == 0

    def connect(self, **options):
        """A Bus, as soon as the daemon answers."""
        buses = []

        def answers():
            assert self.process.poll() is None, "spillringd ended"
            try:
                buses.append(spillring.connect(self.socket, **options))
            except spillring.Unavailable:
                return False
            return True

        eventually(answers)
        return buses[0]

    def processes(self):
        """The process ids of the supervisor and its keeper."""
        found = {}

        def said():
            lines = pathlib.Path(self.socket + ".lock").read_text().splitlines()
            found.update((name, int(pid)) for name, pid in map(str.split, lines))
            return len(found) == 2

        eventually(said)
        return found

    def stop(self):
        """Stops the daemon as an operator does; its queues are gone."""
        self.process.terminate()
        assert self.process.wait(LONG) == 0

    def kill(self):
        """Kills the daemon and whatever it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, 9)  # also where the first keeper has ended before
        self.process.wait(LONG)


@pytest.fixture
def daemon(tmp_path):
    daemon = Daemon(tmp_path)
    yield daemon
    daemon.kill()


@pytest.fixture
def python(tmp_path):
    """python(code, *args): starts a Python process that has the module; a Popen with pipes."""
    processes = []

    def start(code, *args):
        script = tmp_path / f"script-{len(processes)}.py"
        script.write_text(f"import sys; sys.path.insert(0, {str(BUILD / 'python')!r})\n{code}")
        process = subprocess.Popen(
            [sys.executable, "-u", script, *args],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()
