"""spillring journal: what lies on the disk, looked at without a supervisor, sound and damaged."""

import base64
import fcntl
import json
import os
import shutil
import sqlite3
import struct
import subprocess
import sys

import pytest
from failures import assert_failure
from supervised import eventually
from test_autostart import home  # noqa: F401

VERBS = ("ls", "stat", "cat", "verify", "repair", "export")
PAGE = 4096
COUNT = 1000  # messages
BATCH = "<4sIQQQQ16xQ"  # magic, count, first, data, time, sum of the body, sum of the header

# What may go wrong on its way through text: bytes that are none, ends of lines, nothing at all.
ODD = [
    {"payload": ""},
    {"payload": "two\nlines\r\n\u2028", "key": ""},
    {"payload_b64": base64.b64encode(bytes(range(256))).decode(), "key_b64": "/w=="},
    {"payload": "\u0000", "headers": {"name": {"b64": "gIE="}, "": "empty name"}},
    {"payload": "x" * 100_000, "key": "k" * 1000},
    {"payload": "twice", "headers_b64": [["YQ==", "MQ=="], ["YQ==", "Mg=="]]},
]


class State:
    """A state directory that nobody has open, and the command for it."""

    def __init__(self, command, directory):
        self.command = command
        self.directory = directory
        self.sound = []  # its messages, before a test damages them

    def __call__(self, verb, *arguments, **how):
        return self.command("journal", verb, *arguments, "--state-dir", self.directory, **how)

    def folder(self, number=1):
        return self.directory / "journal" / f"{number:016x}"

    def segments(self, number=1):
        return sorted(self.folder(number).glob("*.segment"))

    def files(self):
        """All there is, with its content."""
        return {path: path.read_bytes() for path in sorted(self.directory.rglob("*")) if path.is_file()}

    def payloads(self, *arguments, queue="orders", code=0):
        return [envelope["payload"] for envelope in
                self("cat", queue, "--json", *arguments, code=code).envelopes]

    def sound_without(self, first, end):
        """What is left when the numbers from `first` to the one before `end` are lost."""
        return [each["payload"] for each in self.sound if not first <= each["seq"] < end]

    def findings(self, queue="orders", code=65):
        return self("verify", queue, "--json", code=code).json["journals"][0]["findings"]


def batches(segment):
    """(offset, first, end, size) of each, as the headers say."""
    content, at, found = segment.read_bytes(), PAGE, []
    while content[at:at + 4] == b"BTCH":
        _, count, first, data, *_ = struct.unpack_from(BATCH, content, at)
        size = (64 + 64 * count + data + 63) // 64 * 64
        found.append((at, first, first + count, size))
        at += size
    return found


