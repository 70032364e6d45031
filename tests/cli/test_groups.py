"""Groups of a queue: shown, removed although they are used, and gone when nobody uses them."""

import os
import signal

import pytest
from failures import assert_failure
from supervised import eventually


def groups(spillring, queue):
    """By name."""
    listed = spillring("group", "ls", queue, "--json", code=None).json["groups"]
    return {group["name"]: group for group in listed}


def attached(spillring, queue, count):
    eventually(lambda: spillring.info(queue)["consumers"] == count, f"{count} are attached")


@pytest.fixture
def waiting(spillring, orders):
    """Two that wait for a message."""
    receivers = [spillring.start("recv", orders, "-g", "billing", "-t", "inf") for _ in range(2)]
    attached(spillring, orders, 2)
    return receivers


def assert_told(receivers):
    for receiver in receivers:
        err = receiver.communicate()[1].decode()
        assert receiver.returncode == 69
        assert err.startswith("error: cannot receive from 'orders'\n") and "removed" in err


def test_one_that_is_used_is_removed_only_by_force(spillring, orders, waiting):
    outcome = spillring("group", "rm", orders, "billing", "--yes", code=75)
    assert_failure(outcome, "is in use", "--force")
    assert "billing" in groups(spillring, orders)
    spillring("group", "rm", orders, "billing", "--yes", "--force")
    assert_told(waiting)
    assert groups(spillring, orders) == {}
    spillring("recv", orders, "-g", "billing", code=1)
    assert "billing" in groups(spillring, orders)


def test_while_the_supervisor_is_killed(spillring, supervisor, orders):
    """The next one has the places of its members, and nothing of the group."""
    for _ in range(10):
        receiver = spillring.start("recv", orders, "-g", "billing", "-t", "inf")
        attached(spillring, orders, 1)
        receiver.send_signal(signal.SIGSTOP)
        spillring("group", "rm", orders, "billing", "--yes", "--force")
        os.kill(supervisor.processes()["supervisor"], signal.SIGKILL)
        assert groups(spillring, orders) == {}
        assert spillring.info(orders)["consumers"] == 1
        spillring("send", orders, "x")
        assert spillring("recv", orders, "-g", "billing").out == "x\n"
        os.kill(supervisor.processes()["supervisor"], signal.SIGKILL)
        receiver.send_signal(signal.SIGCONT)
        assert_told([receiver])
        attached(spillring, orders, 0)
        spillring("group", "rm", orders, "billing", "--yes")


def test_the_time_that_is_left_is_shown(spillring):
    spillring("create", "orders", "--group-expiry", "1h")
    assert spillring.info("orders")["group_expiry"] == 3600
    spillring("recv", "orders", "-g", "gone", code=1)
    receiver = spillring.start("recv", "orders", "-g", "used", "-t", "inf")
    attached(spillring, "orders", 1)
    shown = groups(spillring, "orders")
    assert 3500 < shown["gone"]["expires_in"] <= 3600
    assert shown["used"]["expires_in"] is None
    header, *rows = (line.split("\t") for line in spillring("group", "ls", "orders").lines)
    assert header[-1] == "EXPIRES"
    assert {row[0]: row[-1] == "-" for row in rows} == {"gone": False, "used": True}
    spillring("send", "orders", "x")
    assert receiver.wait() == 0


def test_what_was_set_removes_what_is_abandoned(spillring, orders):
    spillring("recv", orders, "-g", "gone", code=1)
    assert groups(spillring, orders)["gone"]["expires_in"] is None
    assert spillring("set", orders, "group-expiry=10ms").lines == ["group-expiry: 0 -> 10ms"]
    eventually(lambda: groups(spillring, orders) == {}, "it is gone")


def test_the_next_supervisor_counts_on_and_nothing_goes_early(spillring, supervisor):
    spillring("create", "orders", "--group-expiry", "1h")
    spillring("recv", "orders", "-g", "gone", code=1)

    def left():
        return groups(spillring, "orders")["gone"]["expires_in"]

    for _ in range(3):
        os.kill(supervisor.processes()["supervisor"], signal.SIGKILL)
        before = left()
        eventually(lambda: left() < before, "it counts on")
    spillring("set", "orders", "group-expiry=10ms")
    os.kill(supervisor.processes()["supervisor"], signal.SIGKILL)
    eventually(lambda: groups(spillring, "orders") == {}, "it is gone all the same")


def test_the_time_goes_on_after_a_stop(serve, tmp_path):
    spillring, supervisor = serve("--state-dir", tmp_path / "state")
    spillring("create", "orders", "--group-expiry", "1h")
    spillring("recv", "orders", "-g", "gone", code=1)
    before = eventually(
        lambda: (left := groups(spillring, "orders")["gone"]["expires_in"]) < 3599.5 and left, "some time is over")
    supervisor.stop()
    supervisor.start()
    assert groups(spillring, "orders")["gone"]["expires_in"] < before


def test_after_the_death_of_everything_none_is_gone_early(serve, tmp_path):
    spillring, supervisor = serve("--state-dir", tmp_path / "state")
    spillring("create", "orders", "--durability", "disk", "--group-expiry", "1h")
    spillring("send", "orders", "--durable", "x")
    spillring("recv", "orders", "-g", "gone")
    supervisor.kill()
    supervisor.start()
    assert groups(spillring, "orders")["gone"]["expires_in"] > 3590


def test_its_journal_is_given_back(serve, tmp_path):
    spillring, _ = serve("--state-dir", tmp_path / "state", "--segment-size", "64KiB")
    spillring("create", "orders", "--capacity", "256KiB", "--full", "spill")
    for group in ("slow", "fast"):
        spillring("recv", "orders", "-g", group, code=1)
    spillring("send", "orders", "x" * 10_000, "-n", "200")
    spillring("recv", "orders", "-g", "fast", "--all", "-q")
    spillring.start("recv", "orders", "-g", "fast", "-t", "inf")
    attached(spillring, "orders", 1)
    assert spillring.info("orders")["journal_bytes"] > 0
    spillring("set", "orders", "group-expiry=10ms")
    eventually(lambda: list(groups(spillring, "orders")) == ["fast"], "the other is gone")
    eventually(lambda: spillring.info("orders")["journal_bytes"] == 0, "and what was kept for it")


@pytest.mark.parametrize("value, why", [("1us", "at least 1 ms"), ("x", "duration")])
def test_a_time_that_cannot_be(spillring, value, why):
    outcome = spillring("create", "orders", "--group-expiry", value, code=64)
    assert why in outcome.err
