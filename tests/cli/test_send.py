"""spillring send: where messages come from."""

import os
import subprocess

import pytest
from supervised import eventually
from failures import assert_failure


def payloads(spillring, queue):
    """All payloads of a queue, however they look."""
    return [envelope["payload"] for envelope in spillring("peek", queue, "--json").envelopes]


@pytest.mark.parametrize(
    "message",
    ["", "hello", "{}", "[1,2,3]", "[a]", "++", "%%", "-", "-1", "a=b", "ls", "{\"a\": [1]}", "ä€😀",
     "two\nlines", "\x1bas-is:x", "@file", "*"],
)
def test_an_argument_is_a_message_as_it_is(spillring, orders, message):
    spillring("send", orders, message)
    assert payloads(spillring, orders) == [message]


def test_arguments_after_two_dashes_are_messages(spillring, orders):
    spillring("send", orders, "--", "-x", "--key", "--", "++", "[1]")
    assert payloads(spillring, orders) == ["-x", "--key", "--", "++", "[1]"]


def test_options_may_follow_messages(spillring):
    spillring("send", "hi", "hello", "--create", "--key", "[k]", "world")
    envelopes = spillring("peek", "hi", "--json").envelopes
    assert [(e["payload"], e["key"]) for e in envelopes] == [("hello", "[k]"), ("world", "[k]")]


def test_lines_of_stdin(spillring, orders):
    spillring("send", orders, stdin="a\n\nlast line without its end")
    assert payloads(spillring, orders) == ["a", "", "last line without its end"]


def test_nothing_on_stdin_is_no_message(spillring, orders):
    spillring("send", orders, stdin="")
    assert spillring.info(orders)["messages"] == 0


@pytest.mark.parametrize(
    "options, text, expected",
    [
        (["-D", ","], b"a,b\n,", ["a", "b\n"]),
        (["-D", r"\t"], b"a\tb", ["a", "b"]),
        (["-D", r"\x1e"], b"a\x1eb\x1e", ["a", "b"]),
        (["--delimiter=--"], b"a-b--c", ["a-b", "c"]),
        (["-D", "aab"], b"aaabxaab", ["a", "x"]),
        (["-D", "[]"], b"a[]b", ["a", "b"]),
        (["-0"], b"a\nb\0c\0", ["a\nb", "c"]),
    ],
)
def test_other_delimiters(spillring, orders, options, text, expected):
    spillring("send", orders, *options, stdin=text)
    assert payloads(spillring, orders) == expected


def test_a_delimiter_across_two_reads(spillring, orders):
    """The reader takes 1 MiB at a time; the two bytes lie on both sides of the border."""
    text = b"".join(b"%07d\r\n" % number for number in range(300_000))
    sent = spillring("create", "big", "--capacity", "256MiB", "--slots", "1048576")
    sent = spillring("send", "big", "-D", r"\r\n", stdin=text)
    assert sent.code == 0
    assert spillring("drain", "big", "-D", r"\r\n").bytes == text


def test_lines_go_out_as_they_come(spillring, orders):
    """A sender at the end of a pipe must not keep a line until more come."""
    sender = spillring.start("send", orders, stdin=subprocess.PIPE)
    for number in range(3):
        sender.stdin.write(b"line %d\n" % number)
        sender.stdin.flush()
        eventually(lambda: spillring.count(orders) == number + 1, "the line is there")
    sender.stdin.close()
    assert sender.wait() == 0


def test_a_file_is_one_message(spillring, orders, tmp_path):
    binary = bytes(range(256)) * 1000
    (tmp_path / "binary").write_bytes(binary)
    (tmp_path / "empty").write_bytes(b"")
    spillring("send", orders, "-f", tmp_path / "binary", "-f", tmp_path / "empty")
    assert spillring.count(orders) == 2
    assert spillring("recv", orders, "-o", "raw").bytes == binary
    assert spillring("recv", orders, "-o", "raw").bytes == b""


