"""spillring drain: empties a queue somewhere, bit by bit exact."""

import os
import random
import signal

import pytest
from supervised import eventually
from failures import assert_failure


@pytest.fixture
def logs(spillring):
    spillring("create", "logs", "--slots", "1048576", "--capacity", "256MiB")
    return "logs"


def test_a_million_lines(spillring, logs, tmp_path):
    """cmp of what went in and what came out."""
    text = tmp_path / "in.txt"
    numbers = random.Random(1)
    with open(text, "w") as file:
        for number in range(1_000_000):
            file.write(f"{number} {'x' * numbers.randrange(60)}\n")
    with open(text, "rb") as file:
        assert spillring.start("send", logs, stdin=file).wait() == 0
    outcome = spillring("drain", logs, "--to", tmp_path / "out.txt")
    size = text.stat().st_size
    assert outcome.err == f"drained 1000000 messages, {size - 1_000_000} bytes\n"
    assert spillring.shell(f"cmp {text} {tmp_path}/out.txt").returncode == 0
    assert spillring.count(logs) == 0


def test_a_million_lines_through_pipes_at_the_same_time(spillring):
    """The queue is much smaller than the text: both sides wait for each other."""
    spillring("create", "small", "--slots", "4096", "--capacity", "1MiB")
    done = spillring.shell(
        "seq 1000000 | $spillring send small & "
        "$spillring recv small -n 1000000 -t inf | cmp - <(seq 1000000) && wait $!"
    )
    assert done.returncode == 0, done.stderr


def test_to_stdout_by_default(spillring, orders):
    spillring("send", orders, "a", "b")
    outcome = spillring("drain", orders)
    assert outcome.out == "a\nb\n"
    assert outcome.err == "drained 2 messages, 2 bytes\n"


def test_quiet(spillring, orders):
    spillring("send", orders, "a")
    assert spillring("drain", orders, "-q").err == ""


def test_an_empty_queue_is_drained(spillring, orders):
    outcome = spillring("drain", orders)
    assert (outcome.out, outcome.err) == ("", "drained 0 messages, 0 bytes\n")


def test_at_most(spillring, orders, tmp_path):
    spillring("send", orders, *map(str, range(10)))
    spillring("drain", orders, "--max", "4", "--to", tmp_path / "file")
    assert (tmp_path / "file").read_text() == "0\n1\n2\n3\n"
    assert spillring("recv", orders, "--json").envelopes[0]["deliveries"] == 1


def test_a_file_is_appended_to(spillring, orders, tmp_path):
    """Truncating it would destroy messages that were acknowledged because the file had them."""
    for text in ("first", "second"):
        spillring("send", orders, text)
        spillring("drain", orders, "--to", tmp_path / "file")
    assert (tmp_path / "file").read_text() == "first\nsecond\n"


def test_formats(spillring, orders):
    for options, expected in ((["-o", "raw"], "ab"), (["-0"], "a\0b\0"), (["-D", ";"], "a;b;")):
        spillring("send", orders, "a", "b")
        assert spillring("drain", orders, *options).out == expected
    spillring("send", orders, "a", "b")
    envelopes = spillring("drain", orders, "-o", "ndjson").envelopes
    assert [envelope["payload"] for envelope in envelopes] == ["a", "b"]


def test_for_another_group(spillring, orders):
    for group in ("audit", "other"):
        spillring("recv", orders, "-g", group, code=1)
    spillring("send", orders, "a")
    assert spillring("drain", orders, "-g", "audit").out == "a\n"
    assert spillring("drain", orders, "-g", "other").out == "a\n"
    assert spillring("drain", orders, "-g", "audit").out == ""


def test_waits_for_more_while_idle(spillring, orders):
    drain = spillring.start("drain", orders, "--idle", "1h", "--max", "2")
    eventually(lambda: spillring.info(orders)["consumers"] == 1, "the drain is attached")
    for text in ("a", "b"):
        spillring("send", orders, text)
    assert drain.communicate()[0] == b"a\nb\n"
    assert drain.returncode == 0


