"""The state directory, as the daemon finds it when it starts."""

import contextlib
import json
import os
import signal
import sqlite3
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


IMPOSSIBLE = {
    "slots = 0": "0 slots cannot be had",
    "slots = 100": "100 slots are no power of two",
    "slots = 1 << 40": "1099511627776 slots cannot be had",
    "slots = -1": "18446744073709551615 slots cannot be had",
    "capacity = 0": "a capacity of 0 bytes cannot be had",
    "capacity = 1 << 62": "a capacity of 4611686018427387904 bytes cannot be had",
    "capacity = 5000": "a capacity of 5000 bytes is not whole pages",
    '"full" = 9': "unknown full policy",
    '"full" = 255': "full policy 255 is none",
    '"full" = 256': "full 256",
    "keep = 7": "unknown keep policy",
    "durability = 5": "unknown durability",
    "stall_timeout_ns = 0": "the stall timeout is too short",
    "max_deliveries = 4294967297": "max_deliveries 4294967297",
    "mode = 4095": "mode 7777",
    "next = 1 << 60": "next 1152921504606846976",
    "base = 1 << 50": "base 1125899906842624",
    "skipped = 1 << 50": "skipped 1125899906842624",
    "dead_letter = 'dead'": "max_deliveries 0 beside a dead_letter",
    f"dead_letter = '{'d' * 200}'": "dead_letter is longer than a name",
}


def test_a_row_that_cannot_be_a_queue_is_refused_and_keeps_its_journal(tmp_path):
    """The others are there, and so is this one once its row is put right."""
    supervisor = Supervisor(tmp_path / "socket", "--state-dir", str(tmp_path / "state"))
    lines = "".join(f"{number} {'x' * 200}\n" for number in range(500))
    queues = {f"q{number}": field for number, field in enumerate(IMPOSSIBLE)}

    def spillring(*arguments, text=None, check=True):
        command = [built("spillring"), "--socket", supervisor.socket, *arguments]
        return subprocess.run(command, input=text, capture_output=True, text=True, timeout=PATIENCE, check=check)

    def journals():
        files = (tmp_path / "state" / "journal").rglob("*")
        return {file: file.read_bytes() for file in files if file.is_file()}

    supervisor.start()
    for queue in [*queues, "sound", "group"]:
        spillring("send", queue, "--create", text=lines)
    spillring("recv", "group", "--group", "g", "--all")
    supervisor.stop()
    catalogue = tmp_path / "state" / "catalogue"
    before = catalogue.read_bytes()
    damages = [f"UPDATE queues SET {field} WHERE name = '{queue}'" for queue, field in queues.items()]
    with contextlib.closing(sqlite3.connect(catalogue)) as database:
        database.executescript(";".join([*damages, "UPDATE groups SET kind = 77"]))
    stored = journals()

    supervisor.start()
    assert spillring("recv", "sound", "--all").stdout == lines
    for queue, field in [*queues.items(), ("group", "kind")]:
        refused = spillring("info", queue, check=False)
        assert refused.returncode == 69, queue
        assert f"queue '{queue}' is there, and could not be loaded" in refused.stderr
        assert "its row in the catalogue is damaged" in refused.stderr
        assert IMPOSSIBLE.get(field, "group 'g' is of no known kind") in refused.stderr
        assert "correct the row" in refused.stderr
        assert spillring("create", queue, check=False).returncode == 69, "its name is taken"
    supervisor.stop()
    left = journals()
    assert all(left[file] == content for file, content in stored.items() if file in left)
    assert len(stored) - len(left) <= 1, "of the sound queue alone nothing may be left"

    catalogue.write_bytes(before)
    supervisor.start()
    for queue in queues:
        assert spillring("recv", queue, "--all").stdout == lines, queue
    supervisor.stop()
