"""The configuration file: what it may say, what is said of one that is wrong, what a reload takes from it."""

import os
import signal
import stat
import subprocess

import pytest
from supervised import PATIENCE, Command, Supervisor, built, eventually

CLEAN = {key: value for key, value in os.environ.items() if not key.startswith(("SPILLRING_", "XDG_"))}


class Configured(Supervisor):
    """A supervisor with a file, and what it says in its log."""

    def __init__(self, folder, *options):
        super().__init__(folder / "spillringd.sock")
        self.file = folder / "spillringd.toml"
        self.log_file = folder / "log"
        self.options = options
        self.write("")

    def write(self, text):
        self.file.write_text(f'socket = "{self.socket}"\n{text}\n')

    def command(self):
        return [built("spillringd"), "--config", str(self.file), *self.options]

    def start(self):
        with self.log_file.open("wb") as log:
            self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env=CLEAN, start_new_session=True)
        eventually(self.accepts, "the supervisor accepts a connection")

    def log(self):
        return self.log_file.read_text()

    def reload(self):
        """Returns when the next supervisor serves."""
        before = self.processes()["supervisor"]
        os.kill(self.process.pid, signal.SIGHUP)
        eventually(lambda: self.processes()["supervisor"] != before, "the next supervisor is there")
        Command(self.socket)("ls")  # it waits until it is served


@pytest.fixture
def configured(tmp_path):
    supervisors = []

    def make(text="", *options):
        supervisors.append(Configured(tmp_path, *options))
        supervisors[-1].write(text)
        supervisors[-1].start()
        return supervisors[-1]
    yield make
    for supervisor in supervisors:
        supervisor.stop()


def mode_of(path):
    return stat.S_IMODE(os.stat(path).st_mode)


def spillringd(*arguments, env=None):
    return subprocess.run([built("spillringd"), *map(str, arguments)], stdin=subprocess.DEVNULL, text=True,
                          capture_output=True, env={**CLEAN, **(env or {})}, timeout=PATIENCE, check=False)


def check(tmp_path, text):
    """The problems that --check-config reports, without the file's name."""
    file = tmp_path / "spillringd.toml"
    file.write_text(text)
    done = spillringd("--config", file, "--check-config")
    if done.returncode == 0:
        assert (done.stdout, done.stderr) == (f"{file}: ok\n", "")
        return []
    assert (done.returncode, done.stdout) == (78, "")
    lines = done.stderr.splitlines()
    assert all(line.startswith(f"{file}:") for line in lines)
    return [line.removeprefix(f"{file}:") for line in lines]


ALL = """
socket = "/run/spillring/spillringd.sock"
socket_mode = "0666"
idle_exit = "10m"
max_queues = 2048
max_clients = 4096
max_memory = "8GiB"
"""


def test_every_setting(tmp_path):
    assert check(tmp_path, ALL) == []
    options = {line.split()[0].lstrip("-").replace("-", "_")
               for line in spillringd("--help").stdout.splitlines() if line.startswith("  --")}
    assert options >= {line.split()[0] for line in ALL.strip().splitlines()}


def test_numbers_may_stand_without_a_unit(tmp_path):
    assert check(tmp_path, "idle_exit = 600\nmax_memory = 4294967296") == []


def test_nothing_is_a_configuration_too(tmp_path):
    assert check(tmp_path, "") == []
    assert check(tmp_path, "# only a comment\n") == []


