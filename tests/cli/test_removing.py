"""spillring purge and rm, and that they ask."""

import os
import pty

import pytest
from supervised import eventually
from failures import assert_failure


@pytest.fixture
def two(spillring):
    for name in ("one", "two"):
        spillring("create", name)
        spillring("send", name, "a", "b")
    return "one", "two"


def names(spillring):
    return [line.split("\t")[0] for line in spillring("ls", "--no-header").lines]


def answer(spillring, text, *arguments):
    """Runs the command with a terminal as stdin and types an answer."""
    master, slave = pty.openpty()
    process = spillring.start(*arguments, stdin=slave)
    os.close(slave)
    os.write(master, text)
    err = process.communicate()[1].decode()
    os.close(master)
    return process.returncode, err


def test_purge(spillring, two):
    assert spillring("purge", "one", "--yes").err == "purged 2 messages\n"
    assert spillring("recv", "one", code=1).out == ""
    assert spillring("recv", "two").out == "a\n"
    spillring("send", "one", "after")
    assert spillring("recv", "one").out == "after\n"


def test_purge_reaches_every_group(spillring, two):
    for group in ("x", "y"):
        spillring("recv", "one", "-g", group)
    spillring("purge", "one", "-y")
    for group in ("x", "y"):
        assert spillring("recv", "one", "-g", group, code=1).out == ""


def test_rm(spillring, two):
    spillring("rm", "one", "-y")
    assert names(spillring) == ["two"]
    spillring("create", "one")
    assert spillring.info("one")["messages"] == 0


def test_rm_of_several(spillring, two):
    spillring("rm", *two, "one", "--yes")
    assert names(spillring) == []


def test_rm_of_a_missing_one_removes_none(spillring, two):
    outcome = spillring("rm", "one", "tow", "two", "-y", code=69)
    assert_failure(outcome, "there is no queue 'tow'", hint="did you mean 'two'?")
    assert names(spillring) == ["one", "two"]


def test_rm_if_exists(spillring, two):
    spillring("rm", "one", "nothing", "-y", "--if-exists")
    assert names(spillring) == ["two"]
    spillring("rm", "one", "-y", "--if-exists")


def test_without_a_terminal_they_want_yes(spillring, two):
    for verb in ("purge", "rm"):
        outcome = spillring(verb, "one", code=64)
        assert_failure(outcome, "needs a confirmation", hint="--yes")
    assert spillring.info("one")["messages"] == 2


@pytest.mark.parametrize("text", [b"n\n", b"\n", b"no\n", b"\x04"])
def test_no_changes_nothing(spillring, two, text):
    code, err = answer(spillring, text, "purge", "one")
    assert code == 1
    assert err == "discard the 2 messages of queue 'one'? [y/N] nothing was changed\n"
    code, err = answer(spillring, text, "rm", "one", "two")
    assert code == 1
    assert err == "remove 'one', 'two' with 4 messages? [y/N] nothing was changed\n"
    assert spillring.info("one")["messages"] == 2


@pytest.mark.parametrize("text", [b"y\n", b"yes\n"])
def test_yes_at_the_terminal(spillring, two, text):
    assert answer(spillring, text, "purge", "one")[0] == 0
    assert spillring.info("one")["messages"] == 0
    assert answer(spillring, text, "rm", "one")[0] == 0
    assert names(spillring) == ["two"]


def test_a_waiting_receiver_learns_that_its_queue_is_gone(spillring, orders):
    receiver = spillring.start("recv", orders, "-t", "inf")
    eventually(lambda: spillring.info(orders)["consumers"] == 1, "the receiver is attached")
    spillring("rm", orders, "-y")
    err = receiver.communicate()[1].decode()
    assert receiver.returncode == 69
    assert err.startswith("error: cannot receive from 'orders'\n")
