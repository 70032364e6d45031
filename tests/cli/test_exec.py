"""spillring recv --exec: a command for each message."""

import signal
import time

from failures import assert_failure
from supervised import eventually


def test_acknowledges_what_its_command_has_done(spillring, orders, tmp_path):
    spillring("send", orders, "a", "b", "c")
    outcome = spillring("recv", orders, "--all", "--exec", f"cat >> {tmp_path}/done")
    assert (outcome.out, outcome.err) == ("", "")
    assert (tmp_path / "done").read_text() == "abc"
    assert spillring.count(orders) == 0


def test_takes_one_without_a_number(spillring, orders):
    spillring("send", orders, "a", "b")
    assert spillring("recv", orders, "--exec", "cat").out == "a"
    assert spillring("recv", orders, "--all").lines == ["b"]


def test_hands_back_what_failed_and_ends(spillring, orders):
    spillring("send", orders, "good", "bad", "later")
    outcome = spillring("recv", orders, "--all", "--exec", "! grep -q bad", code=3)
    assert outcome.err == "message 2 was handed back: the command ended with 1\n"
    again = spillring("recv", orders, "--all", "--json").envelopes
    assert [(e["payload"], e["deliveries"]) for e in again] == [("bad", 2), ("later", 1)]


def test_a_command_that_was_killed_has_failed(spillring, orders):
    spillring("send", orders, "x")
    outcome = spillring("recv", orders, "--exec", "kill -9 $$", code=3)
    assert "ended with 137" in outcome.err
    assert spillring.count(orders) == 1


def test_of_nothing(spillring, orders, tmp_path):
    spillring("recv", orders, "--exec", f"touch {tmp_path}/ran", code=1)
    assert not (tmp_path / "ran").exists()


def test_the_environment_says_which_message_it_is(spillring, orders):
    spillring("send", orders, "x", "--key", "k1")
    spillring("send", orders, "y")
    show = 'echo "$SPILLRING_QUEUE $SPILLRING_SEQ $SPILLRING_DELIVERIES ${SPILLRING_KEY-none}"'
    outcome = spillring("recv", orders, "--all", "--exec", show)
    assert outcome.lines == ["orders 1 1 k1", "orders 2 1 none"]


def test_bytes_of_any_kind_and_size(spillring, orders, tmp_path):
    payload = bytes(range(256)) * 15_000
    spillring("send", orders, "-f", "-", stdin=payload)
    spillring("recv", orders, "--exec", f"cat > {tmp_path}/out")
    assert (tmp_path / "out").read_bytes() == payload
    spillring("send", orders, "-f", "-", stdin=payload)
    spillring("recv", orders, "--exec", "exec < /dev/null")  # reads none of it
    assert spillring.count(orders) == 0


def test_a_reader_that_leaves_is_a_signal_to_the_command(spillring, orders):
    spillring("send", orders, "x")
    outcome = spillring("recv", orders, "--exec", "yes | head -n 1")
    assert outcome.out == "y\n"


def test_several_share_the_work(spillring, orders, tmp_path):
    """A command that takes long holds one message, not those behind it."""
    spillring("send", orders, "slow", "quick")
    slow = spillring.start("recv", orders, "--exec", f"touch {tmp_path}/began; sleep 1000")
    eventually(lambda: (tmp_path / "began").exists(), "the first works")
    assert spillring("recv", orders, "--exec", "cat").out == "quick"
    slow.kill()


def test_interrupted(spillring, orders, tmp_path):
    spillring("send", orders, "x")
    process = spillring.start("recv", orders, "--exec", f"touch {tmp_path}/began; sleep 2")
    eventually(lambda: (tmp_path / "began").exists(), "the command runs")
    start = time.monotonic()
    process.send_signal(signal.SIGINT)
    assert process.wait() == 130
    assert time.monotonic() - start < 60
    assert spillring.count(orders) == 0  # the command was not sent the signal, and did its work


def test_usage(spillring, orders):
    outcome = spillring("recv", orders, "--exec", "true", "--no-ack", code=64)
    assert_failure(outcome, "--no-ack")


def test_what_failed_comes_again_after_the_delay(spillring, orders):
    spillring("send", orders, "bad", "good")
    failed = time.monotonic()
    spillring("recv", orders, "--exec", "false", "--retry-delay", "2s", code=3)
    assert spillring("recv", orders, "--exec", "cat").out == "good"
    again = spillring("recv", orders, "-t", "60s", "--json").envelopes
    assert time.monotonic() - failed >= 2
    assert [(e["payload"], e["deliveries"]) for e in again] == [("bad", 2)]


def test_a_delay_that_cannot_be(spillring, orders):
    spillring("send", orders, "x")
    outcome = spillring("recv", orders, "--exec", "false", "--retry-delay", "73h", code=64)
    assert_failure(outcome, "--retry-delay", "72h")
    outcome = spillring("recv", orders, "--retry-delay", "5s", code=64)
    assert "--retry-delay requires --exec" in outcome.err
    assert spillring.count(orders) == 1
