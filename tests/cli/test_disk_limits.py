"""What journals may take of the disk: the reserve, the limit of a queue; the quota of a user is in tests/security."""

import os
import signal

import pytest
from small_disk import needs_mount, small_disk  # noqa: F401
from supervised import Command, eventually
from test_config import configured  # noqa: F401

KIB, MIB = 1 << 10, 1 << 20
SMALL = ("--capacity", "256KiB", "--slots", "1024")
LIMITED = ("--segment-size", "128KiB", "--max-journal-per-queue", "1MiB")
COUNT = 5000  # messages of 1,000 bytes


def message(number):
    return f"{number:<1000}"


def lines(first, end):
    return "".join(f"{message(number)}\n" for number in range(first, end))


def fill(command, queue):
    """Sends until the queue is full; returns how many it took, and what was said."""
    refused = command("send", queue, "--wait", "1s", stdin=lines(0, COUNT), code=75)
    return command.count(queue), refused.err


def start_sending(command, queue, first, end, path):
    path.write_text(lines(first, end))
    with path.open() as stdin:
        return command.start("send", queue, "--wait", "inf", stdin=stdin)


def assert_received(command, queue, end):
    received = command("recv", queue, "--all", "--wait", "2s").lines
    assert received == [message(number) for number in range(end)]


# ---- the reserve ---------------------------------------------------------------------------------


@needs_mount
def test_the_reserve_stays_free(small_disk, tmp_path):  # noqa: F811
    command, disk = small_disk("--segment-size", "128KiB", "--disk-reserve", "512KiB", size="8m", filler=5 * MIB)
    command("create", "q", *SMALL)
    sent, said = fill(command, "q")
    assert "all that is left on the disk is the disk reserve" in said and "lower the supervisor's disk_reserve" in said
    assert 512 * KIB <= disk.free() < 512 * KIB + 256 * KIB
    info = command.info("q")
    assert info["alarm"] == "reserve" and info["journaled"] > 1000
    assert info["disk_left"] == info["disk_free"] - 512 * KIB < 128 * KIB

    rest = start_sending(command, "q", sent, sent + 1500, tmp_path / "rest")
    eventually(lambda: command.info("q")["producers"] == 1, "it sends")
    assert rest.poll() is None, "it waits"
    disk.filler.unlink()
    assert rest.wait() == 0, "freed space is enough"
    assert command.info("q")["alarm"] == "none"
    assert_received(command, "q", sent + 1500)


@needs_mount
def test_the_reserve_is_a_tenth_at_most(small_disk):  # noqa: F811
    command, disk = small_disk("--segment-size", "128KiB", "--disk-reserve", "1GiB", size="8m", filler=5 * MIB)
    command("create", "q", *SMALL)
    sent, _ = fill(command, "q")
    tenth = 8 * MIB // 10
    assert tenth <= disk.free() < tenth + 256 * KIB
    assert command.info("q")["alarm"] == "reserve"
    assert_received(command, "q", sent)


# ---- the limit of a queue ------------------------------------------------------------------------


@pytest.fixture
def limited(serve, tmp_path):
    command, _ = serve("--state-dir", tmp_path / "state", *LIMITED)
    command("create", "q", *SMALL)
    return command


