"""A kernel that does not know SO_PEERPIDFD (before Linux 6.5), played by a library under the daemon."""

import os
import signal
import subprocess

import pytest
import spillring
from conftest import BUILD, LONG, Daemon, eventually
from test_daemon import HOLD

SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

int getsockopt(int fd, int level, int name, void* value, socklen_t* length) {
  if (level == SOL_SOCKET && name == 77 /* SO_PEERPIDFD */) {
    errno = atoi(getenv("PEERPIDFD_ERROR"));
    return -1;
  }
  int (*real)(int, int, int, void*, socklen_t*) = dlsym(RTLD_NEXT, "getsockopt");
  const int result = real(fd, level, name, value, length);
  if (level == SOL_SOCKET && name == SO_PEERCRED && getenv("PEER_UNSEEN")) {
    ((struct ucred*)value)->pid = 0;
  }
  return result;
}
"""
ENOPROTOOPT, EINVAL = 92, 22


@pytest.fixture(scope="module")
def shim(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shim")
    (folder / "shim.c").write_text(SHIM)
    subprocess.run(
        ["gcc", "-shared", "-fPIC", "-o", folder / "shim.so", folder / "shim.c", "-ldl"], check=True
    )
    # Behind what is preloaded already: a sanitizer wants to be the first.
    return " ".join([os.environ.get("LD_PRELOAD", ""), str(folder / "shim.so")]).strip()


@pytest.fixture
def old_kernel(tmp_path, shim):
    """old_kernel(**environment): a daemon on such a kernel."""
    daemons = []

    def start(error=ENOPROTOOPT, **environment):
        daemons.append(
            Daemon(tmp_path, LD_PRELOAD=shim, PEERPIDFD_ERROR=str(error), **environment)
        )
        return daemons[-1]

    yield start
    for daemon in daemons:
        daemon.kill()


def assert_recovers(daemon, python, queue):
    """A process that dies with three messages and a loan leaves nothing behind."""
    for number in range(3):
        queue.put(b"%d" % number)
    process = python(HOLD, daemon.socket)
    assert process.stdout.readline() == "ready\n"
    process.kill()
    again = sorted((queue.get(timeout=LONG) for _ in range(3)), key=lambda m: m.seq)
    assert [(bytes(m), m.deliveries) for m in again] == [(b"0", 2), (b"1", 2), (b"2", 2)]
    queue.put(b"behind the loan")
    assert bytes(queue.get(timeout=LONG)) == b"behind the loan"
    eventually(lambda: queue.info().producers == 1)


def test_deaths_are_noticed(old_kernel, python):
    daemon = old_kernel()
    with daemon.connect() as bus:
        assert_recovers(daemon, python, bus.queue("q", create=True))


@pytest.mark.parametrize("victim", ["supervisor", "keeper"])
def test_deaths_are_noticed_after_the_supervisors_own(old_kernel, python, victim):
    daemon = old_kernel()
    with daemon.connect() as bus:
        queue = bus.queue("q", create=True)
        for number in range(3):
            queue.put(b"%d" % number)
        process = python(HOLD, daemon.socket)
        assert process.stdout.readline() == "ready\n"
        before = daemon.processes()
        os.kill(before[victim], signal.SIGKILL)
        eventually(lambda: daemon.processes()[victim] != before[victim])
        process.kill()
        again = [queue.get(timeout=LONG) for _ in range(3)]
        assert {message.deliveries for message in again} == {2}
        assert_recovers(daemon, python, queue)


def test_who_is_gone_before_it_is_looked_at_is_not_let_in(old_kernel, python):
    daemon = old_kernel()
    with daemon.connect() as bus:
        queue = bus.queue("q", create=True)
        supervisor = daemon.processes()["supervisor"]
        before = len(os.listdir(f"/proc/{supervisor}/fd"))
        os.kill(supervisor, signal.SIGSTOP)
        processes = [
            python("import socket\ns = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)\n"
                   "s.connect(sys.argv[1])", daemon.socket)
            for _ in range(5)
        ]
        for process in processes:
            assert process.wait(LONG) == 0
        os.kill(supervisor, signal.SIGCONT)
        assert queue.info().producers == 0
        eventually(lambda: len(os.listdir(f"/proc/{supervisor}/fd")) == before)


def test_who_has_no_number_is_refused_and_told_why(old_kernel):
    daemon = old_kernel(PEER_UNSEEN="1")
    with pytest.raises(PermissionError) as error:
        spillring.connect(daemon.socket)
    assert "Linux 6.5" in error.value.hint
    assert "PID namespace" in str(error.value)


def test_a_kernel_that_knows_the_request_and_refuses_speaks_of_a_dead_process(old_kernel):
    daemon = old_kernel(error=EINVAL)
    with pytest.raises(PermissionError):
        spillring.connect(daemon.socket)


def test_the_doctor_says_so(shim, tmp_path):
    environment = {**os.environ, "LD_PRELOAD": shim, "PEERPIDFD_ERROR": str(ENOPROTOOPT)}
    done = subprocess.run(
        [BUILD / "bin/spillring", "--socket", tmp_path / "s", "doctor", "-o", "tsv"],
        env=environment, capture_output=True, text=True, timeout=LONG, check=False,
    )
    row = next(line for line in done.stdout.splitlines() if "\tpeer-pidfd\t" in line)
    assert row.startswith("warn") and "Linux 6.5" in row
