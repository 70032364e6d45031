"""The second part of the demonstration: a queue that takes much more than fits into memory."""

import json
import os
import shutil
import signal
import time

from harness import BUILD, Failed, wait_for

CAPACITY = 16 << 20
LARGEST = 3 << 20  # a message may have a quarter of the queue's capacity
AIM = 2200 << 20   # bytes to be sent
SPARE = 1 << 30    # bytes of the disk that stay free
PROGRAMS = BUILD / "tests" / "demo"


class Spilling:
    def __init__(self, bench, state, files, clock):
        import spillring

        self.bench = bench
        self.clock = clock
        self.journal = state / "journal"
        self.hashes = files
        sizes = {path: os.path.getsize(path) for path in files}
        sizes = {path: size for path, size in sizes.items() if size <= LARGEST}
        self.aim = min(AIM, shutil.disk_usage(state).free - SPARE)
        if self.aim < AIM:
            clock.say(f"the disk has room for {max(self.aim, 0) / 1e6:.0f} MB only")
        rounds = max(self.aim // sum(sizes.values()), 0) + 1
        self.paths = list(sizes) * rounds
        self.list = bench.directory / "many-files"
        self.list.write_bytes(b"".join(os.fsencode(path) + b"\0" for path in self.paths))
        self.reports = bench.directory / "many-files.reports"
        self.bus = spillring.connect(str(bench.socket))
        self.queue = self.bus.queue("many-files", create=True, capacity=CAPACITY)

    def on_disk(self):
        return sum(path.stat().st_size for path in self.journal.glob("*/*.segment"))

    def run(self):
        reader = self.bench.start(PROGRAMS / "demo_subscriber", self.bench.socket, "many-files", self.reports,
                                  len(self.paths), "reader")
        reader.report()
        reader.kill(signal.SIGSTOP)
        begun = time.monotonic()
        producer = self.bench.start(PROGRAMS / "demo_producer", self.bench.socket, "many-files", self.list, 0, 1)
        wait_for(lambda: self.on_disk() > self.aim // 4, 120, "nothing is spilled")
        before = self.bench.processes()["supervisor"]
        os.kill(before, signal.SIGKILL)
        self.sent = producer.report(timeout=300)
        self.sending = time.monotonic() - begun
        self.spilled = self.on_disk()
        self.info = self.queue.info()
        self.supervisor_replaced = self.bench.processes().get("supervisor") not in (None, before)
        self.clock.say(f"{self.sent['bytes'] / 1e6:,.0f} MB sent to a queue of {CAPACITY >> 20} MiB while its reader "
                       f"was stopped; {self.spilled / 1e6:,.0f} MB of them are on the disk; the supervisor was killed")
        begun = time.monotonic()
        reader.kill(signal.SIGCONT)
        if producer.finish() != 0 or reader.finish(300) != 0:
            raise Failed("a process failed")
        self.reading = time.monotonic() - begun
        wait_for(lambda: self.on_disk() == 0, 10, "the disk is not given back")
        self.clock.say("the reader goes on, and has it all; nothing is left on the disk")
        self.received = [json.loads(line) for line in self.reports.read_text().splitlines()]
        self.bus.close()

    def complaints(self):
        """What is not as it must be."""
        rules = {
            "less than was sent came out of the queue that spills": len(self.received) == len(self.paths),
            "its messages were out of order": [r["path"] for r in self.received] == self.paths,
            "its messages were damaged": all(self.hashes[r["path"]] == r["sha256"] for r in self.received),
            "it did not spill": self.spilled > self.aim * 9 // 10 and self.info.journaled > 0,
            "its supervisor was not replaced": self.supervisor_replaced,
        }
        return [complaint for complaint, holds in rules.items() if not holds]

    def print(self):
        amount = self.sent["bytes"] / 1e6
        print(f"Through the queue of {CAPACITY >> 20} MiB went {amount:,.0f} MB in {len(self.received):,} messages: sent at "
              f"{amount / self.sending:,.0f} MB/s,\nread and hashed at {amount / self.reading:,.0f} MB/s.")
