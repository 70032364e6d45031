"""A journal whose group has a forged place, as any consumer of the queue may write it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from journals import State, batches, text
from supervised import eventually
from test_versions import LAYOUT, PROTOCOL

MESSAGES = 600  # more than half of them are on the disk, whatever is in memory still
STRANGER = Path(__file__).parent.parent / "security" / "stranger.py"
FORGERY = """
connection = Connection()
queue = connection.ask("open", name=sys.argv[2]).queue
groups = mmap.mmap(connection.ask("consume", queue=queue, name="forger").fds[1], 4096)
print("ready", flush=True)
while True:  # whatever others make of it
    struct.pack_into("<Q", groups, 64, int(sys.argv[3]))
"""


@pytest.fixture
def forge():
    """forge(socket, queue, floor): the place of the queue's first group is this from now on."""
    running = []

    def start(*arguments):
        source = f"LAYOUT, PROTOCOL = {LAYOUT}, {PROTOCOL}\n{STRANGER.read_text()}\n{FORGERY}"
        process = subprocess.Popen([sys.executable, "-c", source, *map(str, arguments)], stdout=subprocess.PIPE)
        running.append(process)
        assert process.stdout.readline() == b"ready\n"
        return process

    yield start
    for process in running:
        process.kill()
        process.wait()
        process.stdout.close()


def test_a_place_that_went_back_is_no_loss_to_the_next_supervisor(serve, forge, tmp_path):
    log = tmp_path / "log"
    command, supervisor = serve("--state-dir", str(tmp_path / "state"), "--segment-size", "64KiB",
                                confinement=f"exec 2>{log}")
    command("create", "orders", "--capacity", "256KiB", "--prealloc")
    command("recv", "orders", code=1)
    command("send", "orders", stdin="".join(f"{text(number)}\n" for number in range(1, MESSAGES + 1)))
    there = State(command, tmp_path / "state")
    command("recv", "orders", "-n", MESSAGES // 2)

    def first_on_disk():
        try:
            return batches(there.segments()[0])[0][1]
        except (FileNotFoundError, IndexError):  # removed meanwhile, or to be written over
            return 0

    eventually(lambda: first_on_disk() > 1, "what is read goes from the disk")
    forger = forge(supervisor.socket, "orders", 1)
    before = supervisor.processes()["supervisor"]
    os.kill(before, signal.SIGKILL)
    eventually(lambda: supervisor.processes()["supervisor"] != before, "another takes its place")
    forger.kill()
    received = command("recv", "orders", "--all", "--json").envelopes
    assert [each["payload"] for each in received][-1] == text(MESSAGES)
    assert sum(each.get("gap", 0) for each in received) == 0
    assert "were in its journal" not in log.read_text()