def flip(path, offset, bit=1):
    with open(path, "r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ bit]))


def text(number):
    return f"{number} " + "x" * 1000


@pytest.fixture
def state(serve, tmp_path):
    """state(send, size): what a supervisor leaves that ended well; `send(command)` filled its queues."""

    def make(send, size="64KiB"):
        directory = tmp_path / "state"
        command, supervisor = serve("--state-dir", str(directory), "--segment-size", size)
        send(command)
        supervisor.stop()
        return State(command, directory)

    return make


@pytest.fixture
def saved(state):
    """Messages of 1,000 bytes in several segments, of several batches each."""

    def send(command):
        command("create", "orders", "--capacity", "256KiB")
        command("send", "orders", stdin="".join(f"{text(number)}\n" for number in range(1, COUNT + 1)))

    there = state(send, "256KiB")
    there.sound = there("cat", "orders", "--json").envelopes
    return there


# ---- sound ---------------------------------------------------------------------------------------


def test_ls_lists_queues_that_have_a_journal(state):
    def send(command):
        for name, count in (("b", 2), ("a", 3), ("empty", 0)):
            command("create", name)
            command("send", name, stdin="m\n" * count)

    there = state(send)
    header, *rows = [line.split("\t") for line in there("ls").lines]
    assert header == ["QUEUE", "ID", "SEGMENTS", "FIRST", "END", "MSGS", "BYTES"]
    sizes = [str(there.segments(number)[0].stat().st_size) for number in (2, 1)]
    assert rows == [["a", "0000000000000002", "1", "1", "4", "3", sizes[0]],
                    ["b", "0000000000000001", "1", "1", "3", "2", sizes[1]]]
    document = there("ls", "--json").json
    assert document["schema"] == "spillring.journals.v1"
    assert document["journals"][0] == {
        "schema": "spillring.journal.v1", "name": "a", "id": "0000000000000002", "segments": 1, "first": 1, "end": 4,
        "messages": 3, "bytes": int(sizes[0])}
    assert there("ls", "-o", "ndjson").envelopes == document["journals"]
    assert there("ls", "-o", "table").lines[0].split() == header


def test_stat_has_a_row_for_each_segment(saved):
    header, *rows = [line.split("\t") for line in saved("stat", "orders").lines]
    assert header == ["FILE", "FIRST", "END", "MSGS", "BATCHES", "BYTES", "CREATED", "NEWEST", "STATE"]
    files = saved.segments()
    assert len(files) > 2 and all(len(batches(file)) > 1 for file in files[:-1])
    assert [row[0] for row in rows] == [file.name for file in files]
    for row, file, after in zip(rows, files, rows[1:] + [None]):
        assert int(row[1], 10) == int(file.name.split(".")[0], 16)
        assert after is None or row[2] == after[1]
        assert row[4] == str(len(batches(file)))
        assert row[5] == str(file.stat().st_size)
        assert row[6] > "2026" and row[7] > "2026" and row[8] == "ok"
    assert sum(int(row[3]) for row in rows) == COUNT
    document = saved("stat", "orders", "--json").json
    assert document["schema"] == "spillring.segments.v1" and document["name"] == "orders"
    assert [row["messages"] for row in document["segments"]] == [int(row[3]) for row in rows]
    assert saved("stat", "orders", "-o", "ndjson").envelopes == document["segments"]
    assert int(saved("ls", "--no-header").lines[0].split("\t")[5]) == COUNT


def test_cat_prints_what_peek_prints(serve, tmp_path):
    command, supervisor = serve("--state-dir", str(tmp_path / "state"))
    command("send", "orders", "--create", "--json", stdin="".join(json.dumps(each) + "\n" for each in ODD))
    formats = ([], ["--json"], ["-o", "raw"], ["-0"])
    peeked = [command("peek", "orders", *each).bytes for each in formats]
    supervisor.stop()
    there = State(command, tmp_path / "state")
    assert [there("cat", "orders", *each).bytes for each in formats] == peeked
    assert there("verify").code == 0


def test_cat_begins_and_ends_where_it_is_told(saved):
    everything = saved.payloads()
    assert everything == [text(number) for number in range(1, COUNT + 1)]
    envelopes = saved("cat", "orders", "--json").envelopes
    for first in (0, 1, 100, COUNT - 1):
        seq = envelopes[first]["seq"]
        assert saved.payloads("--from", seq) == everything[first:]
        assert saved.payloads("--from", seq, "-n", 2) == everything[first:first + 2]
    assert saved("cat", "orders", "--from", envelopes[-1]["seq"] + 1, code=1).out == ""


def test_a_reader_that_leaves_ends_cat_quietly(saved):
    done = saved.command.shell(f"$spillring journal cat orders --state-dir {saved.directory} | head -n 1")
    assert (done.returncode, done.stdout.decode(), done.stderr) == (0, text(1) + "\n", b"")


def test_verify_finds_nothing_wrong(saved):
    outcome = saved("verify")
    assert outcome.out == ""
    assert f"{COUNT} messages in {len(saved.segments())} segments, nothing is damaged" in outcome.err
    assert saved("verify", "-q").err == ""
    document = saved("verify", "orders", "--json").json
    assert document["schema"] == "spillring.journal_checks.v1"
    assert document["journals"] == [{
        "schema": "spillring.journal_check.v1", "name": "orders", "id": "0000000000000001",
        "segments": len(saved.segments()), "messages": COUNT, "lost": 0, "damaged": False, "findings": []}]


def test_looking_changes_nothing(saved):
    before = saved.files()
    changed = saved.directory.stat().st_mtime_ns  # also by a file that comes and goes
    for verb in ("ls", "verify"):
        saved(verb)
    for verb in ("stat", "cat", "verify", "export"):
        saved(verb, "orders")
    saved("repair", "orders", "--dry-run")
    assert saved.files() == before
    assert saved.directory.stat().st_mtime_ns == changed
    assert sorted(os.listdir(saved.directory)) == ["catalogue", "journal", "lock"]  # no log of SQLite's either


@pytest.mark.parametrize("spilled", [False, True])
def test_export_and_send_restore_bit_by_bit(serve, tmp_path, spilled):
    command, supervisor = serve("--state-dir", str(tmp_path / "state"), "--segment-size", "64KiB")
    command("create", "orders", "--capacity", "1MiB")
    lines = "".join(json.dumps(each) + "\n" for each in ODD * (20 if spilled else 1))
    command("send", "orders", "--json", stdin=lines)
    assert (command.info("orders")["journaled"] > 0) == spilled
    bits = command("peek", "orders", "-o", "raw").bytes
    wanted = command("peek", "orders", "--json").envelopes
    supervisor.stop()
    there = State(command, tmp_path / "state")
    outcome = there("export", "orders", "--to", tmp_path / "orders.ndjson")
    assert outcome.out == "" and f"exported {len(wanted)} messages" in outcome.err
    assert there("export", "orders").bytes == (tmp_path / "orders.ndjson").read_bytes()
    shutil.rmtree(there.directory)
    command, _ = serve("--state-dir", str(tmp_path / "state"))
    command("send", "restored", "--create", "--json", stdin=(tmp_path / "orders.ndjson").read_text())
    assert command("peek", "restored", "-o", "raw").bytes == bits
    again = command("peek", "restored", "--json").envelopes
    for envelope in (*wanted, *again):
        del envelope["queue"], envelope["seq"], envelope["ts"]
    assert again == wanted


def test_export_overwrites_nothing(saved, tmp_path):
    target = tmp_path / "file"
    target.write_text("the only copy")
    assert_failure(saved("export", "orders", "--to", target, code=73), "cannot write to", "--to")
    assert target.read_text() == "the only copy"
    saved("export", "orders", "--to", "/dev/null")
    assert_failure(saved("export", "orders", "--to", tmp_path / "no" / "file", code=73), "cannot write to")


def test_a_full_disk_is_told(saved):
    outcome = saved("export", "orders", "--to", "/dev/full", code=74)
    assert_failure(outcome, "cannot write to /dev/full")


# ---- beside a supervisor -------------------------------------------------------------------------


def test_all_but_repair_work_beside_a_supervisor(serve, tmp_path):
    command, supervisor = serve("--state-dir", str(tmp_path / "state"), "--segment-size", "64KiB")
    command("create", "orders", "--capacity", "256KiB", "--full", "spill")
    command("send", "orders", stdin="".join(f"{text(number)}\n" for number in range(1, 1001)))
    there = State(command, tmp_path / "state")
    eventually(lambda: command.info("orders")["journaled"] > 0, "something is spilled")
    row = there("ls", "--json").json["journals"][0]
    assert row["name"] == "orders" and row["first"] == 1 and 0 < row["messages"] < 1000
    payloads = there.payloads()
    assert payloads == [text(number) for number in range(1, len(payloads) + 1)]
    assert there("verify", "orders").code == 0
    assert there("stat", "orders").lines[-1].endswith("\tok")
    there("export", "orders", "--to", tmp_path / "export")
    before = there.files().keys()
    for arguments in ([], ["--dry-run"]):
        outcome = there("repair", "orders", *arguments, code=75)
        assert_failure(outcome, f"the state directory {there.directory} is in use", "stop that supervisor")
        for pid in supervisor.processes().values():
            assert f"process {pid} (spillringd)" in outcome.err
    assert there.files().keys() == before
    assert command("recv", "orders", "--all").lines == [text(number) for number in range(1, 1001)]


def test_a_lock_that_nobody_can_be_seen_with(saved):
    """Held by a child of this test: the words name whoever it is."""
    with open(saved.directory / "lock", "r+") as lock:
        child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, pass_fds=[lock.fileno()])
        # As the supervisor does: a lock of the open file, not of a process.
        fcntl.fcntl(lock, 37, struct.pack("hhqqi", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0))  # F_OFD_SETLK
    try:
        assert f"process {child.pid} (python" in saved("repair", "orders", code=75).err
    finally:
        child.communicate(b"\n")
    assert saved("repair", "orders").code == 0


