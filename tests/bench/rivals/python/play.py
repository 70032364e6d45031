#!/usr/bin/env python3
"""One set of processes in Python, with whatever carries their messages.

    play.py CARRIER name=value...

CARRIER is a module beside this file. It has `Carrier(work)`, made before the processes are forked, with
`out(lane)` and `inlet(lane)`, made in them; lane 1 is for answers. The first has `put(message)` and, where
there are batches, `put_many(messages)`; the second `get()`, a message as bytes or None after some
milliseconds, and `get_many(most)`.
"""

import ctypes
import importlib
import multiprocessing
import signal
import sys
import time
import types

from seat import NOTHING, Seat

STAMP = 8  # bytes: the message's number; then the body, the same in each


class Wrong(Exception):
    pass


def work_of(arguments):
    work = types.SimpleNamespace(**dict(argument.split("=", 1) for argument in arguments))
    for name in ("size", "producers", "consumers", "batch", "seat"):
        setattr(work, name, int(getattr(work, name)))
    return work


class Messages:
    """Writes and checks them: all bytes are made anew, and all are compared."""

    def __init__(self, work):
        self._body = bytes(i * 37 % 251 for i in range(work.size - STAMP))
        self._made = self._checked = 0

    def make(self):
        message = self._made.to_bytes(STAMP, "little") + self._body
        self._made += 1
        return message

    def check(self, message):
        if message[STAMP:] != self._body or int.from_bytes(message[:STAMP], "little") != self._checked:
            raise Wrong("a message was damaged, lost, repeated or out of order")
        self._checked += 1

    @property
    def made(self):
        return self._made

    @property
    def checked(self):
        return self._checked


def produce_on_schedule(seat, out, messages):
    """Asleep until the next message is due."""
    begin, step, number = time.monotonic_ns(), seat.pace() / 1000, 0
    while not seat.stopping():
        early = begin + number * step - time.monotonic_ns()
        if early > 0:
            time.sleep(early / 1e9)
        else:
            out.put(messages.make())
            number += 1


def produce(seat, carrier):
    out, messages, batch = carrier.out(0), Messages(seat.work), seat.work.batch
    while seat.next_window():
        seat.began()
        if seat.pace() == NOTHING:
            while not seat.stopping():
                time.sleep(0.02)
        elif seat.pace() != 0:
            produce_on_schedule(seat, out, messages)
        while not seat.stopping():
            if batch == 1:
                out.put(messages.make())
            else:
                out.put_many([messages.make() for _ in range(batch)])
        seat.sent(messages.made)
        seat.finish()


def consume(seat, carrier):
    inlet, messages, batch = carrier.inlet(0), Messages(seat.work), seat.work.batch
    while seat.next_window():
        last = time.monotonic_ns()
        while not (seat.stopping() and seat.drained(messages.checked)):
            got = [inlet.get()] if batch == 1 else inlet.get_many(batch)
            for message in got:
                if message is not None:
                    messages.check(message)
                    last = 0
            if seat.stopping() and not last:
                last = time.monotonic_ns()
        seat.received(messages.checked)
        seat.finish(last)


def take(seat, inlet, messages):
    """The next message; False: the window is over, and there is none."""
    while (message := inlet.get()) is None:
        if seat.stopping() and seat.drained(messages.checked):
            return False
    messages.check(message)
    return True


def ping(seat, carrier):
    out, inlet = carrier.out(0), carrier.inlet(1)
    there, back = Messages(seat.work), Messages(seat.work)
    while seat.next_window():
        seat.began()
        while not seat.stopping():
            message = there.make()
            begin = time.monotonic_ns()
            out.put(message)
            while (answer := inlet.get()) is None:
                pass
            seat.add(time.monotonic_ns() - begin)
            back.check(answer)
        seat.sent(there.made)
        seat.finish()


def pong(seat, carrier):
    inlet, out = carrier.inlet(0), carrier.out(1)
    there, back = Messages(seat.work), Messages(seat.work)
    while seat.next_window():
        while not (seat.stopping() and seat.drained(there.checked)):
            if take(seat, inlet, there):
                out.put(back.make())
        seat.received(there.checked)
        seat.finish()


def play(work, number, carrier):
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # ends with its parent
    seat = Seat(work, number)
    if work.kind == "round_trip":
        part = ping if seat.produces else pong
    else:
        part = produce if seat.produces else consume
    try:
        part(seat, carrier)
    except Wrong as wrong:
        seat.fail(str(wrong), wrong=True)
    except Exception as error:
        seat.fail(f"{type(error).__name__}: {error}")


def main():
    work = work_of(sys.argv[2:])
    carrier = importlib.import_module(sys.argv[1]).Carrier(work)
    fork = multiprocessing.get_context("fork")
    processes = [
        fork.Process(target=play, args=(work, number, carrier)) for number in range(work.producers + work.consumers)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    carrier.close()


if __name__ == "__main__":
    main()
