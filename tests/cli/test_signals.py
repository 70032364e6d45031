"""Readers that leave, Ctrl-C and kill -9: what was not written is still there."""

import array
import fcntl
import os
import signal
import subprocess
import termios

import pytest
from supervised import eventually

COUNT = 50_000
LINES = [f"{number:06d} {'x' * 40}" for number in range(COUNT)]
LINE = len(LINES[0]) + 1


@pytest.fixture
def logs(spillring):
    spillring("create", "logs")
    spillring("send", "logs", stdin="\n".join(LINES))
    return "logs"


def in_pipe(fd):
    """Bytes waiting in a pipe."""
    count = array.array("i", [0])
    fcntl.ioctl(fd, termios.FIONREAD, count)
    return count[0]


def fill_pipe(spillring, *arguments):
    """Starts a command whose stdout nobody reads; returns it and the pipe when that is full."""
    reader, writer = os.pipe()
    process = spillring.start(*arguments, stdout=writer)
    os.close(writer)
    capacity = fcntl.fcntl(reader, fcntl.F_GETPIPE_SZ)
    # Whole pages: a last one may have no room for a next piece.
    eventually(lambda: in_pipe(reader) > capacity - 8192, "the pipe is full")
    return process, reader


def read_rest(fd):
    data = b""
    while piece := os.read(fd, 1 << 16):
        data += piece
    os.close(fd)
    return data.decode()


def rest_of(spillring, queue, wait="100ms"):
    return spillring("recv", queue, "--all", "-t", wait, code=None).lines


@pytest.mark.parametrize("verb", [["recv", "--all"], ["drain", "-q"], ["recv", "--all", "--json"]])
def test_a_reader_that_leaves_loses_nothing(spillring, logs, verb):
    process, reader = fill_pipe(spillring, verb[0], logs, *verb[1:])
    first = os.read(reader, 1000)
    assert first
    unread = in_pipe(reader)
    os.close(reader)
    err = process.communicate()[1]
    assert (process.returncode, err) == (0, b"")
    rest = rest_of(spillring, logs)
    # What is left is the whole end of the text, and begins within what the pipe took.
    assert rest == LINES[COUNT - len(rest):]
    taken = COUNT - len(rest)
    size = LINE if "--json" not in verb else 1
    assert 0 < taken * size <= len(first) + unread + 8192


def test_head(spillring, logs):
    done = spillring.shell("$spillring recv logs --all | head -1")
    assert (done.returncode, done.stdout.decode(), done.stderr) == (0, LINES[0] + "\n", b"")
    rest = rest_of(spillring, logs)
    assert rest == LINES[COUNT - len(rest):] and 0 < len(rest) < COUNT


def test_peek_and_ls_into_a_closed_pipe(spillring, logs):
    for arguments in ("peek logs", "ls", "info logs --json", "--help"):
        done = spillring.shell(f"$spillring {arguments} | true")
        assert (done.returncode, done.stderr) == (0, b"")
    assert spillring.count(logs) == COUNT


def test_ctrl_c_while_waiting(spillring, orders):
    for verb in (["recv", orders, "-t", "inf"], ["drain", orders, "--idle", "inf", "-q"]):
        process = spillring.start(*verb)
        eventually(lambda: spillring.info(orders)["consumers"] == 1, "it is attached")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
        assert (process.returncode, out, err) == (130, b"", b"")
        eventually(lambda: spillring.info(orders)["consumers"] == 0, "it is gone")


def test_ctrl_c_while_sending(spillring, orders):
    process = spillring.start("send", orders, stdin=subprocess.PIPE)
    process.stdin.write(b"first\nhalf a li")
    process.stdin.flush()
    eventually(lambda: spillring.count(orders) == 1, "the line is there")
    process.send_signal(signal.SIGINT)
    process.communicate()
    assert process.returncode == 130
    assert spillring("recv", orders, "--all").out == "first\n"


def test_ctrl_c_while_waiting_for_room(spillring):
    spillring("create", "small", "--slots", "64")
    process = spillring.start("send", "small", stdin=subprocess.PIPE)
    process.stdin.write("".join(f"{number}\n" for number in range(1000)).encode())
    process.stdin.flush()
    eventually(lambda: spillring.count("small") > 0, "it sends")
    process.send_signal(signal.SIGINT)
    process.communicate()
    assert process.returncode == 130
    sent = rest_of(spillring, "small")
    assert sent == [str(number) for number in range(len(sent))]


@pytest.mark.parametrize("number, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_hands_back_what_was_not_written(spillring, logs, number, code):
    process, reader = fill_pipe(spillring, "recv", logs, "--all")
    process.send_signal(number)
    process.communicate()
    assert process.returncode == code
    written = read_rest(reader)
    whole = written[: written.rindex("\n") + 1].splitlines()
    rest = rest_of(spillring, logs)
    assert whole + rest == LINES


def test_kill_9_redelivers(spillring, logs):
    process, reader = fill_pipe(spillring, "recv", logs, "--all")
    process.kill()
    process.communicate()
    written = read_rest(reader).split("\n")[:-1]
    eventually(lambda: spillring.info(logs)["consumers"] == 0, "the death is noticed")
    envelopes = spillring("recv", logs, "--all", "--json", "-t", "100ms").envelopes
    rest = [envelope["payload"] for envelope in envelopes]
    # Nothing is lost and nothing comes out of order; what was in hand comes again.
    assert rest == LINES[COUNT - len(rest):]
    assert len(written) + len(rest) >= COUNT
    assert envelopes[0]["deliveries"] == 2
    assert envelopes[-1]["deliveries"] == 1


def test_kill_9_of_a_sender_keeps_what_it_sent(spillring, orders):
    process = spillring.start("send", orders, stdin=subprocess.PIPE)
    process.stdin.write(b"first\nsecond\nhalf a li")
    process.stdin.flush()
    eventually(lambda: spillring.count(orders) == 2, "the lines are there")
    process.kill()
    process.communicate()
    spillring("send", orders, "after")
    assert spillring("recv", orders, "--all").out == "first\nsecond\nafter\n"


def test_a_lease_that_ran_out_is_reported(spillring):
    spillring("create", "leased", "--lease", "10ms")
    spillring("send", "leased", stdin="\n".join(LINES[:5000]))
    process, reader = fill_pipe(spillring, "recv", "leased", "--all")
    # Another member waits for what the first one holds and cannot write.
    taken = rest_of(spillring, "leased", wait="2s")
    first = read_rest(reader).splitlines()
    err = process.communicate()[1].decode()
    assert process.returncode == 0
    assert set(first) | set(taken) == set(LINES[:5000])
    stale = len(set(first) & set(taken))
    assert stale > 0
    assert err == f"warning: {stale} messages took longer than the lease and will be delivered again\n"
