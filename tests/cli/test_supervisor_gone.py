"""The supervisor is killed: data goes on, administration says so."""

import signal
import subprocess

from conftest import eventually
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
    supervisor.process.send_signal(signal.SIGSTOP)
    outcome = spillring("ls", "--timeout", "100ms", code=75)
    supervisor.process.send_signal(signal.SIGCONT)
    assert_failure(outcome, "the supervisor does not answer")
    assert spillring("ls", "--no-header").out == ""


def test_a_supervisor_that_dies_in_mid_call(spillring, supervisor):
    supervisor.process.send_signal(signal.SIGSTOP)
    callers = [spillring.start(*call) for call in (["ls"], ["create", "q"], ["send", "q", "m", "--create"])]
    for caller in callers:
        eventually(lambda caller=caller: waits_in_poll(caller.pid), "the caller waits for the answer")
    supervisor.kill()
    for caller in callers:
        output, errors = caller.communicate()
        assert (caller.returncode, output) == (69, b""), errors
        assert b"the supervisor has gone" in errors, errors
        assert b"hint: " in errors, errors


def waits_in_poll(pid):
    with open(f"/proc/{pid}/wchan") as name:
        return "poll" in name.read()
