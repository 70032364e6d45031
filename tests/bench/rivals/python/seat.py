"""A process's seat in the harness's window: window.hpp, from Python."""

import mmap
import os
import struct
import time

SEATS, SEAT = 64, 65536  # where they begin, and the size of each
READY, DONE, FAILED, WRONG, BEGAN, ENDED, SENT, RECEIVED, FAILURE, HISTOGRAM = 0, 4, 8, 12, 16, 24, 32, 64, 192, 512
PACE = 16  # of the window
NOTHING = 2**64 - 1  # the pace of who sends no message
FINE = 7  # bits of a duration that its class keeps
CLASSES = (40 - FINE) << FINE
NAP = 0.0002


class Seat:
    def __init__(self, work, number):
        self.work = work
        self.number = number
        self.produces = number < work.producers
        file = os.open(work.window, os.O_RDWR)
        self._all = mmap.mmap(file, 0)
        os.close(file)
        self._at = SEATS + SEAT * number
        self._words = memoryview(self._all).cast("I")  # go, stop, quit
        self._current = 0
        self._zeros = bytes(8 * CLASSES)

    def _set(self, what, value, kind="Q"):
        struct.pack_into("<" + kind, self._all, self._at + what, value)

    def _of(self, seat, what, kind="Q"):
        return struct.unpack_from("<" + kind, self._all, SEATS + SEAT * seat + what)[0]

    def next_window(self):
        """Naps until the next window begins. False: there is none."""
        if self._current == 0:
            os.sched_setaffinity(0, {0 if self.produces else 1})
            self._set(READY, 1, "I")
        while self._words[0] == self._current:
            if self._words[2] or os.getppid() == 1:
                return False
            time.sleep(NAP)
        self._current = self._words[0]
        start = self._at + HISTOGRAM
        self._all[start : start + 8 * CLASSES] = self._zeros
        return True

    def stopping(self):
        return self._words[1] >= self._current

    def drained(self, received):
        producers = range(self.work.producers)
        return all(self._of(seat, DONE, "I") == self._current for seat in producers) and received == sum(
            self._of(seat, SENT) for seat in producers
        )

    def pace(self):
        """Picoseconds from one message to the next; 0: as fast as possible."""
        return struct.unpack_from("<Q", self._all, PACE)[0]

    def began(self):
        self._set(BEGAN, time.monotonic_ns())

    def sent(self, count):
        self._set(SENT, count)

    def received(self, count):
        self._set(RECEIVED, count)

    def finish(self, ended=None):
        self._set(ENDED, ended or time.monotonic_ns())
        self._set(DONE, self._current, "I")

    def add(self, nanoseconds):
        """A round trip's duration."""
        index = nanoseconds
        if nanoseconds >= 2 << FINE:
            coarse = nanoseconds.bit_length() - FINE - 1
            index = min((coarse << FINE) + (nanoseconds >> coarse), CLASSES - 1)
        at = self._at + HISTOGRAM + 8 * index
        struct.pack_into("<Q", self._all, at, struct.unpack_from("<Q", self._all, at)[0] + 1)

    def fail(self, why, wrong=False):
        text = why.encode()[:319] + b"\0"
        start = self._at + FAILURE
        self._all[start : start + len(text)] = text
        self._set(WRONG, int(wrong), "I")
        self._set(FAILED, 1, "I")
        os._exit(1)