# ---- damaged -------------------------------------------------------------------------------------


def test_a_flipped_bit_in_a_batch_costs_that_batch(saved):
    segment = saved.segments()[1]
    offset, first, end, size = batches(segment)[0]
    flip(segment, offset + size - 500)
    assert saved.findings() == [{
        "state": "lost", "file": segment.name, "first": first, "end": end,
        "why": f"the batch {first}..{end} does not add up"}]
    shown = saved("cat", "orders", "--json", code=65)
    sequences = [envelope["seq"] for envelope in shown.envelopes]
    assert not set(range(first, end)) & set(sequences)
    assert min(sequences) == 1 and max(sequences) > end
    assert f"{segment.name}: {first}..{end} lost: the batch {first}..{end} does not add up\n" in shown.err
    assert_failure_at_end(shown, "the journal of queue 'orders' is damaged", f"{end - first} numbers can be read no more")
    states = {row["file"]: row["state"] for row in saved("stat", "orders", "--json").json["segments"]}
    assert states.pop(segment.name) == "damaged"
    assert set(states.values()) == {"ok"}
    # Those that come before it, and behind it, are not touched by it.
    assert saved("cat", "orders", "-n", 1).code == 0
    assert saved("cat", "orders", "--from", end).code == 0


def assert_failure_at_end(outcome, what, why):
    *_, said, because, hint = outcome.err.splitlines()
    assert said.startswith("error: ") and what in said, outcome.err
    assert because.startswith("  why: ") and why in because, outcome.err
    assert hint.startswith("  hint: "), outcome.err


