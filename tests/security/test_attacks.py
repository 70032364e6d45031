"""What strangers try against a supervisor that serves them beside others: every attempt of attacks.py, as another user,
and again as root of namespaces of its own (user, processes, mounts). None may be able to do anything, and whoever
is attacked must not notice: after each attempt the victim's messages, its handle and both processes are as they were.
"""

import itertools
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from attacks import ALL, FLOODS, PRELUDE, VERDICT
from conftest import CLIENT, NOBODY, record_attempt
from supervised import Command, Supervisor, eventually

TEXT = [f"message {number}" for number in range(200)]

# A process of the owner's that has a producer and a consumer of the public queue, and says that both still work.
VICTIM = """
import sys, spillring
bus = spillring.connect(sys.argv[1])
queue = bus.queue("public")
for line in sys.stdin:
    queue.put(line.encode(), timeout=20)
    with queue.get(group="victims", timeout=20) as message:
        print(bytes(message).decode().strip(), flush=True)
"""


def can_unshare():
    command = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount-proc", "true"]
    return subprocess.run(command, check=False, capture_output=True, user=NOBODY, group=NOBODY, cwd="/").returncode == 0


pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


class Town:
    """A supervisor with a state directory, a queue that is private, one that is public, and who uses them."""

    def __init__(self, folder):
        folder.chmod(0o755)
        self.state = folder / "state"
        self.supervisor = Supervisor(folder / "s", "--socket-mode", "0666", "--state-dir", str(self.state),
                                     "--segment-size", "256KiB", "--max-queues", "32", "--max-memory", "64MiB")
        self.supervisor.start()
        self.spillring = Command(self.supervisor.socket)
        self.spillring("create", "private", "--durability", "disk")
        self.spillring("create", "public", "--mode", "0606", "--retain", "1d")
        self.spillring("send", "private", *TEXT)
        self.processes = self.supervisor.processes()
        self.victim = subprocess.Popen([sys.executable, "-c", VICTIM, self.supervisor.socket], text=True,
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.count = itertools.count()
        self.check()
        self.segment = str(next((self.state / "journal").rglob("*.segment")))

    def targets(self):
        return "\n".join([
            f"STATE, SEGMENT = {str(self.state)!r}, {self.segment!r}", "PRIVATE, PUBLIC = 1, 2",
            f"SUPERVISOR, KEEPER = {self.processes['supervisor']}, {self.processes['keeper']}", ""])

    def check(self):
        """Nothing has happened to anybody."""
        word = f"still {next(self.count)}"
        self.victim.stdin.write(word + "\n")
        self.victim.stdin.flush()
        assert self.victim.stdout.readline() == word + "\n", "the victim's producer and consumer work"
        payloads = [each["payload"] for each in self.spillring("peek", "private", "-n", "1000", "--json").envelopes]
        assert payloads == TEXT, "what is private is there, and nothing else"
        assert self.spillring.info("private")["consumers"] == 0
        assert self.supervisor.processes() == self.processes, "nobody had to be replaced"
        assert [path for path in self.state.parent.iterdir() if path.name not in ("s", "s.lock", "state")] == []

    def quieten(self):
        """Whoever attacked is gone, and what it held."""
        eventually(lambda: self.spillring.info("public")["producers"] <= 1, "its handles are free")

    def close(self):
        self.victim.kill()
        self.victim.wait()
        self.victim.stdin.close()
        self.victim.stdout.close()
        self.spillring.close()
        self.supervisor.stop()


@pytest.fixture(scope="module")
def town():
    with tempfile.TemporaryDirectory(prefix="spillring-", ignore_cleanup_errors=True) as folder:
        town = Town(Path(folder))
        yield town
        town.close()


PLACES = {
    "another user": [],
    "root of namespaces": ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child", "--mount-proc"],
}


def attempts():
    """Floods are the same from wherever they come."""
    return [(name, place) for name in ALL for place in PLACES if name not in FLOODS or not PLACES[place]]


@pytest.mark.parametrize(("name", "place"), attempts())
def test_attempt(town, name, place):
    if PLACES[place] and not can_unshare():
        pytest.skip("users cannot make namespaces here")
    code = CLIENT + PRELUDE + town.targets() + ALL[name] + VERDICT
    done = subprocess.run(
        [*PLACES[place], "/usr/bin/prlimit", "--nofile=8192", "/usr/bin/python3", "-c", code, town.supervisor.socket],
        user=NOBODY, group=NOBODY, extra_groups=[], cwd="/", env={"PATH": os.defpath}, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    able = json.loads(done.stdout)
    record_attempt(f"{name}, {place}", bool(able))
    assert able == []
    town.quieten()
    town.check()
    if name in FLOODS:
        eventually(lambda: town.supervisor.descriptors() < 200, "what was flooded is given back")
