"""What a service manager is told, and what it passes on: sd_notify(3) and sd_listen_fds(3), without one."""

import contextlib
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest
from supervised import PATIENCE, Command, Supervisor, built, eventually


class Managed(Supervisor):
    """A supervisor with somebody to tell."""

    def __init__(self, path, address):
        super().__init__(path)
        self.told = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.told.bind(address)
        self.told.settimeout(PATIENCE)
        self.environment = {**os.environ, "NOTIFY_SOCKET": address.replace("\0", "@")}

    def start(self):
        self.process = subprocess.Popen(self.command(), env=self.environment, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)

    def next(self):
        """The next message, as a dictionary."""
        return dict(line.split("=", 1) for line in self.told.recv(4096).decode().splitlines())


@pytest.fixture(params=["file", "abstract"])
def managed(request, tmp_path):
    name = f"\0spillring-test-{os.getpid()}" if request.param == "abstract" else str(tmp_path / "notify")
    supervisor = Managed(tmp_path / "spillringd.sock", name)
    supervisor.start()
    yield supervisor
    supervisor.stop()
    supervisor.told.close()


def test_ready_when_clients_can_connect(managed):
    ready = managed.next()
    assert managed.accepts()
    assert (ready["READY"], ready["MAINPID"]) == ("1", str(managed.process.pid))
    supervisor = managed.processes()["supervisor"]
    assert ready["STATUS"] == f"Keeper {managed.process.pid}, supervisor {supervisor}."


def test_reload(managed):
    managed.next()
    before, begun = managed.processes(), time.clock_gettime(time.CLOCK_MONOTONIC)
    os.kill(managed.process.pid, signal.SIGHUP)
    reloading, ready = managed.next(), managed.next()
    assert reloading["RELOADING"] == "1"
    assert begun <= int(reloading["MONOTONIC_USEC"]) / 1e6 + 1e-6 <= time.clock_gettime(time.CLOCK_MONOTONIC)
    assert ready["READY"] == "1"
    assert str(before["supervisor"]) not in ready["STATUS"]


def test_a_new_keeper_says_that_it_is_the_main_process(managed):
    managed.next()
    os.kill(managed.process.pid, signal.SIGKILL)
    managed.process.wait()
    ready = managed.next()
    assert ready["READY"] == "1"
    eventually(lambda: managed.processes()["keeper"] == int(ready["MAINPID"]), "it is the keeper")


def test_a_new_supervisor_is_told_of(managed):
    managed.next()
    os.kill(managed.processes()["supervisor"], signal.SIGKILL)
    assert managed.next()["READY"] == "1"


def test_stop(managed):
    managed.next()
    os.kill(managed.process.pid, signal.SIGTERM)
    assert managed.next() == {"STOPPING": "1"}
    assert managed.process.wait(PATIENCE) == 0
    managed.told.setblocking(False)
    with pytest.raises(BlockingIOError):
        managed.told.recv(1)


def test_nobody_listens(tmp_path):
    supervisor = Managed(tmp_path / "spillringd.sock", str(tmp_path / "notify"))
    supervisor.told.close()
    supervisor.start()
    eventually(lambda: supervisor.process.poll() is None and supervisor.accepts(), "it serves all the same")
    supervisor.stop()