def test_every_header_and_every_body_is_checked(saved):
    """A bit of each part of each batch of each segment: what is lost is what that part is needed for."""
    for segment in saved.segments():
        end_of_segment = batches(segment)[-1][2]
        for offset, first, end, size in batches(segment):
            for at, until in ((offset + 9, end_of_segment), (offset + 64 + 3, end), (offset + size - 64, end)):
                flip(segment, at)
                found = saved.findings()
                assert [(each["state"], each["first"], each["end"]) for each in found] == [("lost", first, until)]
                assert saved.payloads(code=65) == saved.sound_without(first, until)
                flip(segment, at)
    assert saved("verify", "orders").code == 0


def test_a_damaged_header_costs_the_segment(saved):
    segments = saved.segments()
    flip(segments[1], 17)
    first, end = batches(segments[1])[0][1], batches(segments[1])[-1][2]
    assert saved.findings() == [{
        "state": "lost", "file": segments[1].name, "first": first, "end": end,
        "why": "a journal segment is damaged: its header does not add up"}]
    row = saved("stat", "orders", "--json").json["segments"][1]
    assert (row["state"], row["messages"], row["created"], row["newest"]) == ("damaged", 0, None, None)
    assert len(saved.payloads(code=65)) < COUNT


@pytest.mark.parametrize("keep", [0, 40, PAGE - 1, PAGE, PAGE + 30])
def test_a_segment_that_was_cut_off(saved, keep):
    segment = saved.segments()[1]
    first, end = batches(segment)[0][1], batches(segment)[-1][2]
    os.truncate(segment, keep)
    found = saved.findings()
    assert [(each["state"], each["first"], each["end"]) for each in found] == [("lost", first, end)]
    assert saved.payloads(code=65) == saved.sound_without(first, end)


def test_a_segment_that_was_cut_in_its_last_batch(saved):
    segment = saved.segments()[0]
    offset, first, end, size = batches(segment)[-1]
    os.truncate(segment, offset + size - 100)
    assert [(each["first"], each["end"]) for each in saved.findings()] == [(first, end)]


def test_a_segment_that_is_missing(saved):
    first, second = saved.segments()[:2]
    begin, end = batches(second)[0][1], batches(second)[-1][2]
    second.unlink()
    assert saved.findings() == [{"state": "lost", "file": first.name, "first": begin, "end": end,
                                 "why": "the segment ends before them"}]
    first.unlink()
    assert saved.findings() == [{"state": "lost", "file": None, "first": 1, "end": end,
                                 "why": "they were saved, and no segment has them"}]


