"""Memory that the supervisor cannot have: what was asked for is refused, what there is goes on."""

import os
from pathlib import Path

import pytest
from supervised import eventually
from failures import assert_failure

MIB = 1 << 20


@pytest.fixture
def confine(serve):
    """confine(LINE): the command, and a supervisor that this line of shell confines."""
    return lambda line: serve(confinement=line)


def memory_groups():
    """Where control groups that limit memory are mounted, with the name of the limit."""
    for folder, limit in (("memory", "memory.limit_in_bytes"), ("", "memory.max")):
        root = Path("/sys/fs/cgroup", folder)
        if (root / "cgroup.procs").exists():
            yield root, limit


@pytest.fixture
def small_group(request):
    """A new control group of 64 MiB; skips where this user cannot make one."""
    for root, limit in memory_groups():
        group = root / f"spillring-test-{os.getpid()}"
        try:
            group.mkdir()
        except OSError:
            continue
        request.addfinalizer(lambda: eventually(lambda: removed(group), f"{group} can be removed"))
        try:
            (group / limit).write_text(str(64 * MIB))
            return group
        except OSError:
            continue
    pytest.skip("no control group that limits memory can be made here")


def removed(group):
    try:
        group.rmdir()
    except OSError:
        return False
    return True


def assert_refused_and_nothing_left(spillring, supervisor):
    """A queue that cannot be had leaves nothing behind, however often it is asked for."""
    spillring("create", "small")
    spillring("send", "small", "kept")
    before = supervisor.descriptors()
    for _ in range(3):
        outcome = spillring("create", "large", "--capacity", "1GiB", "--prealloc", code=73)
        assert_failure(outcome, "cannot allocate")
    assert spillring("ls", "--no-header").out.split()[0] == "small"
    assert len(spillring("ls", "--no-header").lines) == 1
    eventually(lambda: supervisor.descriptors() <= before, "every descriptor is given back")
    assert spillring("recv", "small").out == "kept\n"


def test_file_size_limit(confine):
    spillring, supervisor = confine(f"ulimit -f {8 * MIB // 1024}")
    assert_refused_and_nothing_left(spillring, supervisor)


def test_file_size_limit_below_the_smallest_queue(confine):
    spillring, supervisor = confine("ulimit -f 64")
    before = supervisor.descriptors()
    for _ in range(3):
        assert_failure(spillring("create", "q", code=73), "cannot allocate", "ulimit -f")
    assert spillring("ls", "--no-header").out == ""
    eventually(lambda: supervisor.descriptors() <= before, "every descriptor is given back")


def test_growth_that_is_refused(confine, tmp_path):
    """The queue stays as large as it is: senders wait for readers, nothing is lost."""
    spillring, supervisor = confine(f"ulimit -f {2 * MIB // 1024}")
    lines = "".join(f"{number:0100d}\n" for number in range(100_000))
    (tmp_path / "lines").write_text(lines)
    spillring("create", "q", "--capacity", "256MiB", "--slots", "1048576")
    outcome = spillring("send", "q", "--no-wait", stdin=lines, code=75)
    assert "is full" in outcome.err
    held = spillring("drain", "q").out
    assert MIB // 8 < len(held) < 2 * MIB  # of 10 MB, and the queue's limit is 256 MiB
    assert lines.startswith(held)
    sender = spillring.start("send", "q", stdin=(tmp_path / "lines").open())
    assert spillring("recv", "q", "-n", "100000", "-t", "30s").out == lines
    assert sender.wait() == 0
    assert supervisor.process.poll() is None


def test_control_group(small_group, confine):  # in this order: the group outlives its process
    spillring, supervisor = confine(f"echo $$ > {small_group}/cgroup.procs")
    assert_refused_and_nothing_left(spillring, supervisor)
