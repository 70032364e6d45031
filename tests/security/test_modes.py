"""Nothing that a supervisor makes is looser than 0700 and 0600, whatever the umask; where a directory or a file was
prepared by somebody else, it does not start, and touches nothing."""

import os
import stat
import subprocess
from pathlib import Path

import pytest
from conftest import NOBODY, record_attempt
from supervised import PATIENCE, Command, Supervisor, built, eventually

TEXT = "".join(f"{number:<1000}\n" for number in range(2000))


class Careless(Supervisor):
    """Started by somebody with no umask at all."""

    def command(self):
        return ["sh", "-c", 'umask 0; exec "$@"', "sh", *super().command()]


def mode(path):
    return stat.S_IMODE(os.lstat(path).st_mode)


def assert_private(folder):
    found = [folder, *folder.rglob("*")]
    for path in found:
        most = 0o700 if path.is_dir() else 0o600
        assert mode(path) & ~most == 0, f"{path}: {mode(path):o}"
    return len(found)


@pytest.fixture
def careless(tmp_path):
    supervisor = Careless(tmp_path / "run" / "s", "--state-dir", str(tmp_path / "state"), "--segment-size", "256KiB")
    supervisor.start()
    command = Command(supervisor.socket)
    yield command, supervisor, tmp_path
    command.close()
    supervisor.stop()


def test_files(careless):
    spillring, supervisor, folder = careless
    spillring("create", "q", "--capacity", "256KiB", "--slots", "1024")
    spillring("send", "q", stdin=TEXT)
    spillring("create", "d", "--durability", "disk")
    spillring("send", "d", "--durable", "one")
    assert assert_private(folder / "run") >= 3
    assert assert_private(folder / "state") >= 6
    supervisor.stop()
    assert assert_private(folder / "state") >= 5


def test_shared_memory(careless):
    """A descriptor for reading would open a memfd of mode 0777, which is what the kernel makes, for writing."""
    spillring, supervisor, _ = careless
    spillring("create", "q")
    receiver = spillring.start("recv", "q", "-t", "inf")
    eventually(lambda: spillring.info("q")["consumers"] == 1, "there is a group")
    seen = set()
    for pid in supervisor.processes().values():
        for link in Path(f"/proc/{pid}/fd").iterdir():
            name = os.readlink(link)
            if name.startswith("/memfd:spillring"):
                seen.add(name.split(" ")[0])
                assert stat.S_IMODE(os.stat(link).st_mode) & ~0o600 == 0, name
    receiver.kill()
    assert {f"/memfd:spillring:q:{part}" for part in ("manifest", "groups", "bells", "ring", "words")} <= seen


def test_the_users_own(tmp_path):
    environment = {"HOME": str(tmp_path), "PATH": os.defpath, "SPILLRING_BUILD": os.environ.get("SPILLRING_BUILD", "")}
    subprocess.run(["sh", "-c", 'umask 0; exec "$@"', "sh", built("spillring"), "create", "q"], env=environment,
                   check=True, capture_output=True, timeout=PATIENCE)
    supervisor = Supervisor(tmp_path / ".local/state/spillring/spillringd.sock")
    supervisor.process = subprocess.Popen(["true"])
    supervisor.process.wait()
    try:
        assert assert_private(tmp_path / ".local/state/spillring") >= 5  # the log is there, too
    finally:
        os.kill(supervisor.processes()["keeper"], 15)
        eventually(lambda: not os.path.exists(supervisor.socket), "it has ended")


# ---- what somebody else has prepared. `place` is a directory that everybody may write to, as /tmp. ----


def squat(target):
    os.lchown(target, NOBODY, NOBODY)


def directory_of_another(place, want):
    want.mkdir()
    squat(want)


def directory_open_to_all(place, want):
    want.mkdir()
    want.chmod(0o777)


def file_in_its_place(place, want):
    want.write_text("precious")


SQUATTERS = {
    "a directory of somebody else": (directory_of_another, "d"),
    "a directory that all may write to": (directory_open_to_all, "d"),
    "a file": (file_in_its_place, "d"),
}


def refuses(*options):
    done = subprocess.run([built("spillringd"), *map(str, options)], capture_output=True, text=True, timeout=PATIENCE,
                          check=False)
    return done.returncode in (69, 73, 77) and done.stderr.startswith("error: "), done.stderr


@pytest.fixture
def common(tmp_path):
    if os.geteuid() != 0:
        pytest.skip("only root can act as somebody else")
    tmp_path.chmod(0o1777)
    return tmp_path


@pytest.mark.parametrize("name", SQUATTERS)
@pytest.mark.parametrize("what", ["state directory", "directory of the socket"])
def test_squatted(common, name, what):
    prepare, relative = SQUATTERS[name]
    want = common / relative
    prepare(common, want)
    before = sorted(common.rglob("*"))
    options = ["--socket", common / "run" / "s", "--state-dir", want]
    if what != "state directory":
        options = ["--socket", want / "s"]
    refused, said = refuses(*options)
    record_attempt(f"{name} in place of the {what}", not refused)
    assert refused, said
    assert [path for path in sorted(common.rglob("*")) if path not in before and "run" not in path.parts] == []
    if want.is_file():
        assert want.read_text() == "precious"


@pytest.mark.parametrize("name", ["a file", "a link to a file", "a link to a socket", "a directory"])
def test_something_else_where_the_socket_is_made(common, name):
    run = common / "run"
    run.mkdir(mode=0o700)
    (common / "precious").write_text("precious")
    if name == "a file":
        (run / "s").write_text("precious")
    elif name == "a directory":
        (run / "s").mkdir()
    else:
        (run / "s").symlink_to(common / ("precious" if "file" in name else "none"))
    refused, said = refuses("--socket", run / "s")
    record_attempt(f"{name} where the socket is made", not refused)
    assert refused and "no socket" in said, said
    assert os.path.lexists(run / "s"), "nothing but a socket is removed"
    assert (common / "precious").read_text() == "precious"


@pytest.mark.parametrize("name", ["lock", "catalogue"])
def test_a_link_in_place_of_a_file(common, name):
    state = common / "state"
    state.mkdir(mode=0o700)
    (common / "precious").write_text("precious")
    (state / name).symlink_to(common / "precious")
    refused, said = refuses("--socket", common / "run" / "s", "--state-dir", state)
    record_attempt(f"a link in place of the {name}", not refused)
    assert refused, said
    assert (common / "precious").read_text() == "precious"


def test_a_link_in_place_of_the_sockets_lock(common):
    run = common / "run"
    run.mkdir(mode=0o700)
    (common / "precious").write_text("precious")
    (run / "s.lock").symlink_to(common / "precious")
    refused, said = refuses("--socket", run / "s")
    record_attempt("a link in place of the socket's lock", not refused)
    assert refused, said
    assert (common / "precious").read_text() == "precious"