def test_a_supervisor_in_the_background_does_not_speak_for_its_client(tmp_path):
    """Its first use may be in a service: that service is not ready because of it."""
    managed = Managed(tmp_path / "spillringd.sock", str(tmp_path / "notify"))
    home = {**managed.environment, "HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path)}
    subprocess.run([*managed.command(), "--background"], env=home, check=True, timeout=PATIENCE)
    processes = managed.processes()
    assert b"NOTIFY_SOCKET" not in Path(f"/proc/{processes['supervisor']}/environ").read_bytes()
    os.kill(processes["supervisor"], signal.SIGKILL)
    eventually(lambda: managed.processes()["supervisor"] != processes["supervisor"], "there is another supervisor")
    os.kill(processes["keeper"], signal.SIGTERM)
    eventually(lambda: not os.path.exists(managed.socket), "it has ended")
    managed.told.setblocking(False)
    with pytest.raises(BlockingIOError):
        managed.told.recv(1)


@pytest.mark.parametrize("_", range(5))
def test_asked_to_end_again_and_again(tmp_path, _):
    """A service manager asks both processes, the keeper asks the supervisor: none of it cuts the end short."""
    managed = Managed(tmp_path / "spillringd.sock", str(tmp_path / "notify"))
    managed.start()
    managed.next()
    supervisor = managed.processes()["supervisor"]
    with contextlib.suppress(ProcessLookupError):
        while True:
            os.kill(supervisor, signal.SIGTERM)
    assert managed.process.wait(PATIENCE) == 0
    assert not os.path.exists(managed.socket)


# ---- a socket that was passed --------------------------------------------------------------------

PASS = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.set_inheritable(3, True)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=sys.argv[2])
os.execv(sys.argv[3], sys.argv[3:])
"""


def passing(listener, *command, count=1, **options):
    """Runs the command as a service manager does that made the socket."""
    return subprocess.Popen(["/usr/bin/python3", "-c", PASS, str(listener.fileno()), str(count), *command],
                            pass_fds=[listener.fileno()], stdin=subprocess.DEVNULL, start_new_session=True, **options)


class Activated(Supervisor):
    def command(self):
        return [built("spillringd"), "--socket", self.socket + ".not-this"]

    def start(self):
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.listener.bind(self.socket)
        self.listener.listen()
        self.process = passing(self.listener, *self.command(),
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        Command(self.socket)("ls")  # it waits until it is served

    def connects(self):
        return False  # the socket is the test's, and says nothing of the processes


@pytest.fixture
def activated(tmp_path):
    supervisor = Activated(tmp_path / "passed.sock")
    supervisor.start()
    yield supervisor
    supervisor.kill()
    supervisor.listener.close()


def test_takes_a_passed_socket_and_leaves_it(activated):
    inode = os.stat(activated.socket).st_ino
    spillring = Command(activated.socket)
    spillring("send", "q", "kept", "--create")
    for which in ("supervisor", "keeper", "supervisor"):
        before = activated.processes()
        os.kill(before[which], signal.SIGKILL)
        eventually(lambda: activated.processes()[which] != before[which], f"there is another {which}")
    assert spillring("recv", "q").out == "kept\n"
    os.kill(activated.processes()["keeper"], signal.SIGTERM)
    eventually(lambda: not os.path.exists(activated.socket + ".lock"), "it has ended")
    assert os.stat(activated.socket).st_ino == inode


def test_a_passed_socket_beats_the_settings(activated):
    assert not os.path.exists(activated.command()[2])
    again = subprocess.run([built("spillringd"), "--socket", activated.socket], capture_output=True,
                           timeout=PATIENCE, check=False)
    assert again.returncode == 73  # it has the lock


def test_a_lock_that_vanished_comes_back(activated):
    os.unlink(activated.socket + ".lock")
    eventually(lambda: os.path.exists(activated.socket + ".lock"), "the lock is back")
    Command(activated.socket)("ls")


@pytest.mark.parametrize("kind", ["stream", "connected", "abstract", "internet", "two", "nothing"])
def test_what_cannot_be_used_is_refused(tmp_path, kind):
    family = socket.AF_INET if kind == "internet" else socket.AF_UNIX
    type_ = socket.SOCK_STREAM if kind in ("stream", "internet") else socket.SOCK_SEQPACKET
    with socket.socket(family, type_) as passed:
        if kind != "internet":
            passed.bind("\0spillring-abstract" if kind == "abstract" else str(tmp_path / "s.sock"))
        if kind != "connected":
            passed.listen()
        count = {"two": 2, "nothing": 0}.get(kind, 1)
        command = [built("spillringd"), "--socket", str(tmp_path / "own.sock"), "--idle-exit", "100ms"]
        process = passing(passed, *command, count=count, stderr=subprocess.PIPE, text=True)
        _, said = process.communicate(timeout=PATIENCE)
    if kind == "nothing":
        assert process.returncode == 0  # its own socket, until nobody needed it
        return
    assert process.returncode == 64
    assert "why:" in said
    assert "hint: let the socket unit have one ListenSequentialPacket=" in said
