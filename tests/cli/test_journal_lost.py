"""A journal that lost something: somebody removed a file of it, or its very end is damaged. What is known to have
been there is missed, by its readers and by whoever looks; what nobody knows of is a torn end."""

import os
import shutil
import signal
import sqlite3

import pytest
from journals import LAST_BATCH, PAGE, State, batches, flip, text
from supervised import eventually

MESSAGES = 300


def noted(directory):
    """How far the journal goes, as the catalogue knows it."""
    with sqlite3.connect(f"file:{directory}/catalogue?mode=ro", uri=True) as database:
        (found,) = database.execute("select next from queues").fetchone()
    database.close()
    return found


def noted_place(directory):
    """Where the group is, as the catalogue knows it."""
    with sqlite3.connect(f"file:{directory}/catalogue?mode=ro", uri=True) as database:
        (found,) = database.execute("select min(floor) from groups").fetchone()
    database.close()
    return found


def note(directory, number):
    with sqlite3.connect(directory / "catalogue") as database:
        database.execute("update queues set next = ?", (number,))
    database.close()


def watched(command, directory):
    """The state of a supervisor that runs, once the catalogue knows how far the journal goes. (Some numbers are none of
    a message.)"""
    there = State(command, directory)
    there.sound = there("cat", "orders", "--json").envelopes
    there.end = there.sound[-1]["seq"] + 1
    assert len(there.sound) == MESSAGES
    eventually(lambda: noted(directory) == there.end, "the catalogue knows how far the journal goes")
    return there


@pytest.fixture
def killed(serve, tmp_path):
    """A durable queue whose supervisor was killed, when the catalogue knew how far its journal went."""
    directory = tmp_path / "state"
    command, supervisor = serve("--state-dir", str(directory), "--segment-size", "64KiB")
    command("create", "orders", "--durability", "disk", "--capacity", "256KiB", "--prealloc")
    command("recv", "orders", code=1)
    command("send", "orders", "--durable", stdin="".join(f"{text(number)}\n" for number in range(1, MESSAGES + 1)))
    there = watched(command, directory)
    supervisor.kill()
    return there


def damage(segment, part):
    """Returns the first number that cannot be read then."""
    offset, first, _, size = batches(segment)[-1]
    if part in LAST_BATCH:
        LAST_BATCH[part](segment, offset, size)
    elif part == "zeros":
        with open(segment, "r+b") as file:
            file.seek(offset)
            file.write(bytes(size))
    elif part == "segment header":
        flip(segment, 17)
        first = batches(segment)[0][1]
    else:
        first = batches(segment)[0][1]
        segment.unlink()
    return first


PARTS = ["header", "body", "cut header", "cut body", "zeros", "segment header", "removed"]


@pytest.mark.parametrize("part", PARTS)
def test_the_end_of_a_journal_that_is_known_to_have_been_there_is_missed(killed, serve, tmp_path, part):
    first = damage(killed.segments()[-1], part)
    found = killed.findings()
    assert [(each["state"], each["first"], each["end"]) for each in found] == [("lost", first, killed.end)]
    assert killed.payloads(code=65) == killed.sound_without(first, killed.end)
    log = tmp_path / "second.log"
    command, _ = serve("--state-dir", str(killed.directory), "--segment-size", "64KiB", confinement=f"exec 2>{log}")
    if part not in ("body", "cut body", "segment header"):  # the headers, or the name, say that it was there
        said = f"queue 'orders': the messages {first} to {killed.end - 1} were in its journal"
        eventually(lambda: said in log.read_text(), "the log says so")
    command("send", "orders", "after")
    received = command("recv", "orders", "--all", "--json").envelopes
    assert [each["payload"] for each in received] == [*killed.sound_without(first, killed.end), "after"]
    assert received[-1]["seq"] >= killed.end, "numbers are never used again"
    assert sum(each.get("gap", 0) for each in received) == killed.end - first, "told once"
    doctor = command("doctor", "--json", code=None).json["findings"]
    (said,) = [each for each in doctor if each["check"] == "queues"]
    assert said["verdict"] == "warn" and f"{killed.end - first} messages" in said["what"]


