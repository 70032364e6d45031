"""Sends thousands of this machine's files through a queue while processes are killed and stopped.

Two C++ producers read each file straight into the queue's memory. Two Python consumers share them, a
C++ subscriber follows all of them; both compute SHA-256 where the bytes lie. One consumer is killed
while it holds messages, one producer is stopped in the middle of a message, and while data flows the
supervisor and then its keeper are killed: nobody may notice. In the end every file's SHA-256, as
received, is compared with that of the file on disk.

Then a queue of 16 MiB takes gigabytes while its reader is stopped: the oldest messages spill to the
disk, and come back in order when the reader goes on. The supervisor is killed meanwhile.
"""

import collections
import hashlib
import json
import os
import pathlib
import signal
import stat
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "kill"))

from harness import BUILD, Bench, Failed, wait_for  # noqa: E402
from spilling import Spilling  # noqa: E402

sys.path.insert(0, str(BUILD / "python"))

TREE = "/usr"
LEAST_FILES = 5_000
LEAST_BYTES = 200_000_000
LARGEST = 15 << 20  # a message may have a quarter of the queue's capacity
CAPACITY = 64 << 20
HOLD_AFTER = 30  # messages
STOP_AT = 100    # files: the other producer has enough left to go past it
STOPPED_FOR = 2   # seconds, at least
PASSES_WITHIN = 30  # seconds; readers that have come to a stopped loan wait for one


class Clock:
    def __init__(self):
        self.begun = time.monotonic()

    def say(self, text):
        print(f"[{time.monotonic() - self.begun:5.1f} s] {text}", flush=True)


def usable(path):
    """True for a readable regular file that is not too large and is named in UTF-8."""
    status = os.lstat(path)
    return (stat.S_ISREG(status.st_mode) and status.st_size <= LARGEST and path.isprintable()
            and os.access(path, os.R_OK))


def collect():
    """Path -> SHA-256 and the bytes in all; always the same files on the same machine."""
    hashes, total = {}, 0
    for folder, folders, names in os.walk(TREE):
        folders.sort()
        for name in sorted(names):
            path = os.path.join(folder, name)
            if not usable(path):
                continue
            content = pathlib.Path(path).read_bytes()
            hashes[path] = hashlib.sha256(content).hexdigest()
            total += len(content)
            if len(hashes) >= LEAST_FILES and total >= LEAST_BYTES:
                return hashes, total
    raise Failed(f"{TREE} holds only {len(hashes):,} files and {total / 1e6:.0f} MB that can be read; "
                 f"this demonstration wants {LEAST_FILES:,} and {LEAST_BYTES / 1e6:.0f} MB")


class Demo:
    def __init__(self, bench, files, clock):
        import spillring

        self.bench = bench
        self.clock = clock
        self.files = files
        self.list = bench.directory / "files"
        self.list.write_bytes(b"".join(os.fsencode(path) + b"\0" for path in files))
        self.bus = spillring.connect(str(bench.socket))
        self.queue = self.bus.queue("files", create=True, capacity=CAPACITY, full="block")
        self.consumers = []

    def reports(self, name):
        return self.bench.directory / f"{name}.reports"

    def received(self, name):
        """What a process reported; a killed one may have written half of its last line."""
        lines = self.reports(name).read_text().split("\n")[:-1]
        return [json.loads(line) for line in lines]

    def start_consumer(self, *hold_after):
        name = f"consumer {len(self.consumers) + 1}"
        consumer = self.bench.start("/usr/bin/python3", HERE / "consumer.py", self.bench.socket,
                                    self.reports(name), *hold_after)
        consumer.name = name
        self.consumers.append(consumer)
        consumer.report()
        return consumer

    def start_producer(self, first, *stop_at):
        return self.bench.start(BUILD / "tests" / "demo" / "demo_producer", self.bench.socket, "files", self.list,
                                first, 2, *stop_at)

    def run(self):
        self.subscriber = self.bench.start(BUILD / "tests" / "demo" / "demo_subscriber", self.bench.socket,
                                           "files", self.reports("subscriber"), len(self.files))
        self.subscriber.report()
        victim = self.start_consumer(HOLD_AFTER)
        self.start_consumer()
        begun = time.monotonic()
        self.producers = [self.start_producer(0, STOP_AT), self.start_producer(1)]
        self.clock.say("2 producers, 2 consumers and a subscriber are at work")
        self.kill_servant("supervisor")
        self.kill(victim)
        self.stop(self.producers[0])
        self.kill_servant("keeper")
        self.sent = [producer.report() for producer in self.producers]
        self.wait_until_all_is_acknowledged()
        self.seconds = time.monotonic() - begun
        for role in [self.subscriber, *self.producers, *self.consumers[1:]]:
            if role.finish() != 0:
                raise Failed(f"{role.name} failed")
        self.bus.close()

    def kill(self, victim):
        self.held = victim.report()["holding"]
        victim.kill(signal.SIGKILL)
        victim.wait()
        replacement = self.start_consumer()
        self.clock.say(f"{victim.name} killed by SIGKILL while it held {len(self.held)} messages; "
                       f"{replacement.name} takes its place")

    def kill_servant(self, name):
        """The supervisor or its keeper; the other one starts the next."""
        before = self.bench.processes()
        received = self.count_received()
        os.kill(before[name], signal.SIGKILL)
        wait_for(lambda: len(self.bench.processes()) == 2 and self.bench.processes()[name] != before[name], 10,
                 f"nobody took the place of the {name}")
        wait_for(lambda: self.count_received() > received, 10, f"nothing was received without the {name}")
        after = self.bench.processes()
        other = "keeper" if name == "supervisor" else "supervisor"
        if after[other] != before[other]:
            raise Failed(f"the {other} did not survive the {name}")
        self.clock.say(f"{name}, process {before[name]}, killed by SIGKILL; process {after[name]} takes its place")

    def count_received(self):
        return self.reports("subscriber").read_bytes().count(b"\n")

    def stop(self, producer):
        stopping = producer.report()
        if not producer.stopped():
            raise Failed("the producer did not stop")
        self.clock.say(f"producer 1 stopped by SIGSTOP in the middle of {stopping['stopping']}")
        begun = time.monotonic()
        time.sleep(STOPPED_FOR)
        self.passed_by = self.wait_until_passed(stopping["seq"], begun + PASSES_WITHIN)
        producer.kill(signal.SIGCONT)
        stale = producer.report()
        self.clock.say(f"continued after {time.monotonic() - begun:.0f} s, when {self.passed_by:,} later files "
                       "had been received")
        if stale.get("stale") != stopping["stopping"]:
            raise Failed("the stopped producer's publish was not refused as stale")
        self.clock.say("its publish was refused as stale: nobody saw the half-filled message; sent again")

    def wait_until_passed(self, seq, deadline):
        """How many messages that are later than `seq` the subscriber has got; waits for the first."""
        while not (later := sum(report["seq"] > seq for report in self.received("subscriber"))):
            if time.monotonic() > deadline:
                raise Failed("nothing went past the stopped producer")
            time.sleep(0.05)
        return later

    def wait_until_all_is_acknowledged(self):
        deadline = time.monotonic() + 60
        while any(group.name == "workers" and group.lag for group in self.queue.groups()):
            if time.monotonic() > deadline:
                raise Failed("the consumers never come to the end")
            time.sleep(0.01)