def test_to_another_queue_with_key_and_headers(spillring, orders):
    spillring("create", "copy")
    binary = os.urandom(1000)
    spillring("send", orders, "-f", "-", "--key", "k", "-H", "a=1", "-H", "b=2", stdin=binary)
    spillring("send", orders, "plain")
    before = spillring("peek", orders, "--json").envelopes
    outcome = spillring("drain", orders, "--to", "queue:copy")
    assert outcome.err == "drained 2 messages, 1005 bytes\n"
    after = spillring("peek", "copy", "--json").envelopes
    for envelope in before + after:
        del envelope["ts"], envelope["queue"]
    assert before == after
    assert spillring.count(orders) == 0


def test_a_full_target_keeps_the_rest_in_the_source(spillring, orders):
    spillring("create", "small", "--slots", "64", "--full", "reject")
    spillring("send", orders, *map(str, range(1000)))
    outcome = spillring("drain", orders, "--to", "queue:small", code=75)
    assert "queue 'small' is full" in outcome.err
    moved = spillring("recv", "small", "--all").lines
    rest = spillring("recv", orders, "--all").lines
    assert 0 < len(moved) < 1000
    assert moved + rest == [str(number) for number in range(1000)]


def test_targets_that_cannot_be(spillring, orders, tmp_path):
    spillring("send", orders, "kept")
    refused = [
        (["queue:orders"], 64, "cannot drain 'orders' to itself"),
        (["queue:.x"], 64, "'.x' cannot be the name of a queue"),
        (["queue:"], 64, "'' cannot be the name of a queue"),
        (["queue:nowhere"], 69, "there is no queue 'nowhere'"),
        (["queue:copy", "-o", "raw"], 64, "a queue takes messages as they are"),
        ([tmp_path / "no folder" / "file"], 73, "cannot write to"),
        ([tmp_path], 73, "cannot write to"),
    ]
    for options, code, what in refused:
        assert_failure(spillring("drain", orders, "--to", *options, code=code), what)
    assert spillring("peek", orders).out == "kept\n"


def test_a_full_disk_loses_nothing(spillring, logs):
    spillring("send", logs, *(f"{number}" for number in range(100)))
    outcome = spillring("drain", logs, "--to", "/dev/full", code=74)
    assert outcome.err.startswith("drained 0 messages, 0 bytes\nerror: cannot write to '/dev/full'")
    assert spillring("recv", logs, "--all").lines == [str(number) for number in range(100)]


def test_a_message_written_in_part_is_cut_off_again(spillring, logs, tmp_path):
    """RLIMIT_FSIZE stops a write in the middle of a message; the next drain goes on there."""
    lines = [f"{number} {'x' * 90}" for number in range(1000)]
    spillring("send", logs, stdin="\n".join(lines))
    target = tmp_path / "file"
    stopped = spillring.shell(
        f"ulimit -f 20; trap '' XFSZ; exec $spillring drain logs --to {target}"
    )
    assert stopped.returncode == 74
    assert b"cannot write to" in stopped.stderr
    part = target.read_text()
    assert 0 < len(part) < 20 * 1024 and part.endswith("\n")
    spillring("drain", logs, "--to", target)
    assert target.read_text().splitlines() == lines


@pytest.mark.parametrize("target, number, again", [("file", signal.SIGINT, 0), ("queue:copy", signal.SIGINT, 0),
                                                   ("queue:copy", signal.SIGKILL, 512)])
def test_ended_half_way_another_goes_on(spillring, tmp_path, target, number, again):
    """Nothing is lost. Killed, a batch that the target had and the source had not heard of may be there twice."""
    count, ends = 20_000, 5
    spillring("create", "logs", "--slots", "65536")
    spillring("create", "copy", "--slots", "65536")
    spillring("send", "logs", stdin="".join(f"{number}\n" for number in range(count)))
    to = target if target.startswith("queue:") else tmp_path / target
    for end in range(1, ends + 1):
        drain = spillring.start("drain", "logs", "--to", to)
        eventually(lambda end=end: spillring.info("logs")["messages"] < count * (1 - end / 10), "some are there")
        drain.send_signal(number)
        drain.wait()
    spillring("drain", "logs", "--to", to)
    assert spillring.count("logs") == 0
    lines = (spillring("recv", "copy", "--all").lines if target.startswith("queue:")
             else (tmp_path / target).read_text().splitlines())
    assert set(lines) == {str(number) for number in range(count)}
    assert len(lines) - count <= again * ends
    if again == 0:
        assert lines == [str(number) for number in range(count)]