def test_after_a_clean_stop_the_end_is_known(saved):
    """The catalogue says how far the journal went; without it nobody misses the last segment."""
    last = saved.segments()[-1]
    first, end = batches(last)[0][1], batches(last)[-1][2]
    last.unlink()
    assert [(each["state"], each["first"], each["end"]) for each in saved.findings()] == [("lost", first, end)]
    assert saved.payloads(code=65) == saved.sound_without(first, end)
    (saved.directory / "catalogue").unlink()
    assert saved("verify", "0000000000000001").code == 0


def killed(saved):
    """The catalogue of a supervisor that did not end well, or still runs."""
    with sqlite3.connect(saved.directory / "catalogue") as database:
        database.execute("update queues set complete = 0")
    database.close()


@pytest.mark.parametrize("part", ["header", "body", "cut header", "cut body", "nothing but its name"])
def test_a_torn_end_of_the_last_segment_is_no_loss(saved, part):
    killed(saved)
    segment = saved.segments()[-1]
    offset, first, end, size = batches(segment)[-1]
    if part == "header":
        flip(segment, offset + 9)
    elif part == "body":
        flip(segment, offset + size - 100)
    elif part == "cut header":
        os.truncate(segment, offset + 10)
    elif part == "cut body":
        os.truncate(segment, offset + size - 100)
    else:
        os.truncate(segment, 0)
        os.truncate(segment, 64 * PAGE)
        first = int(segment.name.split(".")[0], 16)
    found = saved.findings(code=0)
    assert [(each["state"], each["first"]) for each in found] == [("torn end", first)]
    assert "nothing is damaged" in saved("verify").err
    assert saved("stat", "orders").lines[-1].endswith("\ttorn end")
    assert saved.payloads() == saved.sound_without(first, end)


def test_a_torn_end_before_another_segment_is_a_loss(saved):
    killed(saved)
    segment = saved.segments()[0]
    offset, first, end, _ = batches(segment)[-1]
    flip(segment, offset + 9)
    assert [(each["state"], each["first"], each["end"]) for each in saved.findings()] == [("lost", first, end)]


def test_segments_that_overlap(saved):
    """What an earlier segment has of a number does not count: it was written again."""
    first, second = saved.segments()[:2]
    begin = batches(second)[0][1]
    half = batches(first)[0][1] + 10
    shutil.copy(first, first.with_name(f"{half:016x}.segment"))
    assert saved("cat", "orders", "--json").envelopes == saved.sound
    rows = saved("stat", "orders", "--json").json["segments"]
    assert [(row["first"], row["end"]) for row in rows[:2]] == [(1, half), (half, begin)]
    assert sum(row["messages"] for row in rows) == COUNT
    assert saved("ls", "--json").json["journals"][0]["messages"] == COUNT
    assert saved("verify").code == 0


def test_a_foreign_file_is_named_and_is_no_loss(saved):
    for name in ("notes.txt", "0000000000000001.segment.new", "1.segment", "a\udcffb\n"):
        (saved.folder() / name).write_bytes(b"something")
    found = saved.findings(code=0)
    assert sorted(each["file"] if isinstance(each["file"], str) else "b64" for each in found) == [
        "0000000000000001.segment.new", "1.segment", "b64", "notes.txt"]
    assert {each["state"] for each in found} == {"not a segment"}
    assert {each["first"] for each in found} == {None}
    row = "notes.txt\t-\t-\t-\t-\t9\t-\t-\tnot a segment"
    assert row in saved("stat", "orders", "--no-header").lines
    assert saved.payloads() == [text(number) for number in range(1, COUNT + 1)]


