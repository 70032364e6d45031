"""spillring journal, where something is damaged, missing, foreign or torn; and its repair."""

import os
import shutil
import sqlite3

import pytest
from failures import assert_failure
from journals import COUNT, LAST_BATCH, PAGE, State, batches, flip, text
from supervised import eventually


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
    if part in LAST_BATCH:
        LAST_BATCH[part](segment, offset, size)
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
        (1, None, "a journal segment is damaged: it is of another queue")]
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
