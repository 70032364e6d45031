"""spillring stat: a line for each interval and queue, as vmstat has them."""

import json
import os
import signal
import time
from datetime import datetime

import pytest
from failures import assert_failure
from supervised import eventually

COLUMNS = ("QUEUE MSGS IN/S OUT/S LAG JOURNALED JOURNAL SPILLED/S SPILL-B/S READ/S READ-B/S EXPIRED/S DROPPED/S DEAD/S "
           "DISCARD/S DOOMED OLDEST ALARM").split()
KEYS = ["schema", "time", "queue", "seconds", "messages", "in_per_second", "out_per_second", "lag", "journaled",
        "journal_bytes", "spilled_per_second", "spilled_bytes_per_second", "read_back_per_second",
        "read_back_bytes_per_second", "expired_per_second", "dropped_per_second", "dead_lettered_per_second", "discarded_per_second",
        "doomed", "oldest_age", "disk_left", "alarm"]
NOTHING_SPILLED = {"spilled": 0, "spilled_bytes": 0, "read_back": 0, "read_back_bytes": 0, "expired": 0, "dropped": 0,
                   "dead_lettered": 0, "discarded": 0}


def totals(command, action):
    """Sums over the lines of a stat that runs while `action` does: messages, not rates."""
    process = command.start("stat", "orders", "-i", "50ms", "-o", "ndjson")

    def line():
        return json.loads(process.stdout.readline())

    lines = [line()]
    action()
    after = f"{datetime.utcnow().isoformat()}Z"
    while lines[-1]["time"] <= after:
        lines.append(line())
    lines.append(line())  # the one before may have begun to ask earlier
    return {name: round(sum(each[f"{name}_per_second"] * each["seconds"] for each in lines))
            for name in ("in", "out", "spilled", "spilled_bytes", "read_back", "read_back_bytes", "expired", "dropped",
                         "dead_lettered", "discarded")}


def test_it_ends_after_so_many_lines(spillring, orders):
    spillring("send", orders, "a", "b")
    began = time.monotonic()
    header, *lines = spillring("stat", orders, "-i", "100ms", "-n", 3).lines
    assert time.monotonic() - began > 0.3
    assert header.split("\t") == COLUMNS
    for line in lines:
        *cells, age, alarm = line.split("\t")
        assert cells == [orders, "2", "0", "0", "-", "0", "0", "0", "0", "0", "0", "0", "0", "0", "0", "0"]
        assert float(age) > 0 and alarm == "none"


def test_all_queues_have_a_line(spillring):
    for name in ("b", "a"):
        spillring("create", name)
    lines = spillring("stat", "-i", "20ms", "-n", 2, "--no-header").lines
    assert [line.split("\t")[0] for line in lines] == ["a", "b", "a", "b"]
    lines = spillring("stat", "b", "a", "-i", "20ms", "-n", 1, "--no-header").lines
    assert [line.split("\t")[0] for line in lines] == ["b", "a"]
    assert spillring("stat", "-i", "20ms", "-n", 1, "-o", "ndjson").envelopes[0]["queue"] == "a"


def test_lines_stay_in_their_columns(spillring, orders):
    """A table that rolls cannot be laid out anew for each line."""
    lines = spillring("stat", orders, "-i", "20ms", "-n", 2, "-o", "table").lines
    assert lines[0].split() == COLUMNS
    assert len({len(line) for line in lines}) == 1
    spillring("send", orders, stdin="m\n" * 1000)
    assert len(spillring("stat", orders, "-i", "20ms", "-n", 1, "-o", "table").lines[1]) == len(lines[0])


@pytest.mark.parametrize("format", [["-o", "ndjson"], ["-o", "json"], ["--json"]])
def test_json_is_a_document_a_line(spillring, orders, format):
    spillring("send", orders, "a", "b")
    spillring("recv", orders, "-n", "1")
    lines = spillring("stat", orders, "-i", "20ms", "-n", 2, *format).envelopes
    assert len(lines) == 2
    for line in lines:
        assert list(line) == KEYS
        assert line["schema"] == "spillring.stat.v1" and line["queue"] == orders
        assert line["messages"] == 1 and line["lag"] == 1
        assert line["seconds"] > 0
        assert line["time"].endswith("Z")


def test_what_comes_and_what_goes(spillring, orders):
    spillring("recv", orders, code=1)  # now there is a group

    def action():
        spillring("send", orders, stdin="m\n" * 1000)
        spillring("recv", orders, "-n", "400")

    assert totals(spillring, action) == {"in": 1000, "out": 400, **NOTHING_SPILLED}


def test_each_group_counts(spillring, orders):
    for group in ("one", "two"):
        spillring("recv", orders, "-g", group, code=1)

    def action():
        spillring("send", orders, stdin="m\n" * 100)
        spillring("recv", orders, "-n", "100", "-g", "one")
        spillring("recv", orders, "-n", "30", "-g", "two")

    assert totals(spillring, action) == {"in": 100, "out": 130, **NOTHING_SPILLED}
    line, = spillring("stat", orders, "-i", "20ms", "-n", 1, "--json").envelopes
    assert line["lag"] == 70


