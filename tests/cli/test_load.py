"""spillring send --count --rate: a load to try things with."""

import json
import time

import pytest
from failures import assert_failure


def test_again_and_again(spillring, orders, tmp_path):
    spillring("send", orders, "a", "b", "-n", "5")
    assert spillring("recv", orders, "--all").lines == ["a", "b", "a", "b", "a"]
    (tmp_path / "file").write_text("f")
    spillring("send", orders, "-f", tmp_path / "file", "-n", "3")
    assert spillring("recv", orders, "--all").lines == ["f"] * 3


def test_the_first_of_stdin(spillring, orders):
    spillring("send", orders, "-n", "2", stdin="a\nb\nc\n")
    assert spillring("recv", orders, "--all").lines == ["a", "b"]
    envelopes = "".join(json.dumps({"payload": p, "key": "k"}) + "\n" for p in "abc")
    spillring("send", orders, "--json", "-n", "2", "--rate", "1000/s", stdin=envelopes)
    again = spillring("recv", orders, "--all", "--json").envelopes
    assert [(e["payload"], e["key"]) for e in again] == [("a", "k"), ("b", "k")]


def test_no_faster_than_asked(spillring, orders):
    start = time.monotonic()
    spillring("send", orders, "x", "-n", "51", "--rate", "100/s")
    assert time.monotonic() - start >= 0.5
    assert spillring.count(orders) == 51


def test_as_fast_as_asked(spillring, orders):
    """What one is late by, the next makes up for: 10,000 at 100k/s are no 10,000 sleeps."""
    spillring("send", orders, "x", "-n", "10000", "--rate", "100k/s")
    assert spillring.info(orders)["messages"] >= 10_000


@pytest.mark.parametrize("rate", ["", "0", "fast", "-5", "10x", "k", "10k/m", "2000M"])
def test_what_is_no_rate(spillring, orders, rate):
    outcome = spillring("send", orders, "x", f"--rate={rate}", code=64)
    assert_failure(outcome, "is not a rate")
