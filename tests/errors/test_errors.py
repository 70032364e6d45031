"""Each failure that Spillring knows, in each language: errors.tsv says how it comes about, or why it never does.

The table is held against the headers, so a code without a row fails; a way that works in one language is to
work in all, with the same number, a text of three parts, the exception's class and the command's exit code.
"""

import contextlib
import csv
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import threading

import pytest
from conftest import BUILD, HERE, ROOT, eventually

TABLE = {row["code"]: row for row in csv.DictReader((HERE / "errors.tsv").open(), delimiter="\t")}
LANGUAGES = ("C++", "C", "Python")
COLUMN = {language: f"in {language}" for language in LANGUAGES} | {"command": "in the command"}


def occurs(code, where):
    return not TABLE[code][COLUMN[where]].startswith("never: ")


# ------------------------------------------------------------------------------------- the table is complete


def enumerators(text, opening):
    body = re.sub(r"//.*|/\*.*?\*/", "", text.split(opening, 1)[1].split("}", 1)[0])
    names = [entry.split("=")[0].strip() for entry in body.split(",")]
    return [name for name in names if name]


def test_each_code_has_a_row():
    header = (ROOT / "lib/include/spillring/error.hpp").read_text()
    codes = enumerators(header, "enum class Code : std::uint8_t {")
    assert codes == ["ok", *TABLE]
    assert [int(row["number"]) for row in TABLE.values()] == list(range(1, len(codes)))


def test_c_has_the_same_codes_and_numbers():
    header = (ROOT / "lib/include/spillring.h").read_text()
    codes = dict(re.findall(r"\bSPILLRING_([A-Z_]+) = (\d+)", header.split("} spillring_code;")[0]))
    assert codes == {"OK": "0"} | {code.upper(): row["number"] for code, row in TABLE.items()}


def test_each_class_of_python_has_a_row():
    errors = (ROOT / "bindings/python/spillring/_errors.py").read_text()
    classes = set(re.findall(r"^class (\w+)\(", errors, re.MULTILINE))
    assert classes == {row["Python"] for row in TABLE.values()} - {"-"}


def test_each_cell_says_how_or_why_not():
    for row in TABLE.values():
        assert all(row[column] and row[column].strip() != "never:" for column in COLUMN.values()), row
    for code, row in TABLE.items():
        assert (row["Python"] != "-") == (occurs(code, "Python") or code == "internal"), code
        assert (row["exit"] != "-") == (occurs(code, "command") or code == "internal"), code
    assert {code for code in TABLE if not any(occurs(code, where) for where in COLUMN)} == {"internal"}


def test_exit_codes_are_documented():
    """docs/command.md has them with their meanings, --help has the same numbers, and tools/ knows no others."""
    documented = set(re.findall(r"^\| (\d+) \|", (ROOT / "docs/command.md").read_text(), re.MULTILINE))
    known = enumerators((ROOT / "tools/failure.hpp").read_text(), "enum class Exit : int {")
    values = re.findall(r"^  \w+ = (\d+),", (ROOT / "tools/failure.hpp").read_text(), re.MULTILINE)
    assert len(values) == len(known)
    signals = {"130", "143"}
    assert documented == set(values) | signals
    text = subprocess.run([BUILD / "bin/spillring", "--help"], capture_output=True, text=True, check=True).stdout
    helped = set(re.findall(r"\b(\d+) [a-z]", text.split("Exit codes: ")[1]))
    assert helped == documented
    assert {row["exit"] for row in TABLE.values()} - {"-"} <= documented


def test_exit_codes_of_the_daemon_are_documented():
    text = (ROOT / "docs/operations.md").read_text().split("## Exit codes")[1].split("\n## ")[0]
    known = re.findall(r"int exit_\w+ = (\d+);", (ROOT / "daemon/exit.hpp").read_text())
    assert re.findall(r"^\| (\d+) \|", text, re.MULTILINE) == ["0", *known]


# ------------------------------------------------------------------------------ what is prepared for each code


class Scene:
    """A supervisor with a queue `q`, and what is done to them right before the call that is to fail."""

    def __init__(self, serve, small_disk, place, provoke):
        self.serve, self.small_disk, self.place, self.provoke = serve, small_disk, place, provoke
        self.command, self.supervisor = None, None
        self.before_call = lambda: None
        self.environment = {}
        self.ends = contextlib.ExitStack()

    def start(self, *options):
        self.command, self.supervisor = self.serve(*options)

    def create(self, *options, name="q"):
        self.command("create", name, *options)

    def signal(self, number):
        for pid in self.supervisor.processes().values():
            os.kill(pid, number)


