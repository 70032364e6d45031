"""spillring set: options that change while a queue is in use."""

import os
import signal

import pytest
from failures import assert_failure


@pytest.fixture
def durable(serve, tmp_path):
    command, supervisor = serve("--state-dir", tmp_path / "state")
    command("create", "payments", "--durability", "disk", "--lease", "5s")
    return command, supervisor


def test_prints_what_was_and_what_is(durable):
    spillring, _ = durable
    outcome = spillring("set", "payments", "lease=30s", "sync=100ms", "retain=7d,10GiB")
    assert outcome.lines == ["lease: 5s -> 30s", "sync: each -> 100ms", "retain: none -> 7d,10GiB"]
    info = spillring.info("payments")
    assert (info["lease"], info["sync"], info["retain"]) == (30, "100ms", "7d,10GiB")


def test_for_programs(durable):
    spillring, _ = durable
    outcome = spillring("set", "payments", "stall-timeout=2s", "--json")
    assert outcome.json == {
        "queue": "payments",
        "changes": {"stall_timeout": {"before": 1.0, "after": 2.0}},
    }
    outcome = spillring("set", "payments", "lease=6s", "-o", "tsv")
    assert outcome.lines == ["OPTION\tBEFORE\tAFTER", "lease\t5\t6"]


def test_outlives_the_supervisor(durable):
    spillring, supervisor = durable
    spillring("set", "payments", "lease=30s", "retain=1GiB")
    supervisor.stop()
    supervisor.start()
    info = spillring.info("payments")
    assert (info["lease"], info["retain"]) == (30, "1GiB")
    spillring("set", "payments", "retain=none")
    supervisor.kill()
    supervisor.start()
    assert spillring.info("payments")["retain"] == "none"


def test_while_supervisors_are_killed(durable):
    """Each call returns as if nothing had happened, and what it set is set."""
    spillring, supervisor = durable
    for seconds in range(10, 40):
        os.kill(supervisor.processes()["supervisor"], signal.SIGKILL)
        spillring("set", "payments", f"lease={seconds}s", f"stall-timeout={seconds}s")
        info = spillring.info("payments")
        assert (info["lease"], info["stall_timeout"]) == (seconds, seconds)


def test_reaches_who_is_attached(spillring, orders):
    spillring("send", orders, "x")
    holder = spillring.start("recv", orders, "--exec", "sleep 1000")
    other = spillring.start("recv", orders, "-t", "inf")
    spillring("set", orders, "lease=50ms")
    assert other.wait() == 0
    assert other.stdout.read() == b"x\n"
    holder.kill()


@pytest.mark.parametrize("option", ["capacity", "slots", "full", "keep", "durability", "mode"])
def test_what_is_settled_is_refused_by_name(spillring, orders, option):
    outcome = spillring("set", orders, f"{option}=1", code=64)
    assert_failure(outcome, f"the {option} of a queue cannot be changed", f"move {orders} OTHER")


@pytest.mark.parametrize(
    "arguments, words",
    [
        ([], "nothing to set"),
        (["lease"], "sets nothing"),
        (["=5"], "sets nothing"),
        (["leese=5s"], "did you mean 'lease'?"),
        (["colour=red"], "there are lease, ttl, group-expiry, stall-timeout, sync, retain"),
        (["lease=soon"], "lease 'soon'"),
        (["sync=often"], "sync 'often' cannot be had"),
        (["retain=5"], "retain '5' cannot be had"),
        (["stall-timeout=0"], "the stall timeout is too short"),
        (["group-expiry=1us"], "the groups' expiry is too short"),
        (["lease=5s", "sync=1s"], "this queue syncs nothing"),
        (["retain=1GiB"], "this queue cannot retain"),
    ],
)
def test_what_cannot_be_set(spillring, orders, arguments, words):
    outcome = spillring("set", orders, *arguments, code=64)
    assert words in outcome.err
    assert spillring.info(orders)["lease"] == 0


def test_history_cannot_begin(serve, tmp_path):
    spillring, _ = serve("--state-dir", tmp_path / "state")
    spillring("create", "plain")
    outcome = spillring("set", "plain", "retain=1GiB", code=64)
    assert_failure(outcome, "cannot begin to keep history", "make another one with --retain")


def test_of_a_queue_that_is_not_there(spillring):
    spillring("set", "nothing", "lease=5s", code=69)
