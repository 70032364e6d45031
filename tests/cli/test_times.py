"""Messages that are delivered within a time, and then no more."""

import json
import time

from failures import assert_failure
from supervised import eventually


def let_it_pass():
    time.sleep(0.05)


def test_what_is_too_late_is_not_delivered(spillring, orders):
    spillring("send", orders, "late", "late", "--ttl", "1ms")
    spillring("send", orders, "good", "--ttl", "1h")
    let_it_pass()
    seen = spillring("peek", orders, "--json").envelopes
    assert [(each["payload"], each["ttl"], each.get("expired")) for each in seen] == [
        ("late", 0.001, True), ("late", 0.001, True), ("good", 3600, None)]
    assert spillring("recv", orders, "--all").lines == ["good"]
    [group] = spillring.info(orders)["group_list"]
    assert group["expired"] == 2
    assert spillring.count(orders) == 0


def test_it_becomes_a_dead_letter(spillring):
    spillring("create", "dead")
    spillring("create", "jobs", "--dead-letter", "dead")
    spillring("send", "jobs", "late", "--key", "k", "--ttl", "1ms")
    let_it_pass()
    spillring("recv", "jobs", code=1)
    eventually(lambda: spillring.count("dead") == 1, "it is a dead letter")
    [letter] = spillring("peek", "dead", "--json").envelopes
    assert (letter["payload"], letter["key"]) == ("late", "k")
    assert letter["headers"]["spillring-reason"] == "expired"
    assert "ttl" not in letter
    spillring("move", "dead", "jobs")
    assert spillring("recv", "jobs").lines == ["late"]


def test_a_queue_has_a_default(spillring):
    spillring("create", "q", "--ttl", "30s")
    assert spillring.info("q")["ttl"] == 30
    spillring("send", "q", "a")
    spillring("send", "q", "b", "--ttl", "inf")
    assert spillring("set", "q", "ttl=2m").lines == ["ttl: 30s -> 2m"]
    spillring("send", "q", "c")
    assert spillring("set", "q", "ttl=0", "--json").json["changes"] == {"ttl": {"before": 120, "after": 0}}
    spillring("send", "q", "d")
    seen = spillring("peek", "q", "--json").envelopes
    assert [each.get("ttl") for each in seen] == [30, None, 120, None]


def test_one_that_is_too_short_is_refused(spillring):
    outcome = spillring("create", "q", "--ttl", "1us", code=64)
    assert_failure(outcome, "the ttl is too short")


def test_copies_have_it_too(spillring, orders):
    spillring("send", orders, "a", "--ttl", "1.5h")
    spillring("send", orders, "b")
    lines = spillring("peek", orders, "--json").out
    spillring("create", "copy")
    spillring("send", "copy", "--json", stdin=lines)
    spillring("create", "further")
    spillring("move", "copy", "further")
    got = spillring("recv", "further", "--all", "--json").envelopes
    assert [each.get("ttl") for each in got] == [5400, None]


def test_an_envelope_with_a_wrong_one_is_refused(spillring, orders):
    for ttl in ("soon", 0, -1, True):
        line = json.dumps({"payload": "x", "ttl": ttl})
        outcome = spillring("send", orders, "--json", stdin=line, code=65)
        assert_failure(outcome, "line 1 is not an envelope")
        assert "ttl" in outcome.err
    outcome = spillring("send", orders, "--json", "--ttl", "1s", stdin="", code=64)
    assert_failure(outcome, "do not go together")


def test_the_journal_shows_it(serve, tmp_path):
    command, _ = serve("--state-dir", tmp_path / "state")
    command("create", "kept", "--durability", "disk")
    command("send", "kept", "a", "--ttl", "1h", "--durable")
    assert json.loads(command("journal", "cat", "kept", "--json", "--state-dir", tmp_path / "state").out)["ttl"] == 3600


def test_stat_counts(spillring, orders):
    spillring("send", orders, "late", "late", "--ttl", "1ms")
    let_it_pass()
    process = spillring.start("stat", orders, "-i", "50ms", "-o", "ndjson")
    rows = [json.loads(process.stdout.readline())]
    spillring("recv", orders, code=1)
    # A group counts from the first line on that has it.
    spillring("send", orders, "late", "--ttl", "1ms")
    let_it_pass()
    spillring("recv", orders, code=1)

    def counted():
        rows.append(json.loads(process.stdout.readline()))
        return round(sum(row["expired_per_second"] * row["seconds"] for row in rows)) == 3

    eventually(counted, "all are counted")


def test_moments_that_no_clock_here_comes_to_are_none(spillring, orders):
    """Nanoseconds since 1970 in 64 bits end in 2554; what wrapped would be a moment long past."""
    spillring("send", orders, "one")
    spillring("recv", orders)
    for moment in ("2555-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z", "1969-12-31T23:59:59Z"):
        assert_failure(spillring("seek", orders, "--to", moment, code=64), "is no place in a queue")
    spillring("seek", orders, "--to", "2553-12-31T00:00:00Z")
