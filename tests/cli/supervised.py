"""A private supervisor, and the command as its users run it."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

PATIENCE = 60  # seconds until a wait is a failure; nothing here measures time


def built(name):
    """The program below SPILLRING_BUILD, else on PATH."""
    build = Path(os.environ.get("SPILLRING_BUILD", "/nonexistent"))
    for folder in ("bin", "tools", "daemon"):
        if (build / folder / name).is_file():
            return str(build / folder / name)
    found = shutil.which(name)
    if found is None:
        pytest.exit(f"{name} is neither below $SPILLRING_BUILD nor on PATH", returncode=2)
    return found


def eventually(condition, what):
    """Waits until condition() is true, and returns it."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.005)
    raise AssertionError(f"never happened: {what}")


class Supervisor:
    """A supervisor with these options. `confinement`: a line of shell that it is started by, which confines it."""

    def __init__(self, path, *options, confinement=None):
        self.socket = str(path)
        self.options = options
        self.confinement = confinement
        self.process = None
        self.killed = False

    def start(self):
        self.killed = False
        self.process = subprocess.Popen(
            self.command(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # one signal reaches the keeper and the supervisor
        )
        eventually(self.accepts, "the supervisor accepts a connection")

    def command(self):
        command = [built("spillringd"), "--socket", self.socket, *self.options]
        if self.confinement is None:
            return command
        return ["bash", "-c", f'{self.confinement}; exec "$@"', "bash", *command]

    def processes(self):
        """{"supervisor": PID, "keeper": PID}, as they are now."""
        def read():
            lines = Path(self.socket + ".lock").read_text().splitlines()
            return dict((name, int(pid)) for name, pid in map(str.split, lines))
        return eventually(read, "the supervisor says which processes there are")

    def descriptors(self):
        """How many the supervisor has open."""
        return len(os.listdir(f"/proc/{self.processes()['supervisor']}/fd"))

    def accepts(self):
        assert self.process.poll() is None, f"the supervisor ended with {self.process.returncode}"
        return self.connects()

    def connects(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as probe:
            return probe.connect_ex(self.socket) == 0

    def signal(self, number):
        """To both processes."""
        os.killpg(self.process.pid, number)

    def kill(self):
        self.killed = True
        self.signal(signal.SIGKILL)
        self.process.wait(PATIENCE)
        # The other one may have to wait for the disk before it is dead; until then it seems to listen.
        eventually(lambda: not self.connects(), "both are dead")

    def stop(self):
        """Ends it as an operator does; it must not have ended by itself."""
        if self.killed or self.process.returncode == 0:
            return
        try:
            keeper = self.processes()["keeper"]
            os.kill(keeper, signal.SIGTERM)
            if keeper == self.process.pid:
                assert self.process.wait(PATIENCE) == 0, "the supervisor did not end well"
            eventually(lambda: not os.path.exists(self.socket), "the socket is removed")
        finally:
            with contextlib.suppress(ProcessLookupError):
                self.signal(signal.SIGKILL)


class Outcome:
    """What a run of the command left behind."""

    def __init__(self, code, out, err):
        self.code = code
        self.bytes = out
        self.err = err.decode()

    @property
    def out(self):
        return self.bytes.decode()

    @property
    def lines(self):
        # Not splitlines(): text may hold other ends of lines than this one.
        return self.out.removesuffix("\n").split("\n") if self.out else []

    @property
    def json(self):
        return json.loads(self.bytes)

    @property
    def envelopes(self):
        return [json.loads(line) for line in self.lines]


class Process(subprocess.Popen):
    """A running command that nobody waits for without end."""

    def wait(self, timeout=PATIENCE):
        return super().wait(timeout)

    def communicate(self, input=None, timeout=PATIENCE):
        return super().communicate(input, timeout)


class Command:
    """Runs the command against one supervisor."""

    def __init__(self, socket_path):
        self.socket = socket_path
        self.environment = {
            key: value
            for key, value in os.environ.items()
            if key not in ("SPILLRING_SOCKET", "NO_COLOR", "COLUMNS")
        }
        self.environment["SPILLRING_SOCKET"] = socket_path
        self.environment["TERM"] = "xterm"
        self.running = []

    def argv(self, *arguments):
        return [built("spillring"), *map(os.fsencode, map(str, arguments))]

    def __call__(self, *arguments, stdin=b"", code=0):
        """Runs it to its end. `code` is the exit code it must have; None: any."""
        stdin = stdin.encode() if isinstance(stdin, str) else stdin
        done = subprocess.run(
            self.argv(*arguments),
            input=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self.environment,
            timeout=PATIENCE,
        )
        outcome = Outcome(done.returncode, done.stdout, done.stderr)
        assert code is None or outcome.code == code, f"{arguments}: {outcome.code}\n{outcome.err}"
        return outcome

    def start(self, *arguments, **streams):
        """Starts it; it is killed at the end of the test if it still runs."""
        streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE,
                   "stderr": subprocess.PIPE, **streams}
        process = Process(self.argv(*arguments), env=self.environment, **streams)
        self.running.append(process)
        return process

    def shell(self, script):
        """Runs a line of shell, in which $spillring is the command."""
        return subprocess.run(
            ["bash", "-o", "pipefail", "-c", script],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**self.environment, "spillring": built("spillring")},
            timeout=PATIENCE,
        )

    def count(self, queue):
        """Messages there are; `info` counts numbers that were skipped too."""
        return len(self("peek", queue, "--json", code=None).lines)

    def info(self, queue):
        return self("info", queue, "--json").json

    def close(self):
        for process in self.running:
            if process.poll() is None:
                process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream is not None and not stream.closed:
                    stream.close()


@pytest.fixture
def tmp_path():
    """Shorter than pytest's own, which grows with its runs: a socket's path has at most 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="spillring-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@pytest.fixture
def place(tmp_path):
    """The directory of the sockets."""
    return tmp_path


@pytest.fixture(name="place")
def open_place(tmp_path):
    """In place of `place`: everybody may look into it."""
    tmp_path.chmod(0o755)
    return tmp_path


@pytest.fixture
def serve(place):
    """serve(*options, confinement=None): the command, and the supervisor of that kind that it asks."""
    ends = []

    def start(*options, confinement=None):
        supervisor = Supervisor(place / "spillringd.sock", *options, confinement=confinement)
        command = Command(supervisor.socket)
        ends.extend([command.close, supervisor.stop])
        supervisor.start()
        return command, supervisor

    yield start
    for end in ends:
        end()


@pytest.fixture
def supervisor(tmp_path):
    daemon = Supervisor(tmp_path / "spillringd.sock")
    try:
        daemon.start()
        yield daemon
    finally:
        daemon.stop()


@pytest.fixture
def spillring(supervisor):
    command = Command(supervisor.socket)
    yield command
    command.close()


@pytest.fixture
def lonely(tmp_path):
    """The command where there is no supervisor."""
    command = Command(str(tmp_path / "nobody.sock"))
    yield command
    command.close()


@pytest.fixture
def orders(spillring):
    """An empty queue, by name."""
    spillring("create", "orders")
    return "orders"
