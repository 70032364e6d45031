"""What people see: a real terminal on stdout or stderr."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios

import pytest
from supervised import PATIENCE


def on_terminal(spillring, *arguments, columns=200, environment=None, stream="stdout"):
    """Runs the command with a terminal as stdout or stderr; returns what it shows."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL,
               "stderr": subprocess.DEVNULL, stream: slave}
    process = subprocess.Popen(
        spillring.argv(*arguments), env={**spillring.environment, **(environment or {})}, **streams
    )
    os.close(slave)
    shown = b""
    while True:
        try:
            piece = os.read(master, 65536)
        except OSError:  # EIO: nobody has the terminal any more
            break
        if not piece:
            break
        shown += piece
    os.close(master)
    assert process.wait(PATIENCE) == 0
    return shown.decode().replace("\r\n", "\n")


@pytest.fixture
def queues(spillring):
    spillring("create", "orders")
    spillring("create", "a-much-longer-name-than-that", "--capacity", "1.5MiB")
    spillring("send", "orders", "x" * 3000)


def test_ls_is_an_aligned_table_without_borders(spillring, queues):
    shown = on_terminal(spillring, "ls", environment={"NO_COLOR": "1"})
    lines = shown.splitlines()
    assert "\t" not in shown and "|" not in shown and "\x1b" not in shown
    starts = lines[0].index("STATE")
    assert all(line[starts:].startswith(("STATE", "ok")) for line in lines)
    end = lines[0].index("CAPACITY") + len("CAPACITY")
    assert lines[1][:end].endswith(" 1.5 MiB") and lines[2][:end].endswith(" 16 MiB")
    assert all(line == line.rstrip() for line in lines)


def test_only_the_state_has_a_colour(spillring, queues):
    shown = on_terminal(spillring, "ls")
    assert shown.count("\x1b[32mok\x1b[0m") == 2
    assert shown.count("\x1b[") == 4
    plain = shown.replace("\x1b[32m", "").replace("\x1b[0m", "")
    assert plain == on_terminal(spillring, "ls", environment={"NO_COLOR": "1"})


def test_no_colours_where_they_are_not_wanted(spillring, queues):
    for environment in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        assert "\x1b" not in on_terminal(spillring, "ls", environment=environment)
    assert "\x1b" in on_terminal(spillring, "ls", environment={"NO_COLOR": ""})


def test_a_narrow_terminal_cuts_names_only(spillring, queues):
    wide = on_terminal(spillring, "ls", environment={"NO_COLOR": "1"}).splitlines()
    columns = max(map(len, wide)) - 10
    narrow = on_terminal(spillring, "ls", columns=columns, environment={"NO_COLOR": "1"})
    assert max(map(len, narrow.splitlines())) == columns
    assert "…" in narrow and "orders " in narrow
    assert [line.split()[1:] for line in narrow.splitlines()] == [line.split()[1:] for line in wide]


def test_tabs_on_a_terminal_when_asked_for(spillring, queues):
    shown = on_terminal(spillring, "ls", "-o", "tsv", "orders")
    assert shown.splitlines()[1].startswith("orders\tok\t1\t")
    assert "\x1b" not in shown


def test_info_on_a_terminal(spillring, queues):
    spillring("recv", "orders", "--no-ack")
    shown = on_terminal(spillring, "info", "orders", environment={"NO_COLOR": "1"})
    assert re.search(r"^capacity +16 MiB$", shown, re.MULTILINE)
    assert re.search(r"^stall_timeout +1s$", shown, re.MULTILINE)
    assert "\nGROUP    KIND" in shown


def test_messages_on_a_terminal_are_the_same(spillring, orders):
    spillring("send", orders, "hello")
    assert on_terminal(spillring, "peek", orders) == "hello\n"


def test_send_reports_on_a_terminal_only(spillring, orders):
    shown = on_terminal(spillring, "send", orders, "abc", "de", stream="stderr")
    assert shown == "sent 2 messages, 5 bytes\n"
    assert on_terminal(spillring, "send", orders, "m", "-q", stream="stderr") == ""
    assert spillring("send", orders, "m").err == ""


def test_json_on_a_terminal_is_json(spillring, queues):
    assert on_terminal(spillring, "ls", "--json").startswith('{\n  "schema": "spillring.queues.v1"')


def test_drain_shows_how_far_it_is(spillring):
    spillring("create", "slow")
    spillring("send", "slow", "x", "-n", "20", "--rate", "20/s")
    shown = on_terminal(spillring, "drain", "slow", "--speed", "1x", stream="stderr")
    assert re.search(r"drained \[#+-+\] [1-9]\d? of 20 messages \(\d+%\), .*, \d+/s, \S+ left\x1b\[K", shown)
    assert shown.endswith("\r\x1b[Kdrained 20 messages, 20 bytes\n")


def test_move_shows_how_far_it_is(spillring):
    spillring("create", "slow")
    spillring("send", "slow", "x", "-n", "20", "--rate", "20/s")
    shown = on_terminal(
        spillring, "move", "slow", "other", "--create", "--speed", "1x", stream="stderr"
    )
    assert "moved " in shown and " of 20 messages (" in shown


@pytest.mark.parametrize("how", [["-q"], []])
def test_no_progress_where_nobody_could_see_it(spillring, how):
    spillring("create", "slow")
    spillring("send", "slow", "x", "-n", "10", "--rate", "20/s")
    environment = {} if how else {"TERM": "dumb"}
    shown = on_terminal(spillring, "drain", "slow", "--speed", "1x", *how, stream="stderr",
                        environment=environment)
    assert "\x1b" not in shown and " of " not in shown
