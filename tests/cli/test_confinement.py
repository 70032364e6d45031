"""The daemon gives up what it never needs, and so does all that it starts."""

import os
import signal
from pathlib import Path

import pytest
from supervised import Supervisor, eventually


def confinement(pid):
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    values = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
    return values["NoNewPrivs"], values["Seccomp"], values.get("Seccomp_filters")


@pytest.fixture
def supervisor(tmp_path):
    supervisor = Supervisor(tmp_path / "socket")
    supervisor.start()
    yield supervisor
    supervisor.stop()


def test_both_processes_are_confined_and_their_successors_no_more_than_they(supervisor):
    first = {name: confinement(pid) for name, pid in supervisor.processes().items()}
    assert all(found[:2] == ("1", "2") for found in first.values())
    for name in ["supervisor", "keeper", "supervisor", "keeper"]:
        before = supervisor.processes()
        os.kill(before[name], signal.SIGKILL)

        def replaced(name=name, before=before):
            now = supervisor.processes()
            return len(now) == 2 and now[name] != before[name]
        eventually(replaced, f"the {name} is replaced")
    assert {name: confinement(pid) for name, pid in supervisor.processes().items()} == first
