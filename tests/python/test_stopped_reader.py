"""Readers of a journal whose files are written over while they stand still (SIGSTOP): whatever they were in the middle
of, a look, a claim or a read, nothing else is taken for a message, and nothing is called corrupt."""

import contextlib
import hashlib
import os
import random
import signal
import subprocess
import sys
import threading
import time

import pytest
import spillring
from conftest import LONG
from supervised import Supervisor

SECONDS = 6
LEASE = 0.05  # a reader that stands still for longer loses what it holds to another, and files go on without it
BACKLOG = 1500  # messages: what is read lies on the disk

READER = """
import contextlib, hashlib, os, sys, spillring
kind, socket, stop = sys.argv[1:]
seen = wrong = 0

def check(data):
    global seen, wrong
    seen += 1
    wrong += hashlib.md5(data[16:]).digest() != data[:16]

def peek(queue):
    for message in queue.peek(100):
        check(bytes(message))

def consume(consumer):
    message = consumer.receive(timeout=0.1)
    if message is None:
        return
    check(bytes(message))
    with contextlib.suppress(spillring.Stale):
        message.ack()

with spillring.connect(socket, autostart=False) as bus:
    queue = bus.queue("q")
    if kind == "peek":
        while not os.path.exists(stop):
            peek(queue)
    else:
        with queue.consume("g", prefetch=16) as consumer:
            while not os.path.exists(stop):
                consume(consumer)
print(seen, wrong)
"""


def payload(chance):
    body = chance.randbytes(chance.choice([10, 100, 3000]))
    return hashlib.md5(body).digest() + body


def is_right(data):
    return hashlib.md5(data[16:]).digest() == data[:16]


def pass_through(queue, chance, until):
    """Sends and receives with a backlog; returns how many it had, and how many of them were wrong."""
    had = wrong = 0
    with queue.consume("g", prefetch=16) as consumer:
        while time.monotonic() < until:
            for _ in range(BACKLOG - queue.info().messages):
                queue.put(payload(chance), timeout=LONG)
            for _ in range(BACKLOG // 4):
                message = consumer.receive(timeout=0.1)
                if message is None:  # the other one has them all
                    break
                had += 1
                wrong += not is_right(bytes(message))
                with contextlib.suppress(spillring.Stale):
                    message.ack()
    return had, wrong


def stand_still(process, chance, until):
    stops = 0
    while time.monotonic() < until:
        time.sleep(chance.uniform(0, 0.02))
        process.send_signal(signal.SIGSTOP)
        time.sleep(chance.uniform(2 * LEASE, 4 * LEASE))
        process.send_signal(signal.SIGCONT)
        stops += 1
    return stops


def names_of_files(folder, names, until):
    """By inode, all the names that a file had."""
    while time.monotonic() < until:
        with contextlib.suppress(OSError):
            for entry in os.scandir(folder):
                names.setdefault(entry.inode(), set()).add(entry.name)
        time.sleep(0.005)


@pytest.mark.parametrize("kind", ["consume", "peek"])
def test_a_reader_that_stands_still_while_files_are_written_over(tmp_path, in_thread, kind):
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    supervisor = Supervisor(tmp_path / "s", "--state-dir", str(tmp_path / "state"), "--segment-size", "64KiB")
    supervisor.start()
    stop, names = tmp_path / "stop", {}
    try:
        with spillring.connect(supervisor.socket, autostart=False) as bus:
            queue = bus.queue("q", create=True, capacity="256KiB", lease=LEASE)
            reader = subprocess.Popen([sys.executable, "-c", READER, kind, supervisor.socket, stop],
                                      stdout=subprocess.PIPE, text=True)
            until = time.monotonic() + SECONDS
            stopper = in_thread(stand_still, reader, random.Random(seed), until)
            watcher = in_thread(names_of_files, tmp_path / "state/journal/0000000000000001", names, until)
            had, wrong = pass_through(queue, random.Random(seed + 1), until)
            stops = stopper.result()
            watcher.result()
            stop.touch()
            out, _ = reader.communicate(timeout=LONG)
            assert reader.returncode == 0, out
            seen, wrong_there = map(int, out.split())
            print(f"{had} and {seen} messages, {stops} stops, {len(names)} files")
            assert (wrong, wrong_there) == (0, 0)
            assert had > 100 and seen > 0 and stops > 10
            assert any(len(each) > 1 for each in names.values()), "no file was written over"
            assert [group.lost for group in queue.groups()] == [0]
            assert queue.info().state == "ok"
    finally:
        supervisor.stop()
