"""Queues that survive the death of everything, and history that is there to read again."""

import json
import os
import signal
import subprocess
import time

import pytest
from failures import assert_failure
from supervised import PATIENCE, Outcome, Supervisor, built, eventually


@pytest.fixture
def supervisor(tmp_path):
    supervisor = Supervisor(tmp_path / "socket", "--state-dir", str(tmp_path / "state"), "--segment-size", "1MiB")
    supervisor.start()
    yield supervisor
    supervisor.stop()


@pytest.fixture
def run(supervisor):
    def run(*arguments, text=None, code=0):
        command = [built("spillring"), "--socket", supervisor.socket, *map(str, arguments)]
        ended = subprocess.run(command, input=text and text.encode(), capture_output=True, timeout=PATIENCE)
        outcome = Outcome(ended.returncode, ended.stdout, ended.stderr)
        assert outcome.code == code, outcome.err
        return outcome
    return run


def info(run, queue):
    return json.loads(run("info", queue, "-o", "json").out)


def test_what_was_sent_durably_is_there_after_the_death_of_everything(supervisor, run):
    lines = "".join(f"{number} {'x' * (number % 500)}\n" for number in range(5000))
    run("create", "q", "--durability", "disk")
    for part in range(5):
        run("send", "q", "--durable", text=lines)
        supervisor.kill()
        supervisor.start()
        assert info(run, "q")["messages"] >= 5000 * (part + 1)
    assert run("drain", "q").out == lines * 5


def test_what_a_group_had_read_long_ago_is_not_delivered_again(supervisor, run):
    run("create", "q", "--durability", "disk")
    run("send", "q", "--durable", text="".join(f"{number}\n" for number in range(1000)))
    assert run("recv", "q", "-n", "700").out.split() == [str(number) for number in range(700)]
    state = os.path.join(os.path.dirname(supervisor.socket), "state", "catalogue")

    def floor():
        query = "import sqlite3,sys; print(*sqlite3.connect(sys.argv[1]).execute('SELECT floor FROM groups').fetchone())"
        return int(subprocess.run(["/usr/bin/python3", "-c", query, state], capture_output=True, text=True).stdout or 0)
    eventually(lambda: floor() > 700, "the group's position is in the catalogue")
    supervisor.kill()
    supervisor.start()
    assert run("drain", "q").out.split() == [str(number) for number in range(700, 1000)]


def test_while_the_supervisor_is_stopped_nothing_is_confirmed(supervisor, run):
    run("create", "q", "--durability", "disk")
    run("send", "q", "--durable", "first")
    supervisor_pid = supervisor.processes()["supervisor"]
    program = """
import sys, spillring
queue = spillring.connect(sys.argv[1], autostart=False).queue("q")
queue.put(b"second", durable=True)
print("ready", flush=True)
sys.stdin.readline()
try:
    queue.put(b"third", durable=True, timeout=0.3)
except spillring.InDoubt as error:
    print(error.code, flush=True)
sys.stdin.readline()
queue.flush(timeout=60)
print("flushed", flush=True)
"""
    with subprocess.Popen(["/usr/bin/python3", "-c", program, supervisor.socket], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True) as client:
        assert client.stdout.readline() == "ready\n"
        os.kill(supervisor_pid, signal.SIGSTOP)
        print(file=client.stdin, flush=True)
        assert client.stdout.readline() == "in_doubt\n"
        os.kill(supervisor_pid, signal.SIGCONT)
        print(file=client.stdin, flush=True)
        assert client.stdout.readline() == "flushed\n"
    assert run("drain", "q").out == "first\nsecond\nthird\n"


# Has `second` in memory only, and nobody to write it: supervisor and keeper, its other arguments, are stopped.
IN_MEMORY = """
import os, signal, sys, spillring
queue = spillring.connect(sys.argv[1], autostart=False).queue("q")
queue.put(b"first", durable=True)
os.kill(int(sys.argv[2]), signal.SIGSTOP)
os.kill(int(sys.argv[3]), signal.SIGSTOP)
queue.put(b"second")
"""


def python(supervisor, program):
    processes = supervisor.processes()
    return ["/usr/bin/python3", "-c", program, supervisor.socket, str(processes["supervisor"]), str(processes["keeper"])]


def test_when_all_have_died_it_says_that_it_does_not_know(supervisor, run):
    run("create", "q", "--durability", "disk")
    program = IN_MEMORY + """
os.kill(int(sys.argv[3]), signal.SIGKILL)
os.kill(int(sys.argv[2]), signal.SIGKILL)
try:
    queue.flush()
except spillring.InDoubt as error:
    print(error.code)
"""
    ended = subprocess.run(python(supervisor, program), capture_output=True, text=True, timeout=PATIENCE)
    supervisor.process.wait(PATIENCE)
    assert (ended.stdout, ended.stderr) == ("in_doubt\n", "")
    supervisor.start()
    assert run("peek", "q").out.startswith("first")


