"""No user can take from others what they need: queues, memory, connections, descriptors, time."""

import os
import subprocess
import time

import pytest
from conftest import NOBODY
from supervised import eventually


def answers(spillring):
    """Seconds that the operator waits for an answer."""
    begun = time.monotonic()
    spillring("ls")
    return time.monotonic() - begun


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_queues(opened, stranger):
    spillring, _ = opened("--max-queues", "5")
    report = stranger("""
c = Connection()
codes = [c.ask("create", name=f"q{number}").code for number in range(7)]
codes.append(c.ask("remove", name="q0").code)
codes.append(c.ask("create", name="again").code)
say(codes)
""")
    assert report == ["ok"] * 5 + ["busy"] * 2 + ["ok", "ok"]
    assert stranger("""say(Connection().ask("create", name="other").code)""", user=NOBODY - 1) == "ok"
    for number in range(7):
        spillring("create", f"mine{number}")


def test_memory(opened, stranger):
    spillring, _ = opened("--max-memory", "4MiB")
    report = stranger("""
c = Connection()
codes = [c.ask("create", name=f"q{number}").code for number in range(8)]
large = c.ask("create", name="large", prealloc=1)
say([codes.count("ok"), codes[-1], large.code, large.text.splitlines()])
""")
    assert 3 <= report[0] <= 6
    assert report[1:3] == ["no_memory", "no_memory"]
    assert f"user {NOBODY} may have" in report[3][0]
    assert "of 4194304 bytes are taken" in report[3][1]
    spillring("create", "mine", "--prealloc")


def test_growth_counts(opened, stranger):
    """Queues of somebody with little left stay small, all of them together: there is enough for one to grow once, not for
    two. They are full then, and say so."""
    spillring, _ = opened("--max-memory", "4MiB")
    stranger("""
c = Connection()
say([c.ask("create", name=name, mode=0o606).code for name in ("a", "b")])
""")
    lines = "".join(f"{number:0100d}\n" for number in range(50_000))
    for name in ("a", "b"):
        spillring("send", name, "--no-wait", stdin="x" * 100 + "\n", code=0)
    for name in ("a", "b"):
        outcome = spillring("send", name, "--no-wait", stdin=lines, code=75)
        assert "is full" in outcome.err
    memory = [spillring.info(name)["memory"] for name in ("a", "b")]
    assert sum(memory) <= 4 << 20, memory


def test_journals(opened, stranger, place):
    """What one user's queues have on the disk together; it is back-pressure, and others are not concerned."""
    state = place / "state"
    state.mkdir(mode=0o700)
    spillring, _ = opened("--state-dir", str(state), "--segment-size", "256KiB", "--max-journal", "2MiB")
    stranger("""
c = Connection()
say([c.ask("create", name=name, mode=0o606, capacity=1 << 18, slots=1024, full=2).code for name in ("a", "b")])
""")
    text = "".join(f"{number:<1000}\n" for number in range(5_000))
    sent = {}
    for name in ("a", "b"):
        refused = spillring("send", name, "--wait", "1s", stdin=text, code=75)
        assert "may have no more of the disk" in refused.err and "max_journal" in refused.err
        sent[name] = spillring.count(name)
    used = [spillring.info(name)["journal_bytes"] for name in ("a", "b")]
    assert used[0] > 1 << 20 and sum(used) <= 2 << 20, "the first has most of it"

    spillring("create", "mine", "--capacity", "256KiB", "--slots", "1024")
    spillring("send", "mine", "--wait", "1s", stdin=text)
    assert spillring.info("mine")["journal_bytes"] > 2 << 20, "who runs the supervisor has no limit"

    assert spillring("recv", "a", "-n", sent["a"]).lines == text.splitlines()[:sent["a"]]
    spillring("send", "b", "--wait", "20s", stdin=text[:1_001 * 1_000])
    received = spillring("recv", "b", "--all", "-t", "1s").lines
    assert received == text.splitlines()[:sent["b"]] + text.splitlines()[:1_000]


def test_connections(opened, stranger):
    spillring, _ = opened("--max-clients", "8")
    report = stranger("""
held, refusals = [], []
for _ in range(20):
    c = Connection(greet=False)
    held.append(c)
codes = [attempt(lambda c=c: c.ask("hello", protocol=1, layout=1)) for c in held]
say(codes.count("done"))
""")
    assert report >= 8
    assert answers(spillring) < 5


