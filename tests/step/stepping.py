"""What the tests that kill at instructions share: `step`, and where in spillringd it is to stop."""

import bisect
import ctypes
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "kill"))

from harness import BUILD, Bench, Failed, Role, run_checks, wait_for  # noqa: E402

TOOLS = BUILD / "tests" / "step"
DAEMON = BUILD / "bin" / "spillringd"
PTRACE_SEIZE = 0x4206


class Program:
    """The functions of spillringd."""

    def __init__(self):
        listing = subprocess.run(["nm", "-C", "--defined-only", DAEMON], check=True, capture_output=True, text=True)
        symbols = (line.split(" ", 2) for line in listing.stdout.splitlines())
        self.functions = sorted((int(at, 16), name) for at, kind, name in symbols if kind in "tTwW")
        self.starts = [at for at, _ in self.functions]

    def offset(self, function):
        wanted = function if function.startswith("daemon::") else "::" + function
        found = {at for at, name in self.functions
                 if wanted in name and name.startswith("spillring::") and "[clone" not in name
                 and "{lambda" not in name}
        if len(found) != 1:
            raise Failed(f"spillringd has {len(found)} functions named {function}")
        return found.pop()

    def name(self, place):
        if place["file"] != "spillringd":
            return f"{place['file'] or '?'}+{place['offset']:#x}"
        start, name = self.functions[bisect.bisect_right(self.starts, place["offset"]) - 1]
        return f"{name.split('(')[0]}+{place['offset'] - start:#x}"


class Operation:
    def __init__(self, program, name, function, hits):
        self.name = name
        self.start = program.offset(function)
        self.hits = hits
        self.length = 0
        self.way = []

    def stage(self, chance, steps="-"):
        """What leads to so many instructions behind its beginning; most of the way at full speed."""
        begin = f"at:{self.start}:{chance.randint(1, self.hits)}"
        if steps == "-":
            return f"{begin}:-"
        point = bisect.bisect_right(self.way, [steps, 1 << 64]) - 1
        if point < 0:
            return f"{begin}:{steps}"
        before, offset, hit = self.way[point]
        return f"{begin}:{offset}:{hit}:{steps - before}"

    def measured(self, stage):
        self.length, self.way = stage["steps"], stage["way"]

    def spread(self, points, chance):
        """Numbers of steps, one from each of as many equal parts; of a short one no more than it has."""
        points = min(points, max(1, self.length))
        return [int((i + chance.random()) * self.length / points) for i in range(points)]


class Step:
    """A run of the tool, which waits for what it is to happen in."""

    def __init__(self, bench, *stages, both=False):
        servants = processes(bench)
        self.role = Role(TOOLS / "step", *(["--both"] if both else []), servants["keeper"], servants["supervisor"],
                         *stages)
        self.role.report()

    def end(self):
        try:
            said = self.role.report()
            if self.role.wait() != 0:
                raise Failed("step failed")
            return said
        finally:
            self.role.close()


def processes(bench):
    wait_for(lambda: len(Bench.processes(bench)) == 2, 10, "the lock file names no two processes")
    return Bench.processes(bench)


def may_trace():
    """Whether the kernel lets this process do what the tool does."""
    child = subprocess.Popen(["sleep", "10"])
    try:
        return ctypes.CDLL(None, use_errno=True).ptrace(PTRACE_SEIZE, child.pid, 0, 0) == 0
    finally:
        child.kill()
        child.wait()


def run_traced(title, seed, test):
    """run_checks() where that can be tried."""
    if not may_trace():
        print(f"  SKIP  {title}: the kernel does not let this process trace others")
        print("0 passed, 0 failed, 1 skipped")
        return 0
    print(f"{title}: seed {seed}", flush=True)
    return run_checks(test)


def require(condition, what):
    if not condition:
        raise Failed(what)