@pytest.mark.parametrize("kind", ["directory", "fifo", "link"])
def test_something_else_with_the_name_of_a_segment(saved, kind):
    segment = saved.segments()[1]
    first, end = batches(segment)[0][1], batches(segment)[-1][2]
    content = segment.read_bytes()
    segment.unlink()
    if kind == "directory":
        segment.mkdir()
    elif kind == "fifo":
        os.mkfifo(segment)
    else:
        (saved.directory / "elsewhere").write_bytes(content)
        segment.symlink_to(saved.directory / "elsewhere")
    assert [(each["state"], each["first"], each["end"]) for each in saved.findings()] == [("lost", first, end)]
    outcome = saved("repair", "orders", "--json")
    assert [(move["file"], move["why"]) for move in outcome.json["moved"]] == [(segment.name, "it is no file")]


def test_a_segment_of_another_queue(saved):
    (saved.folder(2)).mkdir()
    segment = saved.segments()[0]
    shutil.copy(segment, saved.folder(2))
    found = saved.findings("0000000000000002")
    assert [(each["first"], each["end"], each["why"]) for each in found] == [
        (1, None, "a journal segment is of another queue")]
    why = "how many numbers are lost is not known"
    assert_failure_at_end(saved("cat", "0000000000000002", code=65), "is damaged", why)
    assert saved("ls", "--no-header").lines[1].startswith("-\t0000000000000002\t1\t1\t1\t0\t")


# ---- the catalogue -------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["missing", "no database", "damaged", "empty"])
def test_without_a_catalogue_queues_are_known_by_their_ids(saved, how):
    catalogue = saved.directory / "catalogue"
    if how == "missing":
        catalogue.unlink()
    elif how == "empty":
        catalogue.write_bytes(b"")
    elif how == "no database":
        catalogue.write_bytes(b"no database at all" * 1000)
    else:
        content = bytearray(catalogue.read_bytes())
        content[PAGE:] = b"\xA5" * (len(content) - PAGE)
        catalogue.write_bytes(content)
    outcome = saved("ls", "--no-header")
    assert outcome.lines[0].split("\t")[:2] == ["-", "0000000000000001"]
    assert "called by their ids" in outcome.err and str(catalogue) in outcome.err
    assert saved("ls", "-q").err == ""
    assert saved("ls", "--json").json["journals"][0]["name"] is None
    assert saved.payloads(queue="0000000000000001") == [text(number) for number in range(1, COUNT + 1)]
    assert saved("cat", "0000000000000001", "--json", "-n", 1).envelopes[0]["queue"] == "0000000000000001"
    assert saved("verify").code == 0
    assert len(saved("export", "0000000000000001").lines) == COUNT
    assert saved("repair", "0000000000000001").code == 0
    outcome = saved("cat", "orders", "-q", code=69)
    assert_failure(outcome, "there is no queue 'orders'", "spillring journal ls")
    assert "names are not known" in outcome.err


def test_the_catalogue_of_a_supervisor_that_was_killed(serve, tmp_path):
    """Its changes are still in SQLite's log."""
    command, supervisor = serve("--state-dir", str(tmp_path / "state"), "--segment-size", "64KiB")
    command("create", "orders", "--capacity", "256KiB")
    command("send", "orders", stdin="".join(f"{text(number)}\n" for number in range(1, 1001)))
    eventually(lambda: command.info("orders")["journaled"] > 0, "something is spilled")
    supervisor.kill()
    assert (tmp_path / "state" / "catalogue-wal").stat().st_size > 0
    there = State(command, tmp_path / "state")
    payloads = there.payloads()
    assert payloads and payloads == [text(number) for number in range(1, len(payloads) + 1)]
    assert there("verify", "orders").code == 0


def test_a_queue_that_has_no_journal(state):
    there = state(lambda command: command("create", "orders"))
    assert there("ls", "--no-header").out == ""
    assert there("stat", "orders", code=1).lines[0].startswith("FILE")
    assert there("cat", "orders", code=1).out == ""
    assert there("verify", "orders").code == 0
    assert there("export", "orders").out == ""
    assert there("repair", "orders").code == 0


# ---- repair --------------------------------------------------------------------------------------


