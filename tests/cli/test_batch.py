"""Atomic batches: sent and shown by the command."""

import json
import subprocess

import pytest
from failures import assert_failure
from supervised import eventually


@pytest.fixture
def batch(spillring, orders):
    spillring("send", orders, "--atomic", "--key", "k", "-H", "a=b", "debit 5", "", "credit 5")
    return orders


def test_arguments_are_one_message(spillring, batch):
    [envelope] = spillring("peek", batch, "--json").envelopes
    assert envelope["parts"] == ["debit 5", "", "credit 5"]
    assert (envelope["size"], envelope["key"], envelope["headers"]) == (15, "k", {"a": "b"})
    assert "payload" not in envelope
    assert spillring.info(batch)["messages"] == 1


def test_lines_of_stdin_are_one_message(spillring, orders):
    spillring("send", orders, "--atomic", stdin="a\n\nb")
    spillring("send", orders, "--atomic", "-0", stdin="c\n\0d\0")
    spillring("send", orders, "--atomic", stdin="")
    envelopes = spillring("peek", orders, "--json").envelopes
    assert [e["parts"] for e in envelopes] == [["a", "", "b"], ["c\n", "d"]]


def test_each_part_is_printed_as_a_message(spillring, batch):
    assert spillring("peek", batch).out == "debit 5\n\ncredit 5\n"
    assert spillring("peek", batch, "-o", "raw").out == "debit 5credit 5"
    assert spillring("tail", batch, "--grep", "^credit").out == "debit 5\n\ncredit 5\n"
    assert spillring("recv", batch, "-D", ";").out == "debit 5;;credit 5;"
    assert spillring("recv", batch, code=1).out == ""


def test_a_copy_is_bit_exact(spillring, orders):
    spillring("create", "copy")
    parts = ["text", "", "ä€😀", {"b64": "//8="}, "two\nlines", "x" * 100_000]
    lines = [{"parts": parts, "key": "k", "headers": {"a": "b"}, "ttl": 3600}, {"parts": [""]}, {"payload": "alone"}]
    spillring("send", orders, "--json", stdin="".join(json.dumps(line) + "\n" for line in lines))
    done = spillring.shell("$spillring peek orders --json | $spillring send copy --json")
    assert done.returncode == 0, done.stderr

    def contents(queue):
        return [{k: e[k] for k in e if k not in ("queue", "ts")} for e in spillring("peek", queue, "--json").envelopes]

    assert contents("copy") == contents(orders)
    assert contents("copy")[0]["parts"] == parts


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('{"parts":[]}', '"parts" is not an array of messages'),
        ('{"parts":"x"}', '"parts" is not an array of messages'),
        ('{"parts":[1]}', '"parts" is not a string'),
        ('{"parts":["x"],"payload":"y"}', 'it has both a payload and "parts"'),
        ('{"key":"x"}', 'neither "payload" nor "payload_b64" nor "parts"'),
    ],
)
def test_what_is_no_batch(spillring, orders, line, why):
    outcome = spillring("send", orders, "--json", stdin=line + "\n", code=65)
    assert_failure(outcome, "line 1 is not an envelope")
    assert why in outcome.err


def test_it_is_moved_as_it_is(spillring, batch):
    before = spillring("peek", batch, "--json").envelopes
    spillring("move", batch, "other", "--create")
    after = spillring("peek", "other", "--json").envelopes
    for name in ("parts", "key", "headers", "size"):
        assert after[0][name] == before[0][name]


def test_a_command_gets_its_parts_on_lines(spillring, batch):
    outcome = spillring("recv", batch, "--exec", "echo $SPILLRING_PARTS; cat")
    assert outcome.out == "3\ndebit 5\n\ncredit 5\n"
    spillring("send", batch, "alone")
    spillring.environment["SPILLRING_PARTS"] = "9"  # what another recv left there
    outcome = spillring("recv", batch, "--exec", "echo \"[$SPILLRING_PARTS]\"; cat")
    assert outcome.out == "[]\nalone"


def test_it_is_too_large_as_a_whole(spillring, orders):
    outcome = spillring("send", orders, "--atomic", stdin=b"x" * 4_000_000 + b"\n" + b"x" * 4_000_000, code=65)
    assert_failure(outcome, "what stdin has for one batch is too large")
    assert spillring.info(orders)["messages"] == 0


@pytest.mark.parametrize("other", ["-n 2", "--rate 5/s", "--json", "-f /dev/null"])
def test_what_does_not_go_together(spillring, orders, other):
    spillring("send", orders, "--atomic", *other.split(), code=64)


def test_a_second_sender_is_refused_by_name(spillring):
    spillring("create", "q", "--exclusive-producer")
    first = spillring.start("send", "q", stdin=subprocess.PIPE)
    try:
        eventually(lambda: spillring.info("q")["producers"] == 1, "it is attached")
        outcome = spillring("send", "q", "x", code=75)
        assert_failure(outcome, "queue 'q' has its producer already", "end that process")
        assert f"process {first.pid} is it" in outcome.err
    finally:
        first.kill()
        first.wait()
    spillring("send", "q", "x")
    assert spillring("recv", "q").out == "x\n"
