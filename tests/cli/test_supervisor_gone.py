"""The supervisor is killed: data goes on, administration says so."""

import os
import signal
import subprocess

import pytest
from supervised import built, eventually
from failures import assert_failure


def test_data_goes_on_without_a_supervisor(spillring, supervisor, orders):
    receiver = spillring.start("recv", orders, "-n", "2", "-t", "inf")
    sender = spillring.start("send", orders, stdin=subprocess.PIPE)
    eventually(lambda: spillring.info(orders)["consumers"] == 1, "the receiver is attached")
    eventually(lambda: spillring.info(orders)["producers"] == 1, "the sender is attached")
    supervisor.kill()
    sender.stdin.write(b"first\n")
    sender.stdin.flush()
    assert receiver.stdout.readline() == b"first\n"
    sender.stdin.write(b"second\n")
    sender.stdin.close()
    assert receiver.stdout.read() == b"second\n"
    assert receiver.wait() == 0
    assert sender.wait() == 0


def test_administration_is_unavailable(spillring, supervisor, orders):
    supervisor.kill()
    for arguments in (["ls"], ["info", orders], ["create", "q"], ["send", orders, "m"],
                      ["recv", orders], ["peek", orders], ["rm", orders, "-y"]):
        outcome = spillring(*arguments, code=69)
        assert_failure(outcome, spillring.socket)


def test_ctrl_c_still_leaves_at_once(spillring, supervisor, orders):
    receiver = spillring.start("recv", orders, "-t", "inf")
    eventually(lambda: spillring.info(orders)["consumers"] == 1, "the receiver is attached")
    supervisor.kill()
    receiver.send_signal(signal.SIGINT)
    assert receiver.wait() == 130


def test_a_supervisor_that_does_not_answer(spillring, supervisor):
    supervisor.signal(signal.SIGSTOP)
    outcome = spillring("ls", "--timeout", "100ms", code=75)
    supervisor.signal(signal.SIGCONT)
    assert_failure(outcome, "the supervisor does not answer")
    assert spillring("ls", "--no-header").out == ""


@pytest.fixture
def callers(spillring, supervisor):
    """Commands that wait for the answer of a supervisor that is stopped."""
    os.kill(supervisor.processes()["supervisor"], signal.SIGSTOP)
    started = [spillring.start(*call) for call in (["ls"], ["create", "q"], ["send", "r", "m", "--create"])]
    for caller in started:
        eventually(lambda caller=caller: waits_in_poll(caller.pid), "the caller waits for the answer")
    return started


def waits_in_poll(pid):
    with open(f"/proc/{pid}/wchan") as name:
        return "poll" in name.read()


def test_nobody_notices_that_the_supervisor_dies_in_mid_call(spillring, supervisor, callers):
    before = supervisor.processes()
    os.kill(before["supervisor"], signal.SIGKILL)
    for caller in callers:
        output, errors = caller.communicate()
        assert (caller.returncode, errors) == (0, b"")
    assert spillring("recv", "r").out == "m\n"
    assert spillring.info("q")["messages"] == 0
    after = supervisor.processes()
    assert after["supervisor"] != before["supervisor"]
    assert after["keeper"] == before["keeper"]


def test_keeper_and_supervisor_die_in_mid_call(supervisor, callers):
    supervisor.kill()
    for caller in callers:
        output, errors = caller.communicate()
        assert (caller.returncode, output) == (69, b""), errors
        assert supervisor.socket.encode() in errors, errors
        assert b"hint: " in errors, errors


@pytest.mark.parametrize("order", ["supervisor keeper", "keeper supervisor", "keeper keeper", "supervisor supervisor"])
def test_what_there_is_outlives_supervisor_and_keeper(spillring, supervisor, orders, order):
    spillring("send", orders, "kept")
    spillring("create", "results")
    receiver = spillring.start("recv", "results", "-n", "2", "-t", "inf")
    eventually(lambda: spillring.info("results")["consumers"] == 1, "the receiver is attached")
    for victim in order.split():
        before = supervisor.processes()
        os.kill(before[victim], signal.SIGKILL)
        eventually(lambda: supervisor.processes()[victim] != before[victim], f"another {victim} is there")
        spillring("send", "results", victim)
    assert receiver.stdout.read().decode().split() == order.split()
    assert receiver.wait() == 0
    assert spillring("recv", orders).out == "kept\n"


def test_reload(spillring, supervisor, orders):
    spillring("send", orders, "kept")
    before = supervisor.processes()
    os.kill(before["keeper"], signal.SIGHUP)
    eventually(lambda: supervisor.processes()["supervisor"] != before["supervisor"], "another supervisor is there")
    assert spillring("recv", orders).out == "kept\n"


@pytest.mark.parametrize("asked", ["keeper", "supervisor"])
def test_a_clean_stop_ends_both(supervisor, asked):
    processes = supervisor.processes()
    os.kill(processes[asked], signal.SIGTERM)
    assert supervisor.process.wait(60) == 0
    eventually(lambda: not any(map(runs, processes.values())), "both have ended")
    assert not any(os.path.exists(supervisor.socket + end) for end in ("", ".lock"))


def runs(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_second_supervisor_is_refused(spillring, supervisor, orders):
    second = subprocess.run([built("spillringd"), "--socket", supervisor.socket], stdin=subprocess.DEVNULL,
                            capture_output=True, timeout=60, check=False)
    assert second.returncode == 73
    assert b"another supervisor runs here" in second.stderr
    spillring("send", orders, "m")