@pytest.mark.parametrize(("text", "problem"), [
    ("max_queue = 3", "1:1: there is no setting 'max_queue'; did you mean 'max_queues'?"),
    ("\n  sockte = 1", "2:3: there is no setting 'sockte'; did you mean 'socket'?"),
    ("[limits]\nmax_queues = 3", "1:2: there is no setting 'limits'; there are socket, "),
    ("max_clients = '3'", "1:1: max_clients is a whole number without quotes"),
    ("max_clients = 3.5", "1:1: max_clients is a whole number without quotes"),
    ("socket = 3", "1:1: socket is a path in quotes"),
    ("socket_mode = 600", "1:1: socket_mode is text in quotes"),
    ("idle_exit = true", "1:1: idle_exit is a whole number, or a number with its unit in quotes"),
    ("max_memory = []", "1:1: max_memory is a whole number, or a number with its unit in quotes"),
    ("max_queues = 0", "1:1: max_queues '0' is too small: at least 1"),
    ("max_queues = -1", "1:1: max_queues '-1' is not a whole number: "),
    ("max_memory = '4 lots'", "1:1: max_memory '4 lots' is not a size: the unit 'lots' is unknown; write a number"),
    ("disk_reserve = '1%'", "1:1: disk_reserve '1%' is not a size: the unit '%' is unknown; write a number"),
    ("max_journal = '2 lots'", "1:1: max_journal '2 lots' is not a size: the unit 'lots' is unknown; write"),
    ("max_journal_per_queue = '64KiB'", "is too small: at least 1MiB; write 0 for no limit"),
    ("idle_exit = '11000y'", "1:1: idle_exit '11000y' is not a duration: the unit 'y' is unknown; write"),
    ("idle_exit = 999999999", "1:1: idle_exit '999999999' is too long: at most ten years"),
    ("socket_mode = '0777'", "1:1: socket_mode '0777' is not a mode of a socket: "),
    ("socket_mode = '0668'", "1:1: socket_mode '0668' is not a mode of a socket: "),
    ("socket = 'here.sock'", "1:1: socket 'here.sock' is not an absolute path; begin it with a slash"),
    (f"socket = '/{'x' * 107}'", "is too long: a socket's path has at most 107 bytes"),
    ('state_dir = "/a\\u0000b"', "has a byte zero, where a path would end"),
    ("max_queues = ", "1:14: this is not TOML: "),
    ("max_queues = 1\nmax_queues = 2", "this is not TOML: "),
])
def test_what_is_wrong(tmp_path, text, problem):
    found = check(tmp_path, text)
    assert len(found) == 1
    assert problem in found[0]


def test_every_problem_in_the_order_of_the_file(tmp_path):
    found = check(tmp_path, "zebra = 1\nmax_queues = 'x'\nsocket_mode = '0660'\n\nidle_exit = -1\nmax_memory = 0\n")
    assert [line.split(":")[:2] for line in found] == [["1", "1"], ["2", "1"], ["5", "1"], ["6", "1"]]


@pytest.mark.parametrize("what", ["missing", "directory"])
def test_unreadable(tmp_path, what):
    file = tmp_path / "spillringd.toml"
    if what == "directory":
        file.mkdir()
    for options in (["--check-config"], []):
        done = spillringd("--config", file, *options)
        assert done.returncode == 78
        assert done.stderr.startswith(f"{file}: the configuration cannot be read: ")


def test_a_wrong_file_stops_the_start_with_the_same_words(tmp_path):
    file = tmp_path / "spillringd.toml"
    file.write_text(f"socket = '{tmp_path}/s.sock'\nmax_queue = 3\nidle_exit = []\n")
    checked, started = spillringd("--config", file, "--check-config"), spillringd("--config", file)
    assert started.returncode == checked.returncode == 78
    assert started.stderr == checked.stderr
    assert len(started.stderr.splitlines()) == 2
    assert list(tmp_path.iterdir()) == [file]


def test_the_command_line_beats_the_file(configured):
    supervisor = configured("socket_mode = '0666'", "--socket-mode", "0640")
    assert mode_of(supervisor.socket) == 0o640
    supervisor.reload()
    assert mode_of(supervisor.socket) == 0o640


def test_the_environment_beats_the_file(configured, tmp_path):
    supervisor = configured()
    done = spillringd("--config", supervisor.file, env={"SPILLRING_SOCKET": supervisor.socket})
    assert done.returncode == 73  # there is one already
    file = tmp_path / "other.toml"
    file.write_text(f'socket = "{tmp_path}/other.sock"\n')
    done = spillringd("--config", file, env={"SPILLRING_SOCKET": supervisor.socket})
    assert done.returncode == 73


def test_a_reload_takes_new_settings(configured):
    supervisor = configured("socket_mode = '0600'")
    Command(supervisor.socket)("send", "q", "kept", "--create")
    supervisor.write("socket_mode = '0660'\nidle_exit = 0")
    supervisor.reload()
    assert mode_of(supervisor.socket) == 0o660
    assert f"{supervisor.file} has changed; its settings are in force" in supervisor.log()
    assert Command(supervisor.socket)("recv", "q").out == "kept\n"


