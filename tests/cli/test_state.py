"""The state directory, as the daemon finds it when it starts."""

import subprocess

from supervised import PATIENCE, Supervisor, built


def started(socket, directory):
    """The daemon, which ends by itself."""
    command = [built("spillringd"), "--socket", socket, "--state-dir", directory]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)


def test_without_its_state_directory_it_does_not_run(tmp_path):
    file = tmp_path / "file"
    file.touch()
    ended = started(tmp_path / "socket", file)
    assert ended.returncode != 0
    assert f"cannot make the directory {file}" in ended.stderr


def test_a_state_directory_that_another_has_is_refused(tmp_path):
    first = Supervisor(tmp_path / "first", "--state-dir", str(tmp_path / "state"))
    first.start()
    try:
        ended = started(tmp_path / "second", tmp_path / "state")
        assert ended.returncode != 0
        assert "is in use" in ended.stderr
    finally:
        first.stop()
