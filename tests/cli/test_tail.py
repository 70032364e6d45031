"""spillring tail: shows messages and takes none."""

import json
import signal

import pytest
from failures import assert_failure
from supervised import eventually


def read_lines(process, count):
    return [process.stdout.readline().decode().rstrip("\n") for _ in range(count)]


def test_shows_the_last_ten(spillring, orders):
    spillring("send", orders, *map(str, range(25)))
    assert spillring("tail", orders).lines == [str(n) for n in range(15, 25)]
    assert spillring("tail", orders, "-n", "3").lines == ["22", "23", "24"]
    assert len(spillring("tail", orders, "-n", "1000").lines) == 25
    assert spillring.count(orders) == 25


def test_shows_what_a_queue_that_has_grown_holds(spillring, orders):
    """Numbers that were skipped do not count."""
    spillring("send", orders, stdin="".join(f"{n}\n" for n in range(20_000)))
    assert spillring("tail", orders, "-n", "5").lines == [str(n) for n in range(19_995, 20_000)]
    assert len(spillring("tail", orders, "-n", "20000").lines) == 20_000


def test_of_nothing(spillring, orders):
    assert spillring("tail", orders, code=1).out == ""
    spillring("tail", "missing", code=69)
    assert_failure(spillring("tail", ".x", code=64), "cannot be the name of a queue")


def test_leaves_no_trace(spillring, orders):
    spillring("send", orders, "x")
    spillring("tail", orders)
    assert spillring.info(orders)["groups"] == 0
    assert spillring("recv", orders).out == "x\n"


def test_follows(spillring, orders):
    spillring("send", orders, "a", "b")
    tail = spillring.start("tail", orders, "-f", "-n", "1")
    assert read_lines(tail, 1) == ["b"]
    spillring("send", orders, "c", "d")
    assert read_lines(tail, 2) == ["c", "d"]
    assert spillring("recv", orders, "--all").lines == ["a", "b", "c", "d"]
    spillring("send", orders, "e")
    assert read_lines(tail, 1) == ["e"]
    tail.send_signal(signal.SIGINT)
    assert tail.wait() == 130
    eventually(lambda: spillring.info(orders)["consumers"] == 0, "its place is free again")


def test_ends_with_the_queue(spillring, orders):
    tail = spillring.start("tail", orders, "-f")
    eventually(lambda: spillring.info(orders)["consumers"] == 1, "it follows")
    spillring("rm", orders, "--yes")
    assert tail.wait() == 0


def test_ends_with_its_reader(spillring, orders):
    done = spillring.shell(
        "(sleep 0.3; $spillring send orders a b c; sleep 0.3; $spillring send orders d) & "
        "$spillring tail -f orders | head -n 1; wait"
    )
    assert (done.returncode, done.stdout) == (0, b"a\n")


def test_several_queues(spillring):
    for name in ("a", "b"):
        spillring("send", name, f"{name}1", f"{name}2", "--create")
    assert spillring("tail", "a", "b").out == "==> a <==\na1\na2\n\n==> b <==\nb1\nb2\n"
    envelopes = spillring("tail", "a", "b", "--json", "-n", "1").envelopes
    assert [(e["queue"], e["payload"]) for e in envelopes] == [("a", "a2"), ("b", "b2")]
    tail = spillring.start("tail", "a", "b", "-f", "-o", "ndjson")
    assert len(read_lines(tail, 4)) == 4
    for number in range(10):
        name = "ab"[number % 2]
        spillring("send", name, str(number))
        [line] = read_lines(tail, 1)
        assert (json.loads(line)["queue"], json.loads(line)["payload"]) == (name, str(number))


def test_grep(spillring, orders):
    spillring("send", orders, "an ERROR", "fine", "FATAL: x", "", "two\nERROR lines", "terror")
    assert spillring("tail", orders, "--grep", "ERROR|FATAL", "-0").out.split("\0")[:-1] == [
        "an ERROR", "FATAL: x", "two\nERROR lines"]
    assert spillring("tail", orders, "--grep", "^ERROR", "-n", "1").out == "two\nERROR lines\n"
    assert spillring("tail", orders, "--grep", "^$", "--json").envelopes[0]["payload"] == ""
    spillring("tail", orders, "--grep", "nowhere", code=1)
    outcome = spillring("tail", orders, "--grep", "(", code=64)
    assert_failure(outcome, "'(' is no regular expression")


def test_grep_of_binary_and_of_large_messages(spillring, orders):
    spillring("send", orders, "-f", "-", stdin=b"\x00\xff needle \x00")
    spillring("send", orders, "-f", "-", stdin=b"x" * 3_000_000 + b"needle")
    spillring("send", orders, "-f", "-", stdin=b"x" * 3_000_000)
    sizes = [e["size"] for e in spillring("tail", orders, "--grep", "x*needle", "--json").envelopes]
    assert sizes == [11, 3_000_006]


def test_grep_while_following(spillring, orders):
    tail = spillring.start("tail", orders, "-f", "--grep", "[02468]$")
    eventually(lambda: spillring.info(orders)["consumers"] == 1, "it follows")
    spillring("send", orders, *map(str, range(10)))
    assert read_lines(tail, 5) == ["0", "2", "4", "6", "8"]


def test_since_and_until(spillring, orders):
    spillring("send", orders, "old")
    [envelope] = spillring("peek", orders, "--json").envelopes
    moment = envelope["ts"]

    def sent_later():
        spillring("send", orders, "new")
        return spillring("tail", orders, "-n", "1", "--json").envelopes[0]["ts"] > moment

    eventually(sent_later, "the clock ticks")
    count = spillring.count(orders)
    assert spillring("tail", orders, "--until", moment).lines[0] == "old"
    assert len(spillring("tail", orders, "--since", moment).lines) == count
    assert len(spillring("tail", orders, "--since", "10m").lines) == count
    assert spillring("tail", orders, "--since", "2").lines == ["new"] * (count - 1)
    assert spillring("tail", orders, "--since", "10m", "-n", "1").lines == ["new"]
    spillring("tail", orders, "--since", "2020-01-01T00:00:00Z", "--until", "1000d", code=1)
    assert_failure(spillring("tail", orders, "--until", "5", code=64), "is no moment")


def test_history(serve, tmp_path):
    spillring, _ = serve("--state-dir", tmp_path / "state")
    spillring("create", "orders", "--retain", "1GiB")
    spillring("send", "orders", "a", "b", "c")
    spillring("recv", "orders", "--all")
    assert spillring("tail", "orders", "-n", "2").lines == ["b", "c"]


def test_a_full_queue_is_shown(spillring):
    spillring("create", "full", "--slots", "64", "--full", "reject")
    spillring("send", "full", "x", "-n", "1000", code=75)
    assert len(spillring("tail", "full", "--since", "earliest").lines) == spillring.count("full")


@pytest.mark.parametrize("arguments", [["-n", "0"], ["--since", "whenever"], ["-f", "-f", "-x"], []])
def test_usage(spillring, orders, arguments):
    spillring("tail", *([orders] if arguments else []), *arguments, code=64)
