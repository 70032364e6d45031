"""Many messages: memory does not grow with their number. SPILLRING_PYTHON_MESSAGES=10000000: the long form."""

import os

import pytest

MESSAGES = int(os.environ.get("SPILLRING_PYTHON_MESSAGES", 500_000))
POINTS = 10
MOST_GROWTH = 512 << 10  # bytes: half of what one small object takes that is kept of each message on one of the ways

# Each message goes one of the ways there are. Own memory is measured, not that which is the queue's.
SCRIPT = """
import gc
import sys

import spillring

messages, points = map(int, sys.argv[1:])
BATCH = 500


def own_memory():
    gc.collect()
    with open("/proc/self/status") as status:
        [kib] = [line.split()[1] for line in status if line.startswith("RssAnon:")]
    return int(kib) * 1024


def by_get(number):
    queue.put(number.to_bytes(8, "big"))
    assert int.from_bytes(queue.get_nowait(), "big") == number


def by_metadata(number):
    queue.put(bytes(100), key=b"key", headers={"number": b"%d" % number})
    with queue.get_nowait(ack=False) as message:
        assert message.key == b"key"
        assert message.headers == {"number": b"%d" % number}


def by_view(number):
    with queue.loan(64) as loan:
        memoryview(loan)[:8] = number.to_bytes(8, "big")
    view = memoryview(queue.get_nowait())  # which keeps its message
    assert int.from_bytes(view[:8], "big") == number


def by_consumer(number):
    queue.put(b"x")
    message = consumer.receive(0)
    if number % 2:
        message.nack()
        message = consumer.receive(0)
    assert message.deliveries == 1 + number % 2
    message.ack()


def by_refusals(number):
    queue.put_nowait(b"x")
    with queue.get_nowait() as message:
        assert len(message) == 1
    for failing in (queue.get_nowait, message.copy, lambda: queue.put(b"x", key=5)):
        try:
            failing()
        except (spillring.Error, TypeError):
            continue
        raise AssertionError("it did not fail")


def by_batch(number):
    queue.put_many([b"x" * 50] * 10)
    assert len(queue.get_many(10)) == 10


with spillring.embedded() as bus:
    queue = bus.queue("q", create=True, capacity="256KiB", slots=1024)
    consumer = queue.consume(prefetch=1)
    ways = [(by_get, 1), (by_metadata, 1), (by_view, 1), (by_consumer, 1), (by_refusals, 1), (by_batch, 10)]
    for point in range(points):
        sent = 0
        while sent < messages // points:
            for way, count in ways:
                for number in range(BATCH // count):
                    way(number)
                sent += BATCH
        print(sent, own_memory(), flush=True)
"""


@pytest.mark.skipif("libasan" in os.environ.get("LD_PRELOAD", ""), reason="the sanitizer keeps what was freed for a while")
def test_memory_does_not_grow(python):
    output, errors = python(SCRIPT, str(MESSAGES), str(POINTS)).communicate()
    assert errors == ""
    points = [tuple(map(int, line.split())) for line in output.splitlines()]
    assert sum(sent for sent, _ in points) >= MESSAGES
    after_the_first, *later = [memory for _, memory in points]
    print(f"{MESSAGES} messages; own memory in KiB:", *(memory // 1024 for _, memory in points))
    assert max(later) - after_the_first < MOST_GROWTH, points


VIEWS_AT_THE_END = """
import atexit
import sys
import threading

import spillring

bus = spillring.embedded()
queue = bus.queue("q", create=True)
queue.put_many([b"x" * 1000] * 5)


class Holder:
    def __del__(self):  # runs when most of the interpreter is gone
        assert bytes(self.view) == b"x" * 1000


held = queue.get_nowait()
held_view = memoryview(held)
holder = Holder()
holder.view = memoryview(queue.get_nowait())
holder.self = holder
sys.modules["kept"] = [holder]
consumer = queue.consume(prefetch=2)
unfinished = consumer.receive()
loan = queue.loan(100)
loan_view = memoryview(loan)
last = memoryview(queue.get_nowait())
atexit.register(lambda: print(bytes(last) == b"x" * 1000))
threading.Thread(target=lambda: (bytes(last), threading.Event().wait()), daemon=True).start()
ENDS
"""


@pytest.mark.parametrize("ends", ["", "bus.close()", "bus.delete('q')", "del bus, queue", "sys.exit()"])
def test_the_interpreter_ends_with_views_held(python, ends):
    process = python(VIEWS_AT_THE_END.replace("ENDS", ends))
    output, errors = process.communicate()
    assert (process.returncode, output) == (0, "True\n"), errors
    assert "ResourceWarning" in errors or errors == "", errors