def test_a_flush_after_that_still_says_so(supervisor, run):
    """Also where another supervisor was found meanwhile, and another sender made for it."""
    run("create", "q", "--durability", "disk")
    program = IN_MEMORY + """
print("put", flush=True)
sys.stdin.readline()
queue.info()
queue.put(b"third", durable=True)
try:
    queue.flush()
except spillring.InDoubt as error:
    print(error.code, flush=True)
queue.flush()
print("flushed", flush=True)
"""
    with subprocess.Popen(python(supervisor, program), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as client:
        assert client.stdout.readline() == "put\n"
        supervisor.kill()
        supervisor.start()
        print(file=client.stdin, flush=True)
        assert client.stdout.read() == "in_doubt\nflushed\n"


def test_durable_needs_a_queue_that_is(run):
    run("create", "q")
    outcome = run("send", "q", "--durable", "hello", code=64)
    assert_failure(outcome, "keeps its messages in memory", "--durability disk")
    assert info(run, "q")["messages"] == 0


@pytest.mark.parametrize("option", [("--durability", "disk"), ("--retain", "1h")])
def test_without_a_state_directory_it_is_refused(tmp_path, option):
    supervisor = Supervisor(tmp_path / "socket")
    supervisor.start()
    command = [built("spillring"), "--socket", supervisor.socket, "create", "q", *option]
    ended = subprocess.run(command, capture_output=True, timeout=PATIENCE)
    supervisor.stop()
    assert_failure(Outcome(ended.returncode, ended.stdout, ended.stderr), "this queue cannot", "--state-dir")
    assert ended.returncode == 64


@pytest.mark.parametrize("text, why", [
    ("10", "could be seconds or bytes"), ("", "neither an age nor a size"), ("1h,2h", "a second age"),
    ("1GiB,", "neither"), ("0s", "keeps nothing"), ("soon", "neither"),
])
def test_a_retention_that_says_nothing(run, text, why):
    outcome = run("create", "q", "--retain", text, code=64)
    assert_failure(outcome, f"--retain '{text}' cannot be had", "7d,10GiB")
    assert why in outcome.err
    assert json.loads(run("ls", "--json").out)["queues"] == []


def test_info_shows_it(run):
    run("create", "q", "--durability", "disk", "--retain", "36h,1.5GiB")
    found = info(run, "q")
    assert (found["durability"], found["retain"], found["earliest"]) == ("disk", "36h,1536MiB", 1)
    run("create", "plain")
    found = info(run, "plain")
    assert (found["durability"], found["retain"]) == ("memory", "none")


def test_seek_back_and_read_again(run):
    run("create", "q", "--retain", "1GiB")
    lines = [str(number) for number in range(1, 101)]
    run("send", "q", text="\n".join(lines[:49]) + "\n")
    time.sleep(0.05)  # timestamps are those of the kernel's tick
    run("send", "q", text="\n".join(lines[49:]) + "\n")
    assert run("recv", "q", "--all").out.split() == lines
    run("seek", "q", "--to", "earliest")
    group, = json.loads(run("group", "ls", "q", "--json").out)["groups"]
    assert (group["floor"], group["lag"]) == (1, 100)
    assert run("recv", "q", "--all").out.split() == lines
    run("seek", "q", "--to", "91")
    assert run("recv", "q", "--all").out.split() == lines[90:]
    run("seek", "q", "--to", "1h")
    assert run("recv", "q", "-n", "1").out.split() == lines[:1]
    run("seek", "q", "--to", "latest")
    run("recv", "q", code=1)
    envelope = json.loads(run("peek", "q", "--seq", "50", "--json").out.splitlines()[0])
    assert envelope["payload"] == "50"
    run("seek", "q", "--to", envelope["ts"])
    assert run("recv", "q", "-n", "1").out.split() == ["50"]


@pytest.mark.parametrize("place", ["yesterday", "-5", "2026-13-01T00:00:00Z", "2026-11-23T10:00:00", "10 parsecs", ""])
def test_a_place_that_is_none(run, place):
    run("create", "q")
    outcome = run("seek", "q", f"--to={place}", code=64)
    assert_failure(outcome, "is no place in a queue", "earliest")


def test_seek_of_a_group_that_is_not_there(run):
    run("create", "q")
    assert_failure(run("seek", "q", "--to", "latest", code=69), "no group 'default'", "")


def test_a_sync_interval_is_shown_and_bad_ones_are_refused(run):
    run("create", "q", "--durability", "disk", "--sync", "100ms")
    assert info(run, "q")["sync"] == "100ms"
    run("send", "q", "--durable", "hello")
    run("create", "never", "--durability", "disk", "--sync", "never")
    assert info(run, "never")["sync"] == "never"
    run("create", "each", "--durability", "disk")
    assert info(run, "each")["sync"] == "each"
    refused = run("create", "w", "--durability", "disk", "--sync", "often", code=64)
    assert_failure(refused, "--sync 'often' cannot be had", "write each, never")
    refused = run("create", "w", "--durability", "disk", "--sync", "10us", code=64)
    assert_failure(refused, "--sync '10us' cannot be had", "100ms")
    refused = run("create", "w", "--sync", "1s", code=64)
    assert_failure(refused, "this queue syncs nothing", "durability disk")