def test_a_reload_says_what_it_cannot_change(configured, tmp_path):
    supervisor = configured()
    supervisor.file.write_text(f'socket = "{tmp_path}/elsewhere.sock"\n')
    supervisor.reload()
    assert (f"it goes on listening at {supervisor.socket}; only a restart changes to {tmp_path}/elsewhere.sock"
            in supervisor.log())
    assert not (tmp_path / "elsewhere.sock").exists()


@pytest.mark.parametrize("fault", ["max_qeues = 7", "max_queues = ", None])
def test_a_reload_with_a_wrong_file_keeps_settings_and_queues(configured, fault):
    supervisor = configured("socket_mode = '0660'")
    spillring = Command(supervisor.socket)
    spillring("send", "q", "kept", "--create")
    if fault is None:
        supervisor.file.unlink()
    else:
        supervisor.write(f"socket_mode = '0666'\n{fault}")
    supervisor.reload()
    assert f"{supervisor.file}:" in supervisor.log()
    assert "the settings stay as they were before the file was changed" in supervisor.log()
    # Nor are they lost with a keeper, or with the next supervisor.
    before = supervisor.processes()
    os.kill(before["keeper"], signal.SIGKILL)
    eventually(lambda: supervisor.processes()["keeper"] != before["keeper"], "there is another keeper")
    os.kill(before["supervisor"], signal.SIGKILL)
    eventually(lambda: supervisor.processes()["supervisor"] != before["supervisor"], "there is another supervisor")
    assert spillring("recv", "q").out == "kept\n"
    assert mode_of(supervisor.socket) == 0o660


def test_a_repaired_file_is_taken(configured):
    supervisor = configured()
    supervisor.write("max_qeues = 7")
    supervisor.reload()
    supervisor.write("socket_mode = '0666'")
    supervisor.reload()
    assert mode_of(supervisor.socket) == 0o666


def test_the_users_own_file_is_for_the_users_own_socket(tmp_path):
    home = {"HOME": str(tmp_path)}
    folder = tmp_path / ".config/spillring"
    assert spillringd("--check-config", env=home).stdout == "ok: there is no configuration file\n"
    folder.mkdir(parents=True)
    (folder / "spillringd.toml").write_text("max_qeues = 7")
    assert spillringd("--check-config", env=home).returncode == 78
    other = spillringd("--check-config", "--socket", tmp_path / "s.sock", env=home)
    assert (other.returncode, other.stdout) == (0, "ok: there is no configuration file\n")
    other = spillringd("--check-config", env={**home, "XDG_CONFIG_HOME": str(tmp_path / "none")})
    assert other.stdout == "ok: there is no configuration file\n"


@pytest.mark.parametrize("option", [["--max-queues", "0"], ["--max-memory", "4lots"], ["--socket-mode", "0777"],
                                    ["--idle-exit", "-1"], ["--socket", "/" + 107 * "x"], ["--nonsense"]])
def test_the_command_line_is_as_strict(option):
    done = spillringd(*option)
    assert done.returncode == 64
    assert option[0] in done.stderr


@pytest.mark.parametrize("option", ["--socket=", "--state-dir="])
def test_an_option_that_names_nothing_is_refused_as_one(option):
    done = spillringd(option, "")
    assert done.returncode == 64, done.stderr
    assert "names nothing" in done.stderr or "requires" in done.stderr or "1 required" in done.stderr
    assert "bug" not in done.stderr and "filesystem" not in done.stderr


def test_an_empty_variable_names_no_socket(tmp_path):
    done = spillringd("--check-config", env={"HOME": str(tmp_path), "SPILLRING_SOCKET": ""})
    assert (done.returncode, done.stdout) == (0, "ok: there is no configuration file\n"), done.stderr


@pytest.mark.parametrize("text", ["[a]\n[a.b]\n[a]\n", "a.b.c = 1\n[a.b]\n", "'''x''' = 1", '"" = 1', "a = {b.c = 1, b.c = 2}",
                                  "[[a]]\n[a]\n", "a = 1e", "a = 0x", "\ufeff= 1", "a = '''", "[", "a.", "a = [" * 300])
def test_what_is_no_toml_is_refused_as_such(tmp_path, text):
    problems = check(tmp_path, text)
    assert problems, "it is no configuration"
