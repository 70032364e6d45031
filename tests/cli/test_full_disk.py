"""A full disk: a real file system of 2 MiB as state directory, in a mount namespace of the supervisor's own."""

import os
import subprocess
from pathlib import Path

import pytest

FILLER = 1 << 20
COUNT = 4000  # messages of 1,000 bytes: more than memory and disk have room for
SMALL = ("--capacity", "256KiB", "--slots", "1024")


def can_mount():
    private = ["unshare", "--mount", "--propagation", "private", "mount", "-t", "tmpfs", "none", "/tmp"]
    return os.geteuid() == 0 and subprocess.run(private, check=False, capture_output=True).returncode == 0


pytestmark = pytest.mark.skipif(not can_mount(), reason="no file system can be mounted here; needs root")


def message(number):
    return f"{number:<1000}"


@pytest.fixture
def filled(serve, tmp_path):
    """The command, and the path of a file that fills half of the supervisor's disk of 2 MiB."""
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    command, supervisor = serve(
        "--state-dir", state, "--segment-size", "128KiB",
        confinement=f"exec unshare --mount --propagation private bash -c '"
                    f'mount -t tmpfs -o size=2m,mode=0700 none {state}; exec "$@"\' bash "$@"')
    filler = Path(f"/proc/{supervisor.processes()['supervisor']}/root{state}/filler")
    filler.write_bytes(bytes(FILLER))
    return command, filler


def lines(numbers):
    return "".join(f"{message(number)}\n" for number in numbers)


def test_producers_wait_and_nothing_is_lost(filled, tmp_path):
    spillring, filler = filled
    spillring("create", "q", *SMALL)
    refused = spillring("send", "q", "--wait", "1s", stdin=lines(range(COUNT)), code=75)
    assert "full" in refused.err
    sent = spillring.count("q")
    assert 0 < sent < COUNT, "the disk was full before everything was sent"
    assert spillring.info("q")["journaled"] > 0

    more = tmp_path / "more.txt"
    more.write_text(lines(range(sent, sent + 500)))
    with more.open() as stdin:
        rest = spillring.start("send", "q", "--wait", "inf", stdin=stdin)
    assert rest.poll() is None, "it waits"
    filler.unlink()
    assert rest.wait() == 0, "freed space is enough"

    received = spillring("recv", "q", "--all", "--wait", "2s").lines
    assert received == [message(number) for number in range(sent + 500)]
