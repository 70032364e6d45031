"""Rivals that are programs: built or fetched before the bench, each by its own language's client."""

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
STREAMS = ["stream64", "stream1k", "stream64k", "stream1m", "producers3", "fanout3"]
ROUND_TRIPS = ["rtt24", "rtt64", "rtt1k"]
LOADS = ["load64_10", "load64_50", "load64_90"]
PYTHON = ["python64", "python1m", "python_rtt64", "python_cpu64_idle", "python_cpu64_1k", "python_cpu64_full"]


class Missing(Exception):
    """Why a rival is not there."""


def run(log, *command, **options):
    """Its output goes to a log; where it fails, the end of that is the reason."""
    with open(log, "w") as output:
        try:
            done = subprocess.run(command, stdout=output, stderr=subprocess.STDOUT, timeout=900, **options)
        except (FileNotFoundError, subprocess.TimeoutExpired) as error:
            raise Missing(f"{command[0]}: {error}") from None
    if done.returncode != 0:
        last = log.read_text().strip().splitlines()[-1:] or [""]
        raise Missing(f"{Path(command[0]).name} failed: {last[0][:200]}; see {log.name}")


def python_module(folder):
    """A virtual environment with iceoryx2's wheel, beside Debian's modules."""
    place = folder / "python"
    python = place / "bin" / "python"
    if not (place / "done").exists():
        run(folder / "venv.log", sys.executable, "-m", "venv", "--clear", "--system-site-packages", str(place))
        run(folder / "pip.log", str(python), "-m", "pip", "install", "iceoryx2==0.10.0")
        (place / "done").touch()
    return str(python)


def python_programs(folder):
    play = str(HERE / "rivals/python/play.py")

    def program(name, settings, python=sys.executable, **more):
        return {"settings": settings, "command": [python, play, f"carrier_{name}"], "works": PYTHON, "python": True,
                "together": True, "sleeps": True, **more}

    yield "python_spillring", lambda: program(
        "spillring", "put and get of the module, put_many and get_many; queues as they are by default, full = block",
        works=[*PYTHON, "python64_batch"],
    )
    yield "python_multiprocessing", lambda: program("multiprocessing", "multiprocessing.Queue of 4096, 64 of 1 MiB")
    yield "python_zmq", lambda: program("zmq", "pyzmq, PUSH/PULL over ipc; high-water mark 1000, 16 of 1 MiB")
    yield "python_iceoryx2", lambda: program(
        "iceoryx2", "iceoryx2 0.10.0, slices of bytes, polled; RetryUntilDelivered", python_module(folder)
    )


def iceoryx2(folder):
    """Built from its crate by Debian's own compiler, as Cargo.lock has it."""
    source = HERE / "rivals/iceoryx2"
    environment = {**os.environ, "RUSTC": "/usr/bin/rustc", "RUSTFLAGS": "-C target-cpu=native"}
    run(
        folder / "iceoryx2.log", "/usr/bin/cargo", "build", "--release", "--locked",
        "--manifest-path", str(source / "Cargo.toml"), "--target-dir", str(folder / "iceoryx2"), env=environment,
    )
    return {
        "settings": "0.10.0; no overflow, RetryUntilDelivered, buffer of 256 (16 of 1 MiB); polled, where it waits an "
        "event for each message",
        "command": [str(folder / "iceoryx2/release/iceoryx2-bench")],
        "works": [*ROUND_TRIPS, "rtt64_wait", "rtt64_sleep", *STREAMS, "handover1m", "attach"],
    }


AERON = "io.aeron:aeron-all:1.47.3"


def aeron(folder):
    """Fetched from Maven Central, compiled by Debian's JDK 17."""
    jar = folder / "aeron" / f"{AERON.split(':')[1]}-{AERON.split(':')[2]}.jar"
    if not jar.exists():
        copy = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy"
        run(folder / "maven.log", "mvn", "-q", "-B", copy, f"-Dartifact={AERON}", f"-DoutputDirectory={jar.parent}",
            "-Dmdep.useBaseVersion=true", cwd=folder)
    classes = jar.parent / "classes"
    sources = [str(path) for path in sorted((HERE / "rivals/aeron").glob("*.java"))]
    run(folder / "javac.log", "javac", "-cp", str(jar), "-d", str(classes), *sources)
    return {
        "settings": "1.47.3 in Java; aeron:ipc?mtu=65504, term-length=4m (16m from 1 MiB on); tryClaim where it fits; an "
        "exclusive publication in round trips and stream64_exclusive, else a concurrent one; a driver of its own, "
        "SHARED, backoff; 20 windows of warm-up",
        "command": [
            "java", "--add-opens", "java.base/sun.nio.ch=ALL-UNNAMED", "--add-opens",
            "java.base/jdk.internal.misc=ALL-UNNAMED", "-XX:+UseSerialGC", "-cp", f"{classes}:{jar}", "Bench",
        ],
        "works": [*ROUND_TRIPS, *STREAMS, *LOADS, "stream64_exclusive", "attach"],
        "together": True,
        "warmups": 20,
    }


def other_programs(folder):
    yield "iceoryx2", lambda: iceoryx2(folder)
    yield "aeron", lambda: aeron(folder)


ALL = [other_programs, python_programs]


def programs(folder, asked):
    """Those asked for, or all, as bench_compare takes them; of those that cannot be had, the reason."""
    folder.mkdir(parents=True, exist_ok=True)
    found = []
    for family in ALL:
        for name, make in family(folder):
            if asked and name not in asked:
                continue
            try:
                found.append({"name": name, **make()})
            except Missing as missing:
                print(f"bench: without {name}: {missing}", file=sys.stderr)
                found.append({"name": name, "settings": "", "missing": str(missing), "works": [],
                              "python": name.startswith("python")})
    return found
