"""Which spillringd an importing process starts: the one that was installed with the module."""

import os
import pathlib
import shutil
import subprocess
import sys

import pytest
import spillring


def program(folder):
    """A spillringd that writes where it lies, and fails."""
    folder.mkdir(parents=True)
    path = folder / "spillringd"
    path.write_text('#!/bin/sh\necho "$0" >>"$HOME/called"\nexit 1\n')
    path.chmod(0o755)
    return path


def called(home, module, path):
    """What connect() starts, for a module in that folder."""
    shutil.copytree(pathlib.Path(spillring.__file__).parent, module / "spillring")
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("SPILLRING_", "XDG_"))
    }
    environment |= {"HOME": str(home), "PATH": str(path), "PYTHONPATH": str(module)}
    code = "import spillring; spillring.connect(user=True)"
    outcome = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60
    )
    assert "spillringd ended with status 1" in outcome.stderr
    return pathlib.Path((home / "called").read_text().strip()).resolve()


@pytest.mark.parametrize(
    "folder",
    ["lib/python3/dist-packages", "lib/python3.11/site-packages", "lib", "target"],
)
def test_of_its_own_installation(tmp_path, folder):
    own = program(tmp_path / ("target/bin" if folder == "target" else "bin"))
    other = program(tmp_path / "other")
    assert called(tmp_path, tmp_path / folder, other.parent) == own


def test_else_on_the_path(tmp_path):
    other = program(tmp_path / "other")
    assert called(tmp_path, tmp_path / "lib/python3/dist-packages", other.parent) == other