def with_queue(*options, send=0, before_call=None):
    """A scene with nothing but a queue, with these options and so many messages of 100 bytes."""
    def prepare(scene):
        scene.start("--socket-mode", "0666")
        scene.create(*options)
        for _ in range(send):
            scene.command("send", "q", "x" * 100)
        if before_call:
            scene.before_call = lambda: before_call(scene)
    return prepare


def remove(scene):
    scene.command("rm", "-y", "q")


def stop(scene):
    scene.start()
    scene.signal(signal.SIGSTOP)
    scene.ends.callback(scene.signal, signal.SIGCONT)


def with_member(scene):
    with_queue()(scene)
    scene.command.start("recv", "q", "-t", "inf")
    eventually(lambda: scene.command.info("q")["consumers"] == 1, "somebody receives")


def ring_of(scene):
    """The ring of q: the supervisor has it as an open file."""
    folder = f"/proc/{scene.supervisor.processes()['supervisor']}/fd"
    links = {os.readlink(f"{folder}/{fd}"): f"{folder}/{fd}" for fd in os.listdir(folder)}
    [ring] = [path for link, path in links.items() if link.startswith("/memfd:spillring:q:ring")]
    return ring


def damage(scene, *options):
    """A message of 4 GiB (docs/memory-layout.md)."""
    with_queue(*options, send=1)(scene)
    slots = scene.command.info("q")["ring_slots"]
    with open(ring_of(scene), "r+b", buffering=0) as ring:
        os.pwrite(ring.fileno(), struct.pack("<I", 2**32 - 1), 4096 + 16 * slots + 64 * (1 % slots) + 24)


def poison(scene):
    """Where the oldest are dropped: any other queue goes on in another ring."""
    damage(scene, "--full", "drop-oldest")
    scene.command("recv", "q", code=65)
    eventually(lambda: scene.command.info("q")["state"] == "poisoned", "the supervisor has seen it")


def play_another_protocol(scene):
    """Somebody else's socket, which answers."""
    path = scene.place / "spillringd.sock"
    listener = scene.ends.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET))
    listener.bind(str(path))
    listener.listen()

    def answer():
        with contextlib.suppress(OSError):  # closed: the end
            while True:
                peer, _ = listener.accept()
                scene.ends.callback(peer.close)
                peer.recv(4096)
                peer.send(bytes(576))

    threading.Thread(target=answer, daemon=True).start()
    scene.ends.callback(listener.shutdown, socket.SHUT_RDWR)


def fill_disk(scene):
    scene.command, disk = scene.small_disk("--disk-reserve", "0", size="1m", filler=0)
    with contextlib.suppress(OSError), disk.filler.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))


def block_journal(scene):
    """A file where the journals' directory is to be."""
    scene.start("--state-dir", scene.place / "state")
    scene.command("create", "q")
    journals = scene.place / "state" / "journal"
    if journals.exists():
        journals.rmdir()
    journals.touch()


def durable(scene):
    scene.start("--state-dir", scene.place / "state")
    scene.create("--durability", "disk")
    scene.before_call = scene.supervisor.kill


SHIM = """
#include <errno.h>
#include <stdarg.h>
long syscall(long number, ...) {
  if (number == 449) return errno = ENOSYS, -1;
  va_list a;
  va_start(a, number);
  long x[6];
  for (int i = 0; i < 6; ++i) x[i] = va_arg(a, long);
  va_end(a);
  register long r10 __asm__("r10") = x[3];
  register long r8 __asm__("r8") = x[4];
  register long r9 __asm__("r9") = x[5];
  long result;
  __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(x[0]), "S"(x[1]), "d"(x[2]), "r"(r10), "r"(r8),
                   "r"(r9) : "rcx", "r11", "memory");
  return result < 0 && result > -4096 ? (errno = -result, -1) : result;
}
"""


def before_linux_5_16(scene):
    """System calls go through a library that does not know futex_waitv."""
    with_queue()(scene)
    (scene.place / "shim.c").write_text(SHIM)
    shim = scene.place / "shim.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", shim, scene.place / "shim.c"], check=True)
    scene.environment = {"LD_PRELOAD": f"{os.environ.get('LD_PRELOAD', '')} {shim}".strip()}