def test_a_queue_at_its_limit_behaves_as_one_that_blocks(limited, tmp_path):
    sent, said = fill(limited, "q")
    assert "the queue, or its owner, may have no more of the disk" in said
    assert "max_journal_per_queue" in said
    info = limited.info("q")
    assert info["alarm"] == "quota"
    assert 512 * KIB < info["journal_bytes"] <= MIB
    assert info["oldest_age"] > 1, "read from the journal: it took a second to be refused"

    limited("create", "other", *SMALL)
    limited("send", "other", "--wait", "1s", stdin=lines(0, 600))
    assert limited.info("other")["journaled"] > 0
    assert limited.info("other")["alarm"] == "none", "others are not concerned"

    rest = start_sending(limited, "q", sent, sent + 200, tmp_path / "rest")
    first = limited("recv", "q", "-n", str(sent // 2)).lines
    assert rest.wait() == 0, "what is read makes room"
    received = limited("recv", "q", "--all", "--wait", "2s").lines
    assert first + received == [message(number) for number in range(sent + 200)]
    eventually(lambda: limited.info("q")["alarm"] == "none", "nothing waits any more")


def test_the_next_supervisor_keeps_to_it(serve, tmp_path):
    command, supervisor = serve("--state-dir", tmp_path / "state", *LIMITED)
    command("create", "q", *SMALL)
    sent, _ = fill(command, "q")
    rest = start_sending(command, "q", sent, sent + 1000, tmp_path / "rest")
    eventually(lambda: command.info("q")["producers"] == 1, "it sends")
    os.kill(supervisor.processes()["supervisor"], signal.SIGKILL)
    info = command.info("q")
    assert info["alarm"] == "quota" and info["journal_bytes"] <= MIB
    assert command("recv", "q", "-n", sent + 1000, "-t", "20s").lines == lines(0, sent + 1000).splitlines()
    assert rest.wait() == 0
    eventually(lambda: command.info("q")["alarm"] == "none", "nothing waits any more")


def test_an_alarm_is_seen_everywhere(limited):
    fill(limited, "q")
    header, row = [line.split("\t") for line in limited("ls").lines]
    assert dict(zip(header, row))["ALARM"] == "quota"
    assert int(dict(zip(header, row))["JOURNAL"]) > 512 * KIB
    assert limited("ls", "--json").json["queues"][0]["alarm"] == "quota"
    warning = "queue 'q': its journal cannot grow: the queue, or its owner, may have no more of the disk"
    assert warning in limited("ps", code=1).err
    assert f"SPILLRING WARNING: {warning}" in limited("check", code=1).out
    assert "queue 'q' writes nothing to its journal" in limited("doctor", code=None).out
    line, = limited("stat", "q", "-i", "20ms", "-n", 1, "--json").envelopes
    assert line["alarm"] == "quota" and line["oldest_age"] > 0 and line["disk_left"] > 0


def test_history_gives_way(serve, tmp_path):
    """Nobody waits for history to be forgotten."""
    command, _ = serve("--state-dir", tmp_path / "state", *LIMITED)
    command("create", "q", *SMALL, "--retain", "1GiB")
    command("recv", "q", code=1)
    for first in range(0, 4000, 500):
        command("send", "q", "--wait", "20s", stdin=lines(first, first + 500))
        assert command("recv", "q", "-n", 500, "-t", "20s").lines == lines(first, first + 500).splitlines()
        assert command.info("q")["journal_bytes"] <= MIB
    info = command.info("q")
    assert info["earliest"] < info["first"], "there is some history"


@pytest.mark.parametrize("options", [("--durability", "disk"), ("--retain", "1GiB")])
def test_a_queue_that_writes_everything_goes_on_with_a_small_limit(serve, tmp_path, options):
    """Its one file is kept while it is filled, and must not be in the way of the next one."""
    command, _ = serve("--state-dir", tmp_path / "state", *LIMITED)
    command("create", "q", *SMALL, *options)
    command("recv", "q", code=1)
    rest = start_sending(command, "q", 0, COUNT, tmp_path / "all")
    assert command("recv", "q", "-n", COUNT, "-t", "20s").lines == [message(number) for number in range(COUNT)]
    assert rest.wait() == 0
    assert command.info("q")["journal_bytes"] <= MIB


def test_a_clean_stop_is_not_limited(serve, tmp_path):
    """What is in memory has nowhere else to go."""
    command, supervisor = serve("--state-dir", tmp_path / "state", *LIMITED)
    command("create", "q", "--capacity", "2MiB")
    sent, _ = fill(command, "q")
    assert sent > 2000
    supervisor.stop()
    command, _ = serve("--state-dir", tmp_path / "state", *LIMITED)
    assert command.info("q")["journal_bytes"] > MIB
    assert_received(command, "q", sent)


def test_a_reload_raises_the_limit(configured, tmp_path):  # noqa: F811
    supervisor = configured(f'state_dir = "{tmp_path}/state"\nsegment_size = "128KiB"\nmax_journal_per_queue = "1MiB"')
    command = Command(supervisor.socket)
    command("create", "q", *SMALL)
    sent, _ = fill(command, "q")
    said = "queue 'q' writes nothing to its journal: max_journal_per_queue is 1048576 bytes, it has "
    assert supervisor.log().count(said) == 1, "it is said once"
    rest = start_sending(command, "q", sent, sent + 2000, tmp_path / "rest")
    supervisor.write(f'state_dir = "{tmp_path}/state"\nsegment_size = "128KiB"\nmax_journal_per_queue = "100MiB"')
    supervisor.reload()
    assert rest.wait() == 0
    assert command.info("q")["alarm"] == "none"
    assert_received(command, "q", sent + 2000)


@pytest.mark.parametrize("options", [(), ("--durability", "disk")])
def test_a_limit_that_is_lowered_keeps_what_there_is(configured, tmp_path, options):  # noqa: F811
    """And what is larger than the limit is no obstacle once it is read, though a file of it were being filled."""
    supervisor = configured(f'state_dir = "{tmp_path}/state"\nsegment_size = "2MiB"')
    command = Command(supervisor.socket)
    command("create", "q", *SMALL, *options)
    command("send", "q", stdin=lines(0, 1500))
    eventually(lambda: command.info("q")["journal_bytes"] >= 2 * MIB, "it has a file")
    supervisor.write(f'state_dir = "{tmp_path}/state"\nsegment_size = "2MiB"\nmax_journal_per_queue = "1MiB"')
    supervisor.reload()
    assert command.info("q")["journal_bytes"] >= MIB
    rest = start_sending(command, "q", 1500, COUNT, tmp_path / "rest")
    received = command("recv", "q", "-n", COUNT, "-t", "20s").lines
    assert rest.wait() == 0
    assert received == [message(number) for number in range(COUNT)]
    assert command.info("q")["journal_bytes"] <= MIB
