"""spillring journal: what lies on the disk, looked at without a supervisor."""

import base64
import fcntl
import json
import os
import shutil
import struct
import subprocess
import sys

import pytest
from failures import assert_failure
from journals import COUNT, State, batches, text
from supervised import eventually
from test_autostart import home  # noqa: F401

VERBS = ("ls", "stat", "cat", "verify", "repair", "export")

# What may go wrong on its way through text: bytes that are none, ends of lines, nothing at all.
ODD = [
    {"payload": ""},
    {"payload": "two\nlines\r\n\u2028", "key": ""},
    {"payload_b64": base64.b64encode(bytes(range(256))).decode(), "key_b64": "/w=="},
    {"payload": "\u0000", "headers": {"name": {"b64": "gIE="}, "": "empty name"}},
    {"payload": "x" * 100_000, "key": "k" * 1000},
    {"payload": "twice", "headers_b64": [["YQ==", "MQ=="], ["YQ==", "Mg=="]]},
]


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
