"""What the end-to-end tests share: a private supervisor, processes that report, a list of checks."""

import contextlib
import errno
import json
import os
import pathlib
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("SPILLRING_BUILD") or ROOT / "build" / "dev").resolve()


class Failed(Exception):
    """The test cannot go on."""


class Role:
    """A process that reports JSON lines on its standard output and is told things on its input."""

    def __init__(self, *command, ending=signal.SIGKILL, stderr=None, **options):
        self.name = pathlib.Path(str(command[0])).name
        self.ending = ending  # the signal that ends it
        self.process = subprocess.Popen([str(part) for part in command], bufsize=0, stderr=stderr,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, **options)
        self.pid = self.process.pid

    def report(self, timeout=60):
        """The next line."""
        if not select.select([self.process.stdout], [], [], timeout)[0]:
            raise Failed(f"{self.name} said nothing for {timeout} s")
        line = self.process.stdout.readline()
        if not line:
            raise Failed(f"{self.name} ended early: {self.process.wait()}")
        return json.loads(line)

    def tell(self, line="go"):
        self.process.stdin.write(line.encode() + b"\n")

    def kill(self, number=signal.SIGKILL):
        self.process.send_signal(number)

    def stopped(self, timeout=30):
        """Waits until it is stopped by a signal; true if it is."""
        deadline = time.monotonic() + timeout
        try:
            while time.monotonic() < deadline:
                if os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WNOWAIT | os.WNOHANG):
                    return True
                time.sleep(0.01)
        except ChildProcessError:
            pass  # it has ended
        return False

    def wait(self, timeout=60):
        """Its exit status; negative: the signal that ended it."""
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise Failed(f"{self.name} did not end within {timeout} s") from None

    def finish(self, timeout=60):
        """Closes its input, which means: come to an end."""
        self.process.stdin.close()
        return self.wait(timeout)

    def close(self):
        """Ends it if it has not ended by itself."""
        if self.process.poll() is None:
            self.kill(self.ending)
            self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


class Bench:
    """A directory, a supervisor of its own in it, and the processes of a test; all gone at the end."""

    def __init__(self, *options, prefix=()):
        if not (BUILD / "bin" / "spillringd").exists():
            raise Failed(f"spillringd is not built in {BUILD}")
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="spillring-test-"))
        self.socket = self.directory / "spillringd.sock"
        self.roles = []
        self.log = self.directory / "spillringd.log"
        with self.log.open("w") as log:
            self.supervisor = Role(*prefix, BUILD / "bin" / "spillringd", "--socket", self.socket, *options,
                                   ending=signal.SIGTERM, stderr=log, start_new_session=True)
        try:
            self._wait_until_it_listens()
        except BaseException:
            self.__exit__()
            raise

    def _wait_until_it_listens(self):
        deadline = time.monotonic() + 10
        while not listens(self.socket):
            if self.supervisor.process.poll() is not None or time.monotonic() > deadline:
                raise Failed("spillringd does not listen")
            time.sleep(0.01)

    def processes(self):
        """{"supervisor": PID, "keeper": PID}, as they are now; empty while they are changing."""
        try:
            lines = pathlib.Path(f"{self.socket}.lock").read_text().splitlines()
            return {name: int(pid) for name, pid in map(str.split, lines)}
        except (FileNotFoundError, ValueError):
            return {}

    def start(self, *command, **options):
        role = Role(*command, **options)
        self.roles.append(role)
        return role

    def silence(self):
        """Ends the processes, not the supervisor."""
        for role in self.roles:
            role.close()

    def stop_supervisor(self):
        """Also where the process that was started is not the keeper any more."""
        try:
            keeper = self.processes().get("keeper", self.supervisor.pid)
            if keeper != self.supervisor.pid:
                os.kill(keeper, signal.SIGTERM)
                wait_for(lambda: not self.socket.exists(), 30, "spillringd does not end")
            self.supervisor.close()
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.supervisor.pid, signal.SIGKILL)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.silence()
        self.stop_supervisor()
        for line in self.log.read_text().splitlines():
            if "listening" not in line and "takes its place" not in line:
                print(f"spillringd said: {line}", file=sys.stderr)
        shutil.rmtree(self.directory, ignore_errors=True)


def wait_for(condition, seconds, complaint):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise Failed(complaint)
        time.sleep(0.002)


def listens(path):
    for kind in (socket.SOCK_SEQPACKET, socket.SOCK_STREAM):
        with socket.socket(socket.AF_UNIX, kind) as probe:
            try:
                probe.connect(str(path))
                return True
            except OSError as error:
                if error.errno != errno.EPROTOTYPE:
                    return False
    return False


class Checks:
    """Prints each promise with its figure and counts."""

    def __init__(self):
        self.passed = 0
        self.failed = 0

    def check(self, promise, holds, figure=""):
        self.passed += bool(holds)
        self.failed += not holds
        print(f"  {'ok  ' if holds else 'FAIL'}  {promise}{': ' if figure != '' else ''}{figure}", flush=True)

    def finish(self):
        """Prints the last line; returns the exit status."""
        print(f"{self.passed} passed, {self.failed} failed", flush=True)
        return 1 if self.failed or not self.passed else 0


def run_checks(test):
    """Runs `test(checks)`; a test that cannot go on has failed."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that nothing is left running
    checks = Checks()
    try:
        test(checks)
    except Failed as failure:
        checks.check("runs to its end", False, failure)
    return checks.finish()


def table(rows):
    """Prints rows of (name, figure), aligned."""
    width = max(len(name) for name, _ in rows)
    for name, figure in rows:
        shown = f"{figure:,}" if isinstance(figure, (int, float)) else figure
        print(f"  {name:<{width}}  {shown:>14}", flush=True)
