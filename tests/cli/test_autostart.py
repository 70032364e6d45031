"""The user's own supervisor: started on first use, one for all, gone when nobody needs it."""

import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import time

import pytest
from supervised import Command, Supervisor, built, eventually
from failures import assert_failure


class Home(Command):
    """The command of a user of whom nothing is known but a home directory."""

    def __init__(self, path):
        self.state = path / ".local/state/spillring"
        super().__init__(str(self.state / "spillringd.sock"))
        for name in ("SPILLRING_SOCKET", "XDG_RUNTIME_DIR", "XDG_STATE_HOME", "SPILLRING_AUTOSTART"):
            self.environment.pop(name, None)
        self.environment["HOME"] = str(path)

    def processes(self):
        return Supervisor(self.socket).processes()

    def log(self):
        return (self.state / "spillringd.log").read_text()

    def close(self):
        super().close()
        if os.path.exists(self.socket):
            os.kill(self.processes()["keeper"], signal.SIGTERM)
            eventually(lambda: not os.path.exists(self.socket), "the supervisor ends")


@pytest.fixture
def home(tmp_path):
    command = Home(tmp_path)
    yield command
    command.close()


STARTED = "spillring: started a supervisor of your own at "


def test_starts_on_first_use(home):
    first = home("send", "q", "hello", "--create")
    assert first.err == f"{STARTED}{home.socket}\n"
    again = home("recv", "q")
    assert (again.out, again.err) == ("hello\n", "")


def test_everything_private(home):
    home("ls")
    assert {oct(path.stat().st_mode & 0o777) for path in home.state.iterdir()} == {"0o600"}
    assert oct(home.state.stat().st_mode & 0o777) == "0o700"


def opened_by(pid):
    """What its descriptors are of; it may close some meanwhile."""
    for name in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(FileNotFoundError):
            yield os.readlink(f"/proc/{pid}/fd/{name}")


def test_leaves_nothing_of_its_starter_open(home):
    """A shell that waits for the end of a pipe goes on."""
    done = home.shell("x=$(echo hi | $spillring send q --create 2>&1) && echo \"$x\" && $spillring recv q")
    assert done.stdout.decode() == f"{STARTED}{home.socket}\nhi\n"
    for pid in home.processes().values():
        assert os.readlink(f"/proc/{pid}/cwd") == "/"
        assert os.getsid(pid) != os.getsid(0)
        streams = [os.readlink(f"/proc/{pid}/fd/{stream}") for stream in range(3)]
        assert streams == ["/dev/null", "/dev/null", str(home.state / "spillringd.log")]
        others = list(opened_by(pid))
        assert not any(name.startswith("/dev/pts") or str(os.getpid()) in name for name in others)


def test_many_first_uses_at_once_make_one(home):
    senders = [home.start("send", "q", f"m{number}", "--create") for number in range(8)]
    assert [sender.wait() for sender in senders] == [0] * 8
    received = home("recv", "q", "--all").lines
    assert sorted(received) == [f"m{number}" for number in range(8)]
    assert home.log().count("listening at") == 1


@pytest.mark.parametrize("said", ["0"])
def test_forbidden(home, said):
    home.environment["SPILLRING_AUTOSTART"] = said
    outcome = home("ls", code=69)
    assert_failure(outcome, home.socket)
    assert "SPILLRING_AUTOSTART=0 forbids" in outcome.err
    assert not home.state.exists()


def test_a_socket_that_was_named_starts_nothing(home):
    assert_failure(home("--socket", home.socket, "ls", code=69), home.socket)
    home.environment["SPILLRING_SOCKET"] = home.socket + "2"
    assert_failure(home("ls", code=69), home.socket + "2")
    assert not home.state.exists()


def test_no_program_to_start(home, tmp_path):
    # A copy: the command looks for spillringd beside itself first.
    folder = tmp_path / "bin"
    folder.mkdir()
    shutil.copy(built("spillring"), folder)
    home.environment["PATH"] = str(folder)
    done = subprocess.run([folder / "spillring", "ls"], env=home.environment, capture_output=True, text=True,
                          timeout=60, check=False)
    assert done.returncode == 69
    assert "spillringd is not on PATH" in done.stderr
    assert "hint: install spillringd" in done.stderr
    assert not home.state.exists()


def test_user_means_the_own_one(home, supervisor):
    home.environment["SPILLRING_SOCKET"] = supervisor.socket
    home("--user", "create", "mine")
    assert home("ls", "--no-header").out == ""
    assert home("--user", "ls", "--no-header").out.startswith("mine\t")
    outcome = home("--user", "--socket", supervisor.socket, "ls", code=64)
    assert_failure(outcome, "do not go together")


@pytest.mark.parametrize("what", ["spillringd.sock", "spillringd.sock.lock", ""])
def test_what_vanishes_comes_back(home, what):
    home("send", "q", "kept", "--create")
    before = home.processes()
    target = home.state / what
    subprocess.run(["rm", "-r", target], check=False)  # a directory that fills again cannot be removed
    home.environment["SPILLRING_AUTOSTART"] = "0"
    eventually(lambda: home("ls", code=None).code == 0, "the socket is back")
    assert home("recv", "q").out == "kept\n"
    assert home.processes() == before


def test_it_leaves_when_nobody_needs_it(home):
    socket = str(pathlib.Path(home.socket).with_name("brief"))  # a socket's path has 107 bytes
    home.environment["SPILLRING_SOCKET"] = socket
    home.state.mkdir(parents=True, mode=0o700)
    home.state.chmod(0o700)
    status = subprocess.run([built("spillringd"), "--background", "--socket", socket, "--idle-exit", "1"],
                            env=home.environment, stdin=subprocess.DEVNULL, timeout=60, check=False)
    assert status.returncode == 0
    home("send", "q", "kept", "--create")
    time.sleep(2.5)  # twice as long as it stays without messages
    receiver = home.start("recv", "q", "-n", "2", "-t", "inf")
    assert receiver.stdout.readline() == b"kept\n"
    time.sleep(2.5)  # and with a client
    home("send", "q", "second")
    assert receiver.wait() == 0
    eventually(lambda: not os.path.exists(socket), "it has left")


def test_background_says_that_it_failed(home, supervisor):
    again = subprocess.run([built("spillringd"), "--background", "--socket", supervisor.socket],
                           env=home.environment, stdin=subprocess.DEVNULL, timeout=60, check=False)
    assert again.returncode == 73
    assert "another supervisor runs here" in home.log()


def test_a_directory_that_others_may_write_to(home, tmp_path):
    home.state.mkdir(parents=True)
    home.state.chmod(0o777)
    outcome = home("ls", code=69)
    assert_failure(outcome, "could not be started", "spillringd.log")
    home.state.chmod(0o700)
