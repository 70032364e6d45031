"""spillring recv and peek: what comes out, and what stays."""

import pytest
from supervised import eventually
from failures import assert_failure


@pytest.fixture
def five(spillring, orders):
    spillring("send", orders, "a", "b", "c", "d", "e")
    return orders


def left(spillring, queue):
    outcome = spillring("peek", queue, code=None)
    assert outcome.code == (0 if outcome.bytes else 1)
    return outcome.out.replace("\n", "")


def test_one_message_by_default(spillring, five):
    assert spillring("recv", five).out == "a\n"
    assert left(spillring, five) == "bcde"


def test_as_many_as_asked_for(spillring, five):
    assert spillring("recv", five, "-n", "3").out == "a\nb\nc\n"
    assert left(spillring, five) == "de"
    assert spillring("recv", five, "-n", "100").out == "d\ne\n"
    assert left(spillring, five) == ""


def test_all(spillring, five):
    assert spillring("recv", five, "--all").out == "a\nb\nc\nd\ne\n"
    assert spillring("recv", five, "--all", code=1).out == ""


def test_what_was_not_taken_was_not_touched(spillring, five):
    for options in ([], ["-n", "2"]):
        spillring("recv", five, *options)
    envelopes = spillring("recv", five, "--json", "-n", "2").envelopes
    assert [envelope["deliveries"] for envelope in envelopes] == [1, 1]


def test_an_empty_queue_is_exit_code_1(spillring, orders):
    for options in ([], ["-n", "5"], ["--all"], ["-t", "20ms"]):
        outcome = spillring("recv", orders, *options, code=1)
        assert (outcome.out, outcome.err) == ("", "")


@pytest.mark.parametrize("wait", ["inf", "50s", "1h"])
def test_waits_for_a_message(spillring, orders, wait):
    receiver = spillring.start("recv", orders, "-t", wait)
    eventually(lambda: spillring.info(orders)["consumers"] == 1, "the receiver is attached")
    spillring("send", orders, "awaited")
    out, err = receiver.communicate()
    assert (receiver.returncode, out, err) == (0, b"awaited\n", b"")


def test_groups_are_independent(spillring, orders):
    for group in ("one", "two"):
        spillring("recv", orders, "-g", group, code=1)
    five = orders
    spillring("send", five, *"abcde")
    assert spillring("recv", five, "-g", "one", "-n", "2").out == "a\nb\n"
    assert spillring("recv", five, "-g", "two", "-n", "1").out == "a\n"
    assert spillring("recv", five, "-g", "one", "-n", "1").out == "c\n"
    groups = {group["name"]: group["lag"] for group in spillring.info(five)["group_list"]}
    assert groups == {"one": 2, "two": 4}


def test_no_ack_leaves_messages_where_they_are(spillring, five):
    assert spillring("recv", five, "--no-ack").out == "a\n"
    assert spillring("recv", five, "--no-ack", "-n", "3").out == "a\nb\nc\n"
    assert spillring("recv", five, "--no-ack", "--all").out == "a\nb\nc\nd\ne\n"
    envelopes = spillring("recv", five, "--all", "--json").envelopes
    assert [envelope["payload"] for envelope in envelopes] == list("abcde")
    assert envelopes[0]["deliveries"] == 4 and envelopes[4]["deliveries"] >= 2


def test_no_ack_of_very_many(spillring):
    """Many times what a member claims ahead; as many as a group may have unacknowledged."""
    spillring("create", "many")
    lines = "".join(f"{number}\n" for number in range(50_000))
    spillring("send", "many", stdin=lines)
    assert spillring("recv", "many", "--all", "--no-ack").out == lines
    assert spillring("recv", "many", "--all").out == lines


def test_delimiters(spillring, five):
    assert spillring("recv", five, "-n", "2", "-D", ", ").out == "a, b, "
    assert spillring("recv", five, "-n", "2", "-0").out == "c\0d\0"
    assert spillring("recv", five, "-D", r"\x00\n").out == "e\0\n"


def test_raw_is_the_payload_and_nothing_else(spillring, five):
    assert spillring("recv", five, "-n", "5", "-o", "raw").out == "abcde"


def test_envelopes(spillring, orders):
    spillring("send", orders, "hello", "--key", "k", "-H", "a=b")
    for output in ("json", "ndjson"):
        outcome = spillring("recv", orders, "--no-ack", "-o", output)
        envelope, = outcome.envelopes
        assert outcome.out.count("\n") == 1
        assert list(envelope) == ["queue", "seq", "ts", "key", "headers", "size", "payload",
                                  "deliveries"]
        assert envelope["ts"].endswith("Z") and len(envelope["ts"]) == 30
        assert (envelope["queue"], envelope["seq"]) == (orders, 1)
        assert (envelope["key"], envelope["headers"]) == ("k", {"a": "b"})
        assert (envelope["payload"], envelope["size"]) == ("hello", 5)


def test_peek_never_consumes(spillring, five):
    for _ in range(2):
        assert spillring("peek", five).out == "a\nb\nc\nd\ne\n"
        assert spillring("peek", five, "-n", "2").out == "a\nb\n"
    assert spillring.info(five)["groups"] == 0
    envelope = spillring("recv", five, "--json").envelopes[0]
    assert envelope["deliveries"] == 1


def test_peek_from_a_sequence(spillring, five):
    assert spillring("peek", five, "--seq", "3").out == "c\nd\ne\n"
    assert spillring("peek", five, "--seq", "2", "-n", "2").out == "b\nc\n"
    assert spillring("peek", five, "--seq", "0", "-n", "1").out == "a\n"
    assert spillring("peek", five, "--seq", "6", code=1).out == ""


def test_peek_raw_and_delimiters(spillring, five):
    assert spillring("peek", five, "-o", "raw").out == "abcde"
    assert spillring("peek", five, "-D", ";").out == "a;b;c;d;e;"


def test_peek_of_an_empty_queue_is_exit_code_1(spillring, orders):
    assert spillring("peek", orders, code=1).out == ""


def test_peek_shows_more_than_it_copies_at_once(spillring, orders):
    lines = "".join(f"{number}\n" for number in range(1000))
    spillring("send", orders, stdin=lines)
    assert spillring("peek", orders).out == lines
    assert spillring("peek", orders, "-n", "700").out == lines[: lines.index("700\n")]


def test_a_table_is_no_way_to_print_messages(spillring, five):
    for verb in ("recv", "peek", "drain"):
        for output in ("table", "tsv"):
            outcome = spillring(verb, five, "-o", output, code=64)
            assert_failure(outcome, f"'{verb}' cannot write '-o {output}'")
    assert left(spillring, five) == "abcde"


def test_closed_streams(spillring, five):
    """No other file may take their place."""
    done = spillring.shell("$spillring recv orders >&-")
    assert done.returncode == 74
    assert done.stderr.startswith(b"error: cannot write to stdout\n  why: Bad file descriptor")
    assert spillring.shell("$spillring send orders f <&- >&- 2>&-").returncode == 0
    assert spillring.shell("$spillring send orders <&-").returncode == 74
    assert left(spillring, five) == "abcdef"


def test_output_that_cannot_be_written(spillring, five):
    with open("/dev/full", "wb") as full:
        receiver = spillring.start("recv", five, stdout=full)
        err = receiver.communicate()[1].decode()
    assert receiver.returncode == 74
    assert err.startswith("error: cannot write to stdout\n  why: No space left")
    assert left(spillring, five) == "abcde"