class Verdict:
    """What was received, held against what is on disk."""

    def __init__(self, demo):
        self.demo = demo
        self.by = {name: demo.received(name) for name in [*(c.name for c in demo.consumers), "subscriber"]}
        self.group = [report for consumer in demo.consumers for report in self.by[consumer.name]]
        self.stream = self.by["subscriber"]
        everything = self.group + self.stream
        self.damaged = sum(demo.files.get(report["path"]) != report["sha256"] for report in everything)
        self.lost = len(set().union(*(demo.files.keys() - {report["path"] for report in reports}
                                      for reports in (self.group, self.stream))))
        self.redelivered = {report["seq"] for report in self.group if report["deliveries"] > 1}

    def complaints(self):
        """What is not as it must be. Each was seen: with a file left out, a byte flipped in a message,
        a consumer that acknowledged what it held, a report written twice, a producer that only said
        that it stops."""
        seen = collections.Counter(report["path"] for report in self.group)
        first = collections.Counter(report["path"] for report in self.group if report["deliveries"] == 1)
        rules = {
            "a file was lost": self.lost == 0,
            "a file was damaged": self.damaged == 0,
            "the kill caused no redelivery": set(self.demo.held) <= self.redelivered,
            "a duplicate was not flagged as redelivery": all(first[path] <= 1 for path in seen),
            "the stream saw a file twice": len(self.stream) <= len(self.demo.files),
        }
        return [complaint for complaint, holds in rules.items() if not holds]

    def print(self):
        print(f"\n{'':40}{'files':>9}{'MB':>9}{'MB/s':>9}")
        for number, sent in enumerate(self.demo.sent, 1):
            self.row(f"sent by producer {number} (C++)", sent["sent"], sent["bytes"])
        for name, reports in self.by.items():
            killed = ", killed" if name == "consumer 1" else ""
            kind = "C++" if name == "subscriber" else "Python"
            self.row(f"received by {name} ({kind}{killed})", len(reports), sum(r["size"] for r in reports))
        print(f"{'redelivered':40}{len(self.redelivered):>9,}")
        print(f"{'sent again after the stop':40}{sum(sent['stale'] for sent in self.demo.sent):>9,}")
        print(f"{'lost':40}{self.lost:>9,}")
        print(f"{'damaged':40}{self.damaged:>9,}")
        print(f"\nThe queue of {CAPACITY >> 20} MiB was full {sum(sent['waits'] for sent in self.demo.sent):,} times; "
              f"{self.demo.seconds:.1f} s in all, the stop included.")

    def row(self, name, files, size):
        print(f"{name:40}{files:>9,}{size / 1e6:>9.1f}{size / 1e6 / self.demo.seconds:>9.1f}")


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that nothing is left running
    clock = Clock()
    print(__doc__)
    try:
        files, total = collect()
        clock.say(f"{len(files):,} files of {TREE}, {total / 1e6:.0f} MB, with their SHA-256 as on disk")
        os.environ["PYTHONPATH"] = os.pathsep.join([str(BUILD / "python"), os.environ.get("PYTHONPATH", "")])
        with tempfile.TemporaryDirectory(prefix="demo-state-", dir=BUILD) as state, \
                Bench("--state-dir", state) as bench:
            demo = Demo(bench, files, clock)
            demo.run()
            verdict = Verdict(demo)
            spilling = Spilling(bench, pathlib.Path(state), files, clock)
            spilling.run()
    except Failed as failure:
        print(f"demo failed: {failure}")
        return 1
    verdict.print()
    spilling.print()
    complaints = verdict.complaints() + spilling.complaints()
    print("\nEvery file arrived, undamaged, with everybody." if not complaints else f"demo failed: {'; '.join(complaints)}")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