def test_refused_connections_say_why(opened, stranger):
    opened("--max-clients", "3")
    report = stranger("""
held = [Connection() for _ in range(3)]
late = Connection(greet=False).receive()
held[0].socket.close()
time.sleep(0.5)
say([late.code, late.text.splitlines(), Connection().greeting.code])
""")
    assert report[0] == "busy"
    assert report[1][:2] == [f"user {NOBODY} may not have another connection", "3 of 3 are open"]
    assert report[2] == "ok"


def test_ten_thousand_half_open_connections(opened, stranger):
    """They hold a place for the quota's number and for five seconds; others do not notice."""
    spillring, supervisor = opened("--max-clients", "500")
    before = len(os.listdir(f"/proc/{supervisor.processes()['supervisor']}/fd"))
    attack = stranger("""
held = []
while len(held) < 10_000:
    try:
        held.append(Connection(greet=False))
    except BlockingIOError:  # many wait already
        time.sleep(0.001)
say(len(held))
open_ones = held
deadline = time.time() + 30
def is_open(c):
    try:
        c.socket.setblocking(False)
        return bool(c.socket.recv(4096)) and is_open(c)
    except BlockingIOError:
        return True
    except OSError:
        return False
while open_ones and time.time() < deadline:
    open_ones = [c for c in open_ones if is_open(c)]
    time.sleep(0.2)
say(len(open_ones))
""", files=20_000, wait=False)
    longest = 0
    while attack.poll() is None and len(os.listdir(f"/proc/{attack.pid}/fd")) < 9_000:
        longest = max(longest, answers(spillring))
    assert longest < 5
    assert attack.stdout.readline() == "10000\n"
    assert len(os.listdir(f"/proc/{supervisor.processes()['supervisor']}/fd")) <= before + 2 * 500 + 10
    output, errors = attack.communicate(timeout=120)
    assert output == "0\n", errors


def test_random_bytes(opened, stranger):
    spillring, supervisor = opened()
    before = supervisor.processes()
    report = stranger("""
r = random.Random(1)
closed = 0
fds = array.array("i", [0, 1, 2])
for round in range(3_000):
    c = Connection(greet=r.random() < 0.7)
    for _ in range(r.randrange(1, 6)):
        if r.random() < 0.5:
            packet = r.randbytes(r.choice([1, 100, REQUEST.size, REQUEST.size, 4096]))
        else:
            head = struct.pack("<IHHQQIIQ", MAGIC, r.randrange(20), r.randrange(4), 1, r.randrange(4), r.randrange(5),
                               r.randrange(5), r.randrange(5))
            packet = head + r.randbytes(REQUEST.size - len(head))
        try:
            c.socket.sendmsg([packet], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)] if r.random() < 0.2 else [])
        except OSError:
            closed += 1
            break
    c.socket.close()
say(closed)
""")
    assert report >= 0
    spillring("create", "still-there")
    assert supervisor.processes() == before


@pytest.mark.skipif("libasan" in os.environ.get("LD_PRELOAD", ""),
                    reason="the sanitizer looks at memory through a pipe, for which there is no descriptor either")
def test_no_descriptors_left(place, opened, stranger):
    """Who comes too late is told so; the supervisor does not spin, and goes on when there are some again."""
    spillring, supervisor = opened()
    pid = supervisor.processes()["supervisor"]
    held = len(os.listdir(f"/proc/{pid}/fd"))
    subprocess.run(["prlimit", "--pid", str(pid), f"--nofile={held + 21}"], check=True)
    crowd = stranger("""
held = [Connection(greet=False) for _ in range(60)]
late = held[-1].receive()
say(late.code)
sys.stdin.readline()
""", wait=False)
    said = crowd.stdout.readline()
    assert said == '"busy"\n', crowd.communicate("", timeout=60)
    begun = cpu_seconds(pid)
    time.sleep(1)
    assert cpu_seconds(pid) - begun < 0.3
    crowd.communicate("", timeout=60)
    eventually(lambda: spillring("ls", code=None).code == 0, "there is a descriptor again")
    assert supervisor.processes()["supervisor"] == pid
