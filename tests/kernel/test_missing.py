"""Kernels that lack a system call, or a flag of one: either everything works without it, or the supervisor does not
start and says what is missing. Nothing fails later, and nothing spins.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from supervised import PATIENCE, Command, Supervisor, built, eventually

WITHOUT = [sys.executable, str(Path(__file__).with_name("without.py"))]


def without(*calls):
    return [*WITHOUT, *calls, "--"]


class OldKernel(Supervisor):
    def __init__(self, path, calls, *options):
        super().__init__(path, *options)
        self.calls = calls

    def command(self):
        return [*without(*self.calls), *super().command()]


@pytest.fixture
def old_kernel(tmp_path):
    """old_kernel(*calls): the command, and a supervisor that does not have them. The command has them."""
    ends = []

    def start(*calls):
        supervisor = OldKernel(tmp_path / "s", calls, "--state-dir", str(tmp_path / "state"), "--segment-size", "256KiB")
        command = Command(supervisor.socket)
        ends.extend([command.close, supervisor.stop])
        supervisor.start()
        return command, supervisor
    yield start
    for end in ends:
        end()


def processor_time(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def assert_works(spillring, supervisor):
    """Messages, spilling, a death that is noticed, both processes replaced, a clean stop and a start; no spinning."""
    spillring("create", "q", "--capacity", "256KiB", "--slots", "1024")
    text = "".join(f"{number:<1000}\n" for number in range(2000))
    spillring("send", "q", stdin=text)
    assert spillring.info("q")["journal_bytes"] > 0
    receiver = spillring.start("recv", "q", "-n", "2", "-t", "inf", "--no-ack")
    assert receiver.stdout.readline().split() == [b"0"]
    receiver.kill()
    for victim in ("supervisor", "keeper"):
        before = supervisor.processes()[victim]
        os.kill(before, signal.SIGKILL)
        eventually(lambda: supervisor.processes()[victim] != before, f"another {victim} is there")
    eventually(lambda: spillring.info("q")["consumers"] == 0, "the receiver's death is noticed")
    assert spillring("recv", "q", "-n", "1000").lines == text.splitlines()[:1000]
    pid = supervisor.processes()["supervisor"]
    begun = processor_time(pid)
    time.sleep(1)
    assert processor_time(pid) - begun < 0.3, "with nothing to do it does nothing"
    supervisor.stop()
    supervisor.start()
    assert spillring("recv", "q", "--all").lines == text.splitlines()[1000:]


@pytest.mark.parametrize(("calls", "since"), [
    (["getsockopt@2:77=ENOPROTOOPT"], "6.5"),  # SO_PEERPIDFD
    (["memfd_create@8=EINVAL"], "6.3"),  # MFD_NOEXEC_SEAL
    (["futex_waitv"], "5.16"),
    (["madvise@2:22=EINVAL", "madvise@2:23=EINVAL"], "5.14"),  # MADV_POPULATE_READ, _WRITE
    (["close_range"], "5.9"),
    (["preadv2=EOPNOTSUPP"], "5.8"),  # RWF_NOWAIT of an eventfd
    (["preadv2"], "4.6"),
    (["openat2"], "5.6"),
    (["clone3"], "5.3"),
    (["statx"], "4.11"),
    (["renameat2"], "3.15"),
    (["timerfd_create"], "2.6.25"),
    (["copy_file_range", "pwritev2", "sync_file_range", "membarrier", "rseq", "io_uring_setup"], "5.1"),
    # All of these: Linux 5.3, but for what the supervisor needs.
    (["getsockopt@2:77=ENOPROTOOPT", "memfd_create@8=EINVAL", "futex_waitv", "madvise@2:23=EINVAL", "close_range",
      "openat2", "clone3", "preadv2=EOPNOTSUPP"], "5.3"),
], ids=lambda value: value if isinstance(value, str) else "+".join(value)[:60])
def test_it_works_without(old_kernel, calls, since):
    assert_works(*old_kernel(*calls))


@pytest.mark.parametrize(("call", "since"), [
    ("memfd_create", "3.17"), ("fallocate", "2.6.23"), ("pidfd_open", "5.3"),
    ("pidfd_send_signal", "5.1"), ("getrandom", "3.17"), ("epoll_create1", "2.6.27"), ("eventfd2", "2.6.27"),
    ("inotify_init1", "2.6.27"), ("accept4", "2.6.28"),
])
@pytest.mark.parametrize("error", ["ENOSYS", "EPERM"])
def test_it_does_not_start_without(tmp_path, call, since, error):
    done = subprocess.run([*without(f"{call}={error}"), built("spillringd"), "--socket", tmp_path / "s"],
                          capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 69
    assert call in done.stderr and f"Linux {since}" in done.stderr, done.stderr
    assert "hint: " in done.stderr
    assert not (tmp_path / "s").exists(), "nothing was begun"


def test_in_the_background_nothing_stays_open_without_close_range(tmp_path):
    """What the starting program has open is not the supervisor's, and would be held by it for ever."""
    read, write = os.pipe()
    environment = {**os.environ, "HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path / "x")}
    for name in ("XDG_RUNTIME_DIR", "SPILLRING_SOCKET"):
        environment.pop(name, None)
    subprocess.run([*without("close_range"), built("spillringd"), "--background"], env=environment, pass_fds=[write],
                   timeout=PATIENCE, check=True, capture_output=True)
    supervisor = Supervisor(tmp_path / "x" / "spillring" / "spillringd.sock")
    try:
        os.close(write)
        os.set_blocking(read, False)
        assert os.read(read, 1) == b"", "the other end is closed"
    finally:
        os.close(read)
        os.kill(supervisor.processes()["keeper"], signal.SIGTERM)
        eventually(lambda: not os.path.exists(supervisor.socket), "it has ended")


CLIENT = """
import sys, time, spillring
bus = spillring.connect(sys.argv[1])
queue = bus.queue("q", create=True)
queue.put(b"hello")
assert bytes(queue.get(timeout=20)) == b"hello"
begun = time.process_time()
try:
    queue.consume("g").fileno()
    print("it can be polled")
except spillring.Error as error:
    print(error, "|", getattr(error, "hint", ""))
print(time.process_time() - begun < 1)
"""


def test_a_client_cannot_poll_without_futex_waitv_and_is_told(spillring):
    path = os.pathsep.join([str(Path(built("spillring")).parents[1] / "python"), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run([*without("futex_waitv"), sys.executable, "-c", CLIENT, spillring.socket],
                          env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, timeout=PATIENCE,
                          check=False)
    assert done.returncode == 0, done.stderr
    text, spins_not = done.stdout.splitlines()
    assert "cannot wait for several queues" in text
    assert spins_not == "True"


@pytest.mark.parametrize("calls", [
    ["close_range"], ["madvise@2:23=EINVAL"], ["futex_waitv"], ["memfd_create@8=EINVAL"], ["pidfd_open"], ["clone3"],
    ["statx"], ["openat2"],
], ids="+".join)
def test_clients_work_without(spillring, tmp_path, calls):
    """A client needs less than a supervisor."""
    def run(*arguments, stdin=None):
        return subprocess.run([*without(*calls), built("spillring"), "--socket", spillring.socket, *arguments],
                              input=stdin, capture_output=True, text=True, timeout=PATIENCE, check=True).stdout
    run("create", "q")
    run("send", "q", stdin="one\ntwo\n")
    assert run("recv", "q", "--all") == "one\ntwo\n"
    assert "q" in run("ls")