def test_what_is_a_dead_letter_or_waits_to_be_one(spillring):
    spillring("create", "dead")
    spillring("create", "orders", "--max-deliveries", "1", "--dead-letter", "dead")

    def fail(count):
        for _ in range(count):
            spillring("recv", "orders", "--exec", "false", code=3)

    def action():
        spillring("send", "orders", "a", "b", "c")
        fail(2)
        eventually(lambda: spillring.count("dead") == 2, "both are there")

    counted = totals(spillring, action)
    assert (counted["dead_lettered"], counted["discarded"]) == (2, 0)
    spillring("rm", "dead", "--yes")
    fail(1)
    line, = spillring("stat", "orders", "-i", "20ms", "-n", 1, "--json").envelopes
    assert line["doomed"] == 1
    row = spillring("stat", "orders", "-i", "20ms", "-n", 1).lines
    assert dict(zip(*(line.split("\t") for line in row)))["DOOMED"] == "1"


def test_what_is_discarded(spillring):
    spillring("create", "orders", "--max-deliveries", "1")

    def action():
        spillring("send", "orders", "a")
        spillring("recv", "orders", "--exec", "false", code=3)
        eventually(lambda: spillring.count("orders") == 0, "it is gone")

    assert totals(spillring, action)["discarded"] == 1


def test_what_is_spilled(serve, tmp_path):
    command, _ = serve("--state-dir", str(tmp_path / "state"), "--segment-size", "1MiB")
    command("create", "orders", "--capacity", "256KiB", "--full", "spill")
    text = ("x" * 1000 + "\n") * 1000

    def action():
        command("send", "orders", stdin=text)
        command("send", "orders", stdin=text)

    assert totals(command, action)["in"] >= 2000
    info = command.info("orders")
    assert info["journaled"] > 1000
    line, = command("stat", "-i", "20ms", "-n", 1, "--json").envelopes
    assert (line["journaled"], line["journal_bytes"]) == (info["journaled"], info["journal_bytes"])

    def read_and_write():
        action()
        command("recv", "orders", "-n", "500")  # what is read from the journal is not written to it

    before = command.info("orders")
    change = totals(command, read_and_write)
    after = command.info("orders")
    assert change["spilled"] == after["spilled"] - before["spilled"] > 1000
    assert change["spilled_bytes"] == pytest.approx(1000 * change["spilled"], rel=0.001)  # sums of rounded rates
    # As many as were taken, and those that the command had claimed ahead.
    assert 500 <= change["read_back"] <= 500 + 64
    assert change["read_back_bytes"] == pytest.approx(1000 * change["read_back"], rel=0.001)
    assert command.info("orders")["group_list"][0]["read_back"] == change["read_back"]


def test_queues_come_and_go(spillring, orders):
    process = spillring.start("stat", "-i", "50ms", "--no-header")
    names = lambda: process.stdout.readline().decode().split("\t")[0]  # noqa: E731
    assert names() == orders
    spillring("create", "another")
    eventually(lambda: names() == "another", "a queue that was made has lines")
    spillring("rm", orders, "-y")
    eventually(lambda: [names() for _ in range(5)] == ["another"] * 5, "one that was removed has none")


def test_a_queue_that_was_named_and_is_removed(spillring, orders):
    process = spillring.start("stat", orders, "-i", "20ms")
    assert process.stdout.readline()
    spillring("rm", orders, "-y")
    assert process.wait() == 69
    assert b"error: there is no queue 'orders'\n  why: " in process.stderr.read()


def test_it_goes_on_with_the_next_supervisor(spillring, supervisor, orders):
    process = spillring.start("stat", orders, "-i", "20ms", "-n", "30", "--no-header")
    assert process.stdout.readline()
    os.kill(supervisor.processes()["supervisor"], signal.SIGKILL)
    out, err = process.communicate()
    assert (process.returncode, err) == (0, b"")
    assert len(out.decode().splitlines()) == 29


def test_ctrl_c_ends_it(spillring, orders):
    process = spillring.start("stat", orders, "-i", "100ms")
    assert process.stdout.readline()
    process.send_signal(signal.SIGINT)
    assert process.wait() == 130
    assert process.stderr.read() == b""


def test_a_reader_that_leaves_ends_it_quietly(spillring, orders):
    done = spillring.shell(f"$spillring stat {orders} -i 20ms | head -n 2 | wc -l")
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, b"2", b"")


@pytest.mark.parametrize("line, what, hint", [
    ("stat q -i 0", "--interval '0' is no interval", "500ms"),
    ("stat q -i inf", "--interval 'inf' is no interval", ""),
    ("stat q -i 1ms", "--interval '1ms' is no interval", ""),
    ("stat q -i soon", "--interval 'soon' is not a duration", ""),
    ("stat q -n 0", "--count '0' takes nothing", ""),
    ("stat a/b", "'a/b' cannot be the name of a queue", ""),
    ("stat -o raw", "'stat' cannot write '-o raw'", ""),
])
def test_bad_command_lines(lonely, line, what, hint):
    assert_failure(lonely(*line.split(), code=64), what, hint)


def test_an_unknown_queue_and_no_supervisor(spillring, orders, lonely):
    assert_failure(spillring("stat", "oders", code=69), "there is no queue 'oders'", "did you mean 'orders'?")
    assert_failure(lonely("stat", code=69), lonely.socket)