@pytest.mark.parametrize("part", PARTS)
def test_an_end_that_nobody_knows_of_is_torn(killed, serve, part):
    note(killed.directory, 1)
    first = damage(killed.segments()[-1], part)
    if part == "segment header":
        first = killed.segments()[-1].name
        assert [each["state"] for each in killed.findings()] == ["lost"], "how many there were is not known"
        return
    expected = [] if part in ("zeros", "removed") else ["torn end"]
    assert [each["state"] for each in killed.findings(code=0)] == expected
    assert killed.payloads() == killed.sound_without(first, killed.end)


def test_what_comes_behind_what_is_known_is_torn(killed):
    """Not the last batch: the catalogue knows of the others."""
    offset, first, _, _ = batches(killed.segments()[-1])[-1]
    note(killed.directory, first)
    flip(killed.segments()[-1], offset + 9)
    assert [(each["state"], each["first"]) for each in killed.findings(code=0)] == [("torn end", first)]


def test_repair_looks_as_nobody_does_who_runs(killed):
    """It has the lock itself."""
    segment = killed.segments()[0]
    end = batches(segment)[-1][2]
    segment.unlink()
    plan, done = (killed("repair", "orders", "--json", *how).json for how in (["--dry-run"], []))
    assert plan["findings"] == done["findings"] == killed.findings()
    assert [(each["state"], each["first"], each["end"]) for each in plan["findings"]] == [("lost", 1, end)]


@pytest.mark.parametrize("which", [0, 1])
def test_a_file_that_is_removed_after_everything_was_killed_is_missed_once(killed, serve, tmp_path, which):
    """Where the group is was noted before any file of it could go."""
    segment = killed.segments()[which]
    first, end = batches(segment)[0][1], batches(segment)[-1][2]
    segment.unlink()
    log = tmp_path / "second.log"
    command, supervisor = serve("--state-dir", str(killed.directory), "--segment-size", "64KiB",
                                confinement=f"exec 2>{log}")
    if which == 0:
        said = f"the messages {first} to {end - 1} were in its journal"
        eventually(lambda: said in log.read_text(), "the log says so")
    received = command("recv", "orders", "--all", "--json").envelopes
    assert [each["payload"] for each in received] == killed.sound_without(first, end)
    assert sum(each.get("gap", 0) for each in received) == end - first
    eventually(lambda: noted_place(killed.directory) == killed.end, "the catalogue knows that it was read")
    supervisor.kill()
    command, _ = serve("--state-dir", str(killed.directory))
    command("send", "orders", "after")
    (received,) = command("recv", "orders", "--all", "--json").envelopes
    assert received["payload"] == "after" and received.get("gap", 0) == 0


