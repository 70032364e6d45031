"""A supervisor that other users may connect to, and strangers who try things."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "cli"))

from supervised import open_place, orders, serve, spillring, supervisor, tmp_path  # noqa: E402, F401

NOBODY = 65534
SOME_GROUP = 54321

# What a stranger has: sockets. It needs nothing of this project, and no access to its files.
VERSIONS = (Path(__file__).parents[2] / "lib/include/spillring/version.hpp").read_text()
CLIENT = "".join(f"{name.upper()} = {re.search(rf'{name}_version = ([0-9]+);', VERSIONS)[1]}\n"
                 for name in ("layout", "protocol")) + Path(__file__).with_name("stranger.py").read_text()


@pytest.fixture
def opened(serve):
    """opened(*options): the command, and a supervisor that everybody may connect to."""
    return lambda *options: serve("--socket-mode", "0666", *options)


@pytest.fixture
def stranger(place):
    """stranger(code, ...): what a process of another user that runs `code` prints as JSON."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")

    def run(code, *, user=NOBODY, groups=(), files=1024, wait=True):
        process = subprocess.Popen(
            ["/usr/bin/prlimit", f"--nofile={files}", "/usr/bin/python3", "-c", CLIENT + code,
             str(place / "spillringd.sock")],
            user=user, group=user, extra_groups=list(groups), cwd="/", env={},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if not wait:
            return process
        output, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
        return json.loads(output)

    return run


# Every attempt of a stranger, and whether it succeeded; at the end of the run there is a line with their sum.
ATTEMPTS = {}


def record_attempt(name, succeeded):
    ATTEMPTS[name] = succeeded


def pytest_terminal_summary(terminalreporter):
    if ATTEMPTS:
        terminalreporter.write_line(f"{len(ATTEMPTS)} attempts, {sum(ATTEMPTS.values())} successes")
