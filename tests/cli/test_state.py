"""The state directory, as the daemon finds it when it starts."""

import contextlib
import json
import os
import signal
import subprocess
import time

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
    # It listens before it has its directory; it answers when it has.
    subprocess.run([built("spillring"), "--socket", first.socket, "ls"], check=True, capture_output=True)
    try:
        ended = started(tmp_path / "second", tmp_path / "state")
        assert ended.returncode != 0
        assert "is in use" in ended.stderr
    finally:
        first.stop()


def test_killed_while_it_stops_it_saves_everything_all_the_same(tmp_path):
    """The keeper starts another supervisor, which ends what the killed one has begun; later and later kills."""
    lines = "".join(f"{number} {'x' * 200}\n" for number in range(2000))
    queues = [f"q{number}" for number in range(10)]
    supervisor = Supervisor(tmp_path / "socket", "--state-dir", str(tmp_path / "state"))

    def spillring(*arguments, text=None):
        command = [built("spillring"), "--socket", supervisor.socket, *arguments]
        return subprocess.run(command, input=text, capture_output=True, text=True, timeout=PATIENCE, check=True).stdout

    supervisor.start()
    for queue in queues:
        spillring("send", queue, "--create", text=lines)
    for delay in range(8):
        processes = supervisor.processes()
        os.kill(processes["keeper"], signal.SIGTERM)
        time.sleep(delay * 0.002)
        with contextlib.suppress(ProcessLookupError):
            os.kill(processes["supervisor"], signal.SIGKILL)
        assert supervisor.process.wait(PATIENCE) == 0
        supervisor.start()
        # Numbers that a ring ended with count as well.
        assert all(json.loads(spillring("info", queue, "-o", "json"))["messages"] >= 2000 for queue in queues)
    for queue in queues:
        assert spillring("recv", queue, "--all") == lines
    supervisor.stop()


def test_a_damaged_catalogue_ends_the_start_and_is_left_as_it_is(tmp_path):
    first = Supervisor(tmp_path / "socket", "--state-dir", str(tmp_path / "state"))
    first.start()
    subprocess.run([built("spillring"), "--socket", first.socket, "create", "q"], check=True, capture_output=True)
    first.stop()
    catalogue = tmp_path / "state" / "catalogue"
    content = bytearray(catalogue.read_bytes())
    for page in range(1, len(content) // 4096):  # all but the first: it opens, and cannot be read
        content[page * 4096:(page + 1) * 4096] = b"\xA5" * 4096
    catalogue.write_bytes(content)
    ended = started(tmp_path / "socket", tmp_path / "state")
    assert ended.returncode == 69
    assert "catalogue" in ended.stderr
    assert catalogue.read_bytes() == content