def test_repair_moves_what_nobody_can_use_and_loses_no_more(saved, serve, tmp_path):
    segments = saved.segments()
    flip(segments[1], 3)
    (saved.folder() / "notes.txt").write_text("mine")
    (saved.folder() / "folder").mkdir()
    before = saved.files()
    readable = saved.payloads(code=65)

    plan = saved("repair", "orders", "--dry-run", "--json").json
    assert plan["schema"] == "spillring.journal_repair.v1" and plan["dry_run"]
    assert [move["file"] for move in plan["moved"]] == [segments[1].name, "folder", "notes.txt"]
    assert saved.files() == before

    done = saved("repair", "orders", "--json").json
    assert done == {**plan, "dry_run": False}
    aside = saved.directory / "journal" / "0000000000000001.damaged"
    assert sorted(path.name for path in aside.iterdir()) == sorted([segments[1].name, "folder", "notes.txt"])
    assert (aside / segments[1].name).read_bytes() == before[segments[1]]
    assert [move["to"] for move in done["moved"]] == [str(aside / move["file"]) for move in done["moved"]]
    begin, end = batches(aside / segments[1].name)[0][1], batches(aside / segments[1].name)[-1][2]
    assert [(each["first"], each["end"]) for each in done["findings"]] == [(begin, end)]
    assert saved.payloads(code=65) == readable
    again = saved("repair", "orders")
    assert "there is nothing to move" in again.err

    command, supervisor = serve("--state-dir", str(saved.directory), "--segment-size", "64KiB")
    assert command("recv", "orders", "--all").lines == readable
    assert sorted(path.name for path in aside.iterdir()) == sorted([segments[1].name, "folder", "notes.txt"])


def test_without_repair_a_directory_keeps_the_queue_from_coming_back(saved, serve):
    (saved.folder() / "folder").mkdir()
    command, supervisor = serve("--state-dir", str(saved.directory))
    assert_failure(command("info", "orders", code=None), "orders")
    supervisor.stop()
    outcome = saved("repair", "orders")
    assert outcome.lines[1].split("\t") == ["orders", "moved", "folder", "-", "-", "its name is no segment's"]
    assert "1 file moved to" in outcome.err
    command, supervisor = serve("--state-dir", str(saved.directory))
    assert len(command("recv", "orders", "--all").lines) == COUNT


def test_repair_brings_back_what_a_damaged_segment_hides(saved):
    """The segment before it has the same numbers: it was not known whether they were written."""
    first = saved.segments()[0]
    half = batches(first)[0][1] + 10
    hidden = first.with_name(f"{half:016x}.segment")
    hidden.write_bytes(b"\x5A" * 65536)
    assert len(saved.payloads(code=65)) < COUNT
    moved = saved("repair", "orders", "--json").json
    assert [(move["file"], move["first"]) for move in moved["moved"]] == [(hidden.name, half)]
    assert moved["findings"] == []
    assert saved.payloads() == [text(number) for number in range(1, COUNT + 1)]


def test_repair_never_overwrites_what_it_moved_before(saved):
    for content in ("first", "second", "third"):
        (saved.folder() / "notes.txt").write_text(content)
        saved("repair", "orders")
    aside = saved.directory / "journal" / "0000000000000001.damaged"
    assert {path.name: path.read_text() for path in aside.iterdir()} == {
        "notes.txt": "first", "notes.txt.1": "second", "notes.txt.2": "third"}
    for name in ("notes.txt", "notes.txt.3"):  # two that would get one name
        (saved.folder() / name).write_text(name)
    saved("repair", "orders")
    assert sorted(path.read_text() for path in aside.iterdir()) == sorted(
        ["first", "second", "third", "notes.txt", "notes.txt.3"])


def test_repair_leaves_what_is_damaged_within_a_segment(saved):
    segment = saved.segments()[0]
    offset, first, end, size = batches(segment)[0]
    flip(segment, offset + size - 100)
    before = saved.files()
    outcome = saved("repair", "orders", "-o", "tsv", "--no-header")
    assert outcome.lines == ["\t".join(["orders", "lost", segment.name, str(first), str(end),
                                        f"the batch {first}..{end} does not add up"])]
    assert saved.files() == before


