"""A client in a container: its own process ids and its own files, but for one bind-mounted socket."""

import os
import signal
import subprocess

import pytest
from supervised import built, eventually



def can_be_contained():
    """Root can; not where the root directory is no mount point, as in a chroot: mounts would leave it."""
    if os.geteuid() != 0:
        return False
    private = ["unshare", "--mount", "--pid", "--fork", "--propagation", "private", "true"]
    return subprocess.run(private, check=False, capture_output=True).returncode == 0


pytestmark = pytest.mark.skipif(not can_be_contained(), reason="no mount and PID namespaces can be made here")


@pytest.fixture
def contained(spillring, tmp_path):
    """contained(*arguments): the command in namespaces of its own, where the socket is at /run/queue.sock."""
    started = []

    def start(*arguments):
        script = ('mount -t tmpfs none /run && touch /run/queue.sock && mount --bind "$1" /run/queue.sock && '
                  'mount -t proc proc /proc && mount -t tmpfs none "$(dirname "$1")" && shift && exec "$@"')
        process = subprocess.Popen(
            ["unshare", "--mount", "--pid", "--ipc", "--uts", "--fork", "--kill-child", "--propagation", "private",
             "sh", "-c", script, "sh", spillring.socket, built("spillring"), "--socket", "/run/queue.sock",
             *map(str, arguments)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_messages_go_through_the_socket_alone(spillring, contained, orders):
    output, errors = contained("send", orders, "from inside").communicate(timeout=60)
    assert (output, errors) == ("", "")
    assert spillring("recv", orders).out == "from inside\n"
    spillring("send", orders, "from outside")
    output, errors = contained("recv", orders).communicate(timeout=60)
    assert (output, errors) == ("from outside\n", "")


def test_its_death_is_noticed(spillring, contained, orders):
    spillring("send", orders, "first")
    receiver = contained("recv", orders, "-n", "2", "-t", "inf", "--no-ack")
    assert receiver.stdout.readline() == "first\n"
    eventually(lambda: spillring.info(orders)["consumers"] == 1, "it is attached")
    os.kill(receiver.pid, signal.SIGKILL)  # unshare takes its child with it
    eventually(lambda: spillring.info(orders)["consumers"] == 0, "its death is noticed")
    assert spillring("recv", orders).out == "first\n"


def test_it_outlives_the_supervisor(spillring, supervisor, contained, orders):
    receiver = contained("recv", orders, "-n", "2", "-t", "inf")
    eventually(lambda: spillring.info(orders)["consumers"] == 1, "it is attached")
    before = supervisor.processes()["supervisor"]
    os.kill(before, signal.SIGKILL)
    eventually(lambda: supervisor.processes()["supervisor"] != before, "another supervisor is there")
    assert spillring.info(orders)["consumers"] == 1
    spillring("send", orders, "one", "two")
    assert receiver.communicate(timeout=60)[0] == "one\ntwo\n"