def test_all_of_stdin_as_one_message(spillring, orders, tmp_path):
    binary = os.urandom(200_000)
    spillring("send", orders, "-f", "-", stdin=binary)
    assert spillring("recv", orders, "-o", "raw").bytes == binary
    (tmp_path / "file").write_bytes(binary)
    with open(tmp_path / "file", "rb") as file:
        assert spillring.start("send", orders, "-f", "-", stdin=file).wait() == 0
    assert spillring("recv", orders, "-o", "raw").bytes == binary


def test_a_file_that_does_not_know_its_size(spillring, orders):
    spillring("send", orders, "-f", "/proc/version")
    with open("/proc/version", "rb") as file:
        assert spillring("recv", orders, "-o", "raw").bytes == file.read()


def test_the_largest_file_is_a_quarter_of_the_capacity(spillring, tmp_path):
    spillring("create", "q", "--capacity", "1MiB")
    largest = spillring.info("q")["largest"]
    (tmp_path / "fits").write_bytes(b"x" * largest)
    (tmp_path / "larger").write_bytes(b"x" * (largest + 1))
    spillring("send", "q", "-f", tmp_path / "fits")
    assert len(spillring("recv", "q", "-o", "raw").bytes) == largest
    outcome = spillring("send", "q", "-f", tmp_path / "fits", "-f", tmp_path / "larger", code=65)
    assert_failure(outcome, "too large for queue 'q'")
    assert spillring.count("q") == 0


def test_key_and_headers(spillring, orders):
    spillring("send", orders, "m", "--key", "k", "-H", "a=b", "-H", "empty=", "--header", "c=d=e")
    envelope = spillring("peek", orders, "--json").envelopes[0]
    assert envelope["key"] == "k"
    assert list(envelope["headers"].items()) == [("a", "b"), ("empty", ""), ("c", "d=e")]


def test_an_empty_key_is_a_key(spillring, orders):
    spillring("send", orders, "m", "--key=", "n")
    spillring("send", orders, "o")
    keys = [envelope["key"] for envelope in spillring("peek", orders, "--json").envelopes]
    assert keys == ["", "", None]


def test_create_makes_a_missing_queue_only(spillring, orders):
    spillring("send", "fresh", "m", "--create")
    spillring("send", orders, "m", "--create")
    assert spillring.info("fresh")["capacity"] == 16 << 20
    assert spillring.info(orders)["messages"] == 1


def fill(spillring, policy):
    spillring("create", "small", "--slots", "64", "--full", policy)
    lines = "".join(f"{number}\n" for number in range(1000))
    outcome = spillring("send", "small", "--no-wait", stdin=lines, code=75)
    held = spillring.count("small")
    assert 0 < held < 1000
    assert_failure(outcome, f"queue 'small' is full ({held} sent before)")
    return held


@pytest.mark.parametrize("policy", ["block", "reject"])
def test_a_queue_holds_no_more_messages_than_it_has_slots(spillring, policy):
    assert fill(spillring, policy) <= 64


@pytest.mark.parametrize("policy", ["block", "reject"])
def test_a_full_queue_keeps_what_it_has(spillring, policy):
    held = fill(spillring, policy)
    assert spillring("recv", "small", "--all").lines == [str(number) for number in range(held)]


def test_waiting_for_room_ends(spillring):
    fill(spillring, "block")
    assert_failure(spillring("send", "small", "x", "--wait", "50ms", code=75), "'small' is full")


def test_rejecting_does_not_wait(spillring):
    fill(spillring, "reject")
    assert_failure(spillring("send", "small", "x", code=75), "'small' is full")


def test_a_waiting_sender_goes_on_when_there_is_room(spillring):
    fill(spillring, "block")
    sender = spillring.start("send", "small", "late")
    eventually(lambda: spillring.info("small")["producers"] == 1, "the sender is attached")
    assert sender.poll() is None
    received = spillring("recv", "small", "--all").lines
    assert sender.wait() == 0
    received += spillring("recv", "small", "--all", code=None).lines
    assert (received[0], received[-1]) == ("0", "late")