SCENES = {
    "full": with_queue("--full", "reject", "--slots", "64"),
    "empty": with_queue(),
    "timeout": stop,
    "interrupted": with_queue(),
    "stale": with_queue("--lease", "50ms", send=1),
    "closed": with_queue(),
    "deleted": with_queue(before_call=remove),
    "poisoned": poison,
    "corrupt": damage,
    "too_large": with_queue(),
    "invalid": with_queue(),
    "not_found": with_queue(),
    "exists": with_queue(),
    "denied": with_queue(),
    "no_memory": with_queue(),
    "busy": with_member,
    "unavailable": lambda scene: None,
    "version_mismatch": play_another_protocol,
    "unsupported": before_linux_5_16,
    "forked": with_queue(),
    "no_space": fill_disk,
    "io": block_journal,
    "in_doubt": durable,
}


@pytest.fixture
def scene(serve, small_disk, place, provoke):
    scene = Scene(serve, small_disk, place, provoke)
    yield scene
    scene.ends.close()


def test_each_code_has_a_scene():
    assert [*SCENES, "internal"] == list(TABLE)


# -------------------------------------------------------------------------------------------- it is provoked


def is_sentence(text):
    return len(text) > 8 and text.isprintable() and text == text.strip()


@pytest.mark.parametrize(("language", "code"), [
    (language, code) for language in LANGUAGES for code in TABLE if occurs(code, language)])
def test_of_a_program(scene, language, code):
    if code == "denied" and os.geteuid() != 0:
        pytest.skip("only root can become another user")
    SCENES[code](scene)
    program = scene.provoke(language, code, scene.environment)
    scene.before_call()
    output, errors = program.communicate("\n")
    assert errors == ""
    said = output.splitlines()
    if language == "Python":
        name, named, text, hint = said
        assert (name, named) == (TABLE[code]["Python"], code)
        *what, why = text.split(": ")
        what = ": ".join(what)
    else:
        number, named, what, why, hint = said
        assert (number, named) == (TABLE[code]["number"], code)
    assert all(map(is_sentence, (what, why, hint))), said


COMMANDS = {
    "full": lambda scene: ["send", "q", *["x"] * 1000],
    "empty": lambda scene: ["recv", "q"],
    "timeout": lambda scene: ["--timeout", "200ms", "ls"],
    "deleted": lambda scene: ["recv", "q", "-t", "inf"],
    "poisoned": lambda scene: ["recv", "q"],
    "corrupt": lambda scene: ["recv", "q"],
    "too_large": lambda scene: ["send", "q", "-f", a_file(scene, 5 << 20)],
    "invalid": lambda scene: ["info", ".q"],
    "not_found": lambda scene: ["info", "none"],
    "exists": lambda scene: ["create", "q"],
    "denied": lambda scene: ["send", "q", "x"],
    "no_memory": lambda scene: ["create", "large", "--capacity", "1TiB", "--prealloc"],
    "busy": lambda scene: ["group", "rm", "-y", "q", "default"],
    "unavailable": lambda scene: ["ls"],
    "version_mismatch": lambda scene: ["ls"],
    "unsupported": lambda scene: ["tail", "-f", "q"],
    "no_space": lambda scene: ["create", "other", "--durability", "disk"],
    "io": lambda scene: ["create", "other", "--durability", "disk"],
    "in_doubt": lambda scene: ["send", "q", "--durable"],
}
WAITS = {"deleted": "consumers", "in_doubt": "producers"}  # until it is attached


def a_file(scene, size):
    path = scene.place / "file"
    path.write_bytes(bytes(size))
    return path


def started(scene, code, arguments):
    """The command, for `denied` as nobody and from where nobody can reach it."""
    program, user = BUILD / "bin/spillring", {}
    if code == "denied":
        shutil.copy(program, scene.place)
        program, user = scene.place / "spillring", {"user": 65534, "group": 65534, "extra_groups": []}
    return subprocess.Popen(
        [program, *arguments], text=True, cwd=scene.place, **user,
        env={**os.environ, "SPILLRING_SOCKET": str(scene.place / "spillringd.sock"), **scene.environment},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


@pytest.mark.parametrize("code", [code for code in TABLE if occurs(code, "command")])
def test_of_the_command(scene, code):
    if code == "denied" and os.geteuid() != 0:
        pytest.skip("only root can become another user")
    SCENES[code](scene)
    process = started(scene, code, COMMANDS[code](scene))
    try:
        if code in WAITS:
            eventually(lambda: scene.command.info("q")[WAITS[code]] == 1, "it is attached")
        scene.before_call()
        output, errors = process.communicate("x\n", timeout=60)
    finally:
        process.kill()
    assert output == ""
    assert process.returncode == int(TABLE[code]["exit"]), errors
    if code == "empty":
        return  # no failure, and a remark on a terminal only
    parts = re.fullmatch(r"error: (.+)\n  why: (.+)\n  hint: (.+)\n", errors)
    assert parts, errors
    assert all(map(is_sentence, parts.groups())), errors