@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize("which", [0, 1, -1])
@pytest.mark.parametrize("repaired", [False, True])
def test_whatever_segment_is_damaged_the_rest_is_received(state, serve, which, grouped, repaired):
    def send(command):
        command("create", "orders", "--capacity", "256KiB")
        if grouped:
            command("recv", "orders", code=1)
        command("send", "orders", stdin="".join(f"{text(number)}\n" for number in range(1, COUNT + 1)))

    there = state(send, "256KiB")
    segment = there.segments()[which]
    first, end = batches(segment)[0][1], batches(segment)[-1][2]
    flip(segment, 3)
    readable = there.payloads(code=65)
    assert 0 < len(readable) <= COUNT - (end - first) + 10  # some numbers are seals
    if repaired:
        assert [move["file"] for move in there("repair", "orders", "--json").json["moved"]] == [segment.name]
        assert there.payloads(code=65) == readable
    command, _ = serve("--state-dir", str(there.directory), "--segment-size", "256KiB")
    assert command("recv", "orders", "--all").lines == readable
    command("send", "orders", "after")
    assert command("recv", "orders", "--all").out == "after\n"


# ---- which directory, which queue ----------------------------------------------------------------


def test_an_unknown_queue(saved):
    for verb in ("stat", "cat", "verify", "repair", "export"):
        outcome = saved(verb, "oders", code=69)
        assert_failure(outcome, f"there is no queue 'oders' in '{saved.directory}'", "did you mean 'orders'?")
        assert_failure(saved(verb, "0000000000000009", code=69), "there is no queue '0000000000000009'")
        assert_failure(saved(verb, "a/b", code=64), "cannot be the name of a queue")


def test_a_state_directory_that_is_not_there(lonely, tmp_path):
    for verb, *arguments in (["ls"], ["stat", "q"], ["cat", "q"], ["verify"], ["repair", "q"], ["export", "q"]):
        outcome = lonely("journal", verb, *arguments, "--state-dir", tmp_path / "none", code=66)
        assert_failure(outcome, f"the state directory '{tmp_path}/none' cannot be read", "--state-dir")
    assert not (tmp_path / "none").exists()
    (tmp_path / "file").touch()
    assert_failure(lonely("journal", "ls", "--state-dir", tmp_path / "file", code=66), "cannot be read")


def test_any_directory_is_one_without_journals(lonely, tmp_path):
    assert lonely("journal", "ls", "--no-header", "-q", "--state-dir", tmp_path).out == ""
    assert lonely("journal", "verify", "-q", "--state-dir", tmp_path).out == ""


def test_a_supervisor_whose_directory_is_not_known(lonely):
    outcome = lonely("journal", "ls", code=64)
    assert_failure(outcome, "which state directory is meant is not known", "--state-dir")
    assert lonely.socket in outcome.err


def test_ones_own_state_directory_is_found(home, tmp_path):  # noqa: F811
    home("send", "orders", "--create", "hello")
    home.close()
    assert home("journal", "cat", "orders").out == "hello\n"
    home.environment["XDG_CONFIG_HOME"] = str(tmp_path / "config")
    settings = tmp_path / "config/spillring/spillringd.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text(f'state_dir = "{tmp_path}/none"\n')
    assert_failure(home("journal", "ls", code=66), f"the state directory '{tmp_path}/none' cannot be read")
    settings.write_text("state_dir = \n")
    assert_failure(home("journal", "ls", code=65), "the configuration file", "--check-config")


@pytest.mark.parametrize("verb", VERBS)
def test_help(lonely, verb):
    outcome = lonely("journal", verb, "--help")
    assert f"Usage: spillring journal {verb} [OPTIONS]" in outcome.out
    assert f"Examples:\n  spillring journal {verb}" in outcome.out
    assert "--state-dir DIR" in outcome.out
    assert f"\n  {verb} " in lonely("journal").out


@pytest.mark.parametrize("line, what", [
    ("journal ls -o raw", "'journal ls' cannot write '-o raw'"),
    ("journal cat q -o table", "'journal cat' cannot write '-o table'"),
    ("journal export q -o raw", "'journal export' cannot write '-o raw'"),
    ("journal cat q -n 0", "--count '0' takes nothing"),
    ("journal cat", "QUEUE is missing"),
    ("journal list", "there is no verb 'list'"),
    ("journal verfy", "there is no verb 'verfy'"),
])
def test_bad_command_lines(lonely, line, what):
    assert_failure(lonely(*line.split(), code=64), what)