def test_what_a_group_has_read_and_is_gone_is_not_missed_after_everything_was_killed(serve, tmp_path):
    directory = tmp_path / "state"
    command, supervisor = serve("--state-dir", str(directory), "--segment-size", "64KiB")
    command("create", "orders", "--durability", "disk", "--capacity", "256KiB", "--prealloc")
    command("recv", "orders", code=1)
    command("send", "orders", "--durable", stdin="".join(f"{text(number)}\n" for number in range(1, MESSAGES + 1)))
    there = State(command, directory)
    command("recv", "orders", "-n", MESSAGES // 2)
    eventually(lambda: batches(there.segments()[0])[0][1] > 1, "what is read goes from the disk")
    supervisor.kill()
    log = tmp_path / "second.log"
    command, _ = serve("--state-dir", str(directory), "--segment-size", "64KiB", confinement=f"exec 2>{log}")
    received = command("recv", "orders", "--all", "--json").envelopes
    assert sum(each.get("gap", 0) for each in received) == 0
    assert "were in its journal" not in log.read_text()


@pytest.mark.parametrize("which", [0, 1, -1])
def test_a_file_that_is_removed_while_the_supervisor_runs(serve, tmp_path, which):
    log = tmp_path / "log"
    command, _ = serve("--state-dir", str(tmp_path / "state"), "--segment-size", "64KiB", confinement=f"exec 2>{log}")
    command("create", "orders", "--durability", "disk", "--capacity", "256KiB", "--prealloc")
    command("recv", "orders", code=1)
    command("send", "orders", "--durable", stdin="".join(f"{text(number)}\n" for number in range(1, MESSAGES + 1)))
    there = watched(command, tmp_path / "state")
    segment = there.segments()[which]
    first, end = batches(segment)[0][1], batches(segment)[-1][2]
    segment.unlink()
    assert [(each["state"], each["first"], each["end"]) for each in there.findings()] == [("lost", first, end)]
    command("send", "orders", "--durable", "after")
    received = command("recv", "orders", "--all", "--json").envelopes
    in_memory = [each["payload"] for each in received]
    assert in_memory[-1] == "after" and len(in_memory) >= MESSAGES + 1 - (end - first)
    assert command.info("orders")["state"] == "ok"


@pytest.mark.parametrize("option", [("--durability", "disk"), ("--retain", "1GiB")])
def test_a_queue_whose_directory_is_gone_is_saved_and_its_loss_is_told(serve, tmp_path, option):
    """Whether what was in it was synced or not."""
    log = tmp_path / "log"
    directory = tmp_path / "state"
    command, supervisor = serve("--state-dir", str(directory), confinement=f"exec 2>{log}")
    command("create", "orders", *option, "--prealloc")
    command("recv", "orders", code=1)
    command("send", "orders", stdin="".join(f"{number}\n" for number in range(MESSAGES)))
    eventually(lambda: noted(directory) > MESSAGES, "all is in the journal")
    shutil.rmtree(directory / "journal")
    supervisor.stop()
    assert "could not be saved" not in log.read_text()
    command, _ = serve("--state-dir", str(directory), confinement=f"exec 2>{tmp_path / 'second.log'}")
    command("send", "orders", "after")
    (received,) = command("recv", "orders", "--all", "--json").envelopes
    assert received["payload"] == "after" and received["seq"] > received["gap"] >= MESSAGES
    assert "were in its journal" in (tmp_path / "second.log").read_text()


def test_nothing_is_missed_of_a_queue_that_is_read_while_it_is_looked_at(serve, tmp_path):
    """Its files go as they are read: nobody may take that for a loss."""
    command, _ = serve("--state-dir", str(tmp_path / "state"), "--segment-size", "64KiB")
    there = State(command, tmp_path / "state")
    command("create", "orders", "--durability", "disk", "--capacity", "256KiB", "--prealloc")
    command("recv", "orders", code=1)
    send = command.start("send", "orders", stdin=open(write_lines(tmp_path), "rb"))
    recv = command.start("recv", "orders", "--all", "-t", "3", stdout=open(os.devnull, "wb"))
    looked = 0
    while send.poll() is None or looked < 5:
        assert "lost" not in [each["state"] for each in there.findings(code=None)]
        looked += 1
    recv.wait()


def write_lines(tmp_path):
    path = tmp_path / "lines"
    path.write_text("".join(f"{text(number)}\n" for number in range(1, 20_001)))
    return path


@pytest.mark.parametrize("which", [0, 1])
def test_a_file_that_is_removed_before_the_supervisor_is_replaced(serve, tmp_path, which):
    """The next one finds what is there, and not what was: the group's place says what is missing."""
    log = tmp_path / "log"
    command, supervisor = serve("--state-dir", str(tmp_path / "state"), "--segment-size", "64KiB",
                                confinement=f"exec 2>{log}")
    command("create", "orders", "--capacity", "256KiB", "--prealloc")
    command("recv", "orders", code=1)
    command("send", "orders", stdin="".join(f"{text(number)}\n" for number in range(1, MESSAGES + 1)))
    there = State(command, tmp_path / "state")
    segment = there.segments()[which]
    first, end = batches(segment)[0][1], batches(segment)[-1][2]
    segment.unlink()
    before = supervisor.processes()["supervisor"]
    os.kill(before, signal.SIGKILL)
    eventually(lambda: supervisor.processes()["supervisor"] != before, "another takes its place")
    received = command("recv", "orders", "--all", "--json").envelopes
    assert [each["payload"] for each in received] == \
        [text(number) for number in range(1, MESSAGES + 1) if not first <= number < end]
    assert sum(each.get("gap", 0) for each in received) == end - first
    assert command.info("orders")["state"] == "ok"
    if which == 0:
        assert f"the messages {first} to {end - 1} were in its journal" in log.read_text()
