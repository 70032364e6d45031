"""What the errors are provoked with: a supervisor, the command, and a program in each language."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "cli"))

from small_disk import small_disk  # noqa: E402, F401
from supervised import Process, eventually, open_place, serve, tmp_path  # noqa: E402, F401

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BUILD = Path(os.environ.get("SPILLRING_BUILD", ROOT / "build/dev"))


@pytest.fixture(scope="session")
def provokers(tmp_path_factory):
    """{language: the command line of its program, but for code and socket}."""
    program = tmp_path_factory.mktemp("errors") / "provoke"
    subprocess.run(["gcc", "-std=c11", "-Wall", "-Wextra", "-Werror", "-pedantic",
                    "-I", ROOT / "lib/include", HERE / "provoke.c", "-o", program,
                    "-L", BUILD / "lib", "-lspillring", f"-Wl,-rpath,{BUILD / 'lib'}"], check=True)
    return {"C++": [BUILD / "tests/errors/provoke"], "C": [program],
            "Python": [sys.executable, HERE / "provoke.py"]}


@pytest.fixture
def provoke(provokers, place):
    """provoke(language, code, environment): the program, waiting before the call that is to fail."""
    running = []

    def start(language, code, environment):
        module = [BUILD / "python"] if language == "Python" else []
        process = Process([*provokers[language], code, place / "spillringd.sock", *module],
                          env={**os.environ, **environment},
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        running.append(process)
        line = process.stdout.readline()
        assert line == "ready\n", line + process.communicate()[1]
        return process

    yield start
    for process in running:
        process.kill()
        process.communicate()
