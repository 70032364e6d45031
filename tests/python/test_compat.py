"""spillring.compat.Queue, used as multiprocessing.Queue is: what that promises, and what differs."""

import multiprocessing
import os
import pickle
import queue
import signal
import time

import pytest
import spillring
import spillring.compat
from conftest import LONG, eventually

METHODS = ["spawn", "fork"]


@pytest.fixture(autouse=True)
def supervisor(monkeypatch):
    spillring.compat._bus.cache_clear()
    with spillring.embedded() as bus:
        monkeypatch.setenv("SPILLRING_SOCKET", bus.socket)
        yield bus
    spillring.compat._bus.cache_clear()


class Opaque:
    def __init__(self, value):
        self.value = value

    def __eq__(self, other):
        return self.value == other.value


class Unpicklable:
    def __reduce__(self):
        raise RuntimeError("not this one")


def test_objects_come_back_equal_and_in_order():
    tasks = spillring.compat.Queue()
    objects = [None, 1, "text", b"bytes", [1, {"a": (2, 3)}], Opaque(5), bytes(1 << 20), ""]
    for thing in objects:
        tasks.put(thing)
    assert tasks.qsize() == len(objects)
    assert [tasks.get() for _ in objects] == objects
    assert tasks.empty()


def test_maxsize():
    tasks = spillring.compat.Queue(maxsize=3)
    assert tasks.empty()
    assert not tasks.full()
    tasks.put(1)
    tasks.put(2, True)
    tasks.put_nowait(3)
    assert tasks.full()
    assert tasks.qsize() == 3
    for put in (
        lambda: tasks.put(4, False),
        lambda: tasks.put(4, True, 0.01),
        lambda: tasks.put(4, timeout=-1),
        lambda: tasks.put(4, timeout=0),
        lambda: tasks.put_nowait(4),
    ):
        with pytest.raises(queue.Full):
            put()
    assert [tasks.get(), tasks.get(True), tasks.get_nowait()] == [1, 2, 3]
    assert tasks.empty()
    tasks.put(4)
    assert tasks.get(timeout=LONG) == 4


def test_get_of_nothing():
    tasks = spillring.compat.Queue()
    for get in (
        lambda: tasks.get(False),
        lambda: tasks.get(True, 0.01),
        lambda: tasks.get(timeout=-1),
        lambda: tasks.get(block=False, timeout=5),
        tasks.get_nowait,
    ):
        with pytest.raises(queue.Empty):
            get()


def test_timeouts_are_kept():
    tasks = spillring.compat.Queue()
    start = time.monotonic()
    with pytest.raises(queue.Empty):
        tasks.get(timeout=0.2)
    assert time.monotonic() - start >= 0.19


def test_closed():
    tasks = spillring.compat.Queue()
    tasks.put(1)
    with pytest.raises(AssertionError, match="not closed"):
        tasks.join_thread()
    tasks.close()
    tasks.close()
    tasks.join_thread()
    tasks.cancel_join_thread()
    for use in (lambda: tasks.put(1), tasks.get, tasks.get_nowait, lambda: tasks.put_nowait(1)):
        with pytest.raises(ValueError, match="is closed"):
            use()


def test_what_cannot_be_pickled_raises_at_once():
    tasks = spillring.compat.Queue(maxsize=1)
    with pytest.raises(RuntimeError, match="not this one"):
        tasks.put(Unpicklable())
    with pytest.raises((AttributeError, pickle.PicklingError)):
        tasks.put(lambda: None)
    tasks.put("room is left")
    assert tasks.get() == "room is left"


def test_too_large():
    tasks = spillring.compat.Queue(maxsize=1)
    with pytest.raises(spillring.TooLarge):
        tasks.put(bytes(20 << 20))
    tasks.put(1)
    assert tasks.get() == 1


def echo(requests, answers):
    for request in iter(requests.get, None):
        answers.put(("echo", request))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("maxsize", [0, 2])
def test_between_processes(method, maxsize):
    requests, answers = spillring.compat.Queue(maxsize), spillring.compat.Queue(maxsize)
    processes = [
        multiprocessing.get_context(method).Process(target=echo, args=(requests, answers))
        for _ in range(2)
    ]
    for process in processes:
        process.start()
    sent = []
    for number in range(50):
        requests.put(number, timeout=LONG)
        sent.append(answers.get(timeout=LONG))
    assert sent == [("echo", number) for number in range(50)]
    for _ in processes:
        requests.put(None)
    for process in processes:
        process.join(LONG)
        assert process.exitcode == 0


def hand_over(first):
    first.get(timeout=LONG).put("through a queue that came later", timeout=LONG)


def test_a_queue_goes_through_a_queue():
    first, second = spillring.compat.Queue(), spillring.compat.Queue()
    process = multiprocessing.get_context("spawn").Process(target=hand_over, args=(first,))
    process.start()
    first.put(second)
    assert second.get(timeout=LONG) == "through a queue that came later"
    process.join(LONG)


def take_and_hang(tasks, taken):
    taken.put(tasks.get(timeout=LONG))
    signal.pause()


def test_a_killed_process_takes_no_room_along():
    tasks, taken = spillring.compat.Queue(maxsize=2), spillring.compat.Queue()
    for _ in range(5):
        process = multiprocessing.get_context("fork").Process(
            target=take_and_hang, args=(tasks, taken)
        )
        process.start()
        tasks.put("x", timeout=LONG)
        assert taken.get(timeout=LONG) == "x"
        os.kill(process.pid, signal.SIGKILL)
        process.join(LONG)
    for _ in range(2):
        tasks.put("y", timeout=LONG)
    assert [tasks.get(timeout=LONG) for _ in range(2)] == ["y", "y"]


MAKER = """
import multiprocessing, sys, time
import spillring, spillring.compat

def work(tasks):
    tasks.get()
    print("worked", flush=True)

if __name__ == "__main__":
    multiprocessing.set_start_method("fork")
    tasks = spillring.compat.Queue(maxsize=3)
    multiprocessing.Process(target=work, args=(tasks,)).start()
    print(len(spillring.connect().queues()), flush=True)
    tasks.put(1)
"""


def test_removed_when_its_maker_ends_but_not_before_its_children(python, supervisor):
    output, errors = python(MAKER).communicate(timeout=LONG)
    assert (output, errors) == ("2\nworked\n", "")
    eventually(lambda: supervisor.queues() == [])


def test_a_queue_of_ones_own(supervisor):
    own = supervisor.queue("named", create=True)
    tasks = spillring.compat.Queue(queue=own)
    tasks.put({"a": 1})
    assert pickle.loads(own.peek()[0]) == {"a": 1}
    assert tasks.get() == {"a": 1}
