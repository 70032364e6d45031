"""--speed: messages come out with the gaps that they were sent with."""

import json
import signal
import time
from datetime import datetime

import pytest
from failures import assert_failure

TICK = 0.02  # seconds: of the clock that timestamps come from, and then some


@pytest.fixture
def recorded(spillring, orders):
    """Three messages, with a gap of some time behind the first one; returns how long."""
    spillring("send", orders, "a")
    time.sleep(0.3)
    spillring("send", orders, "b", "c")
    return gaps(spillring, orders)[0]


def gaps(spillring, queue):
    """Seconds between the messages that are there."""
    times = [datetime.fromisoformat(f"{each['ts'][:26]}+00:00") for each in spillring("peek", queue, "--json").envelopes]
    return [(after - before).total_seconds() for before, after in zip(times, times[1:])]


def seconds(action):
    begun = time.monotonic()
    action()
    return time.monotonic() - begun


@pytest.mark.parametrize("verb", [["recv", "--all"], ["drain"], ["peek"]])
@pytest.mark.parametrize(("speed", "factor"), [("1x", 1), ("0.5x", 2), ("3x", 1 / 3)])
def test_gaps_are_kept(spillring, orders, recorded, verb, speed, factor):
    def run():
        assert spillring(verb[0], orders, *verb[1:], "--speed", speed).lines == ["a", "b", "c"]
    assert recorded > 0.25
    assert seconds(run) >= recorded * factor - TICK


def test_from_one_queue_to_another(spillring, orders, recorded):
    spillring("create", "copy")
    spillring("drain", orders, "--to", "queue:copy", "--speed", "1x")
    assert spillring("peek", "copy").lines == ["a", "b", "c"]
    assert gaps(spillring, "copy")[0] >= recorded - TICK
    assert spillring.count(orders) == 0


def test_ctrl_c_while_it_waits(spillring, orders, recorded):
    """The first message comes at once; what is not due yet stays, and nobody is kept from having it."""
    process = spillring.start("recv", orders, "--all", "--speed", "0.000001x")
    assert process.stdout.readline() == b"a\n"
    others = spillring("recv", orders, "-t", "10s")
    assert others.lines == ["c"], "one message is waited for, and no other is claimed"
    process.send_signal(signal.SIGINT)
    assert process.wait() == 130
    assert process.stdout.read() == b""
    left = [json.loads(line) for line in spillring("recv", orders, "--all", "--json").lines]
    assert [(each["payload"], each["deliveries"]) for each in left] == [("b", 2)]


def test_max_is_what_it_is_without(spillring, orders, recorded):
    assert spillring("recv", orders, "--all", "--speed", "max").lines == ["a", "b", "c"]


@pytest.mark.parametrize("speed", ["1", "x", "0x", "-1x", "infx", "nanx", "1e3x", "0.0000001x", "2000000x", "1.2.3x",
                                   "fast", "", "1 x"])
@pytest.mark.parametrize("verb", ["recv", "drain", "peek"])
def test_what_is_no_speed(lonely, verb, speed):
    outcome = lonely(verb, "q", f"--speed={speed}", code=64)
    assert_failure(outcome, f"--speed '{speed}' is not a speed", "write max, 1x, 0.5x or 10x")
