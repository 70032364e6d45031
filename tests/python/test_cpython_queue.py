"""CPython's own tests of multiprocessing.Queue, run with spillring.compat.Queue in its place.

They come from the interpreter's test package (Debian: libpython3.11-testsuite); nothing of them is copied here.
"""

import multiprocessing
import unittest

import pytest
import spillring
import spillring.compat

cpython = pytest.importorskip("test._test_multiprocessing", reason="needs libpython3.11-testsuite")

APPLICABLE = {
    "test_closed_queue_put_get_exceptions",
    "test_fork",
    "test_get",
    "test_no_import_lock_contention",
    "test_put",
    "test_qsize",
    "test_timeout",
}
NOT_APPLICABLE = {
    "test_task_done": "it is about JoinableQueue, which is not promised",
    "test_queue_feeder_donot_stop_onexc": "there is no feeder thread: put() itself raises what cannot be pickled",
    "test_queue_feeder_on_queue_feeder_error": "it is about a hook of the feeder thread, which is not there",
}


@pytest.fixture(autouse=True)
def in_its_place(monkeypatch):
    spillring.compat._bus.cache_clear()
    with spillring.embedded() as bus:
        monkeypatch.setenv("SPILLRING_SOCKET", bus.socket)
        monkeypatch.setattr(multiprocessing, "Queue", spillring.compat.Queue)
        yield
    spillring.compat._bus.cache_clear()


class WithCompatQueue(cpython._TestQueue):
    TYPE = "processes"
    Queue = spillring.compat.Queue

    Process = property(lambda self: self.context.Process)
    Event = property(lambda self: self.context.Event)


for name in NOT_APPLICABLE:
    setattr(WithCompatQueue, name, None)


class Forked(WithCompatQueue, unittest.TestCase):
    context = multiprocessing.get_context("fork")


class Spawned(WithCompatQueue, unittest.TestCase):
    context = multiprocessing.get_context("spawn")


def test_each_of_them_is_run_or_has_a_reason():
    there = {name for name in dir(cpython._TestQueue) if name.startswith("test_")}
    assert there == APPLICABLE | set(NOT_APPLICABLE)
    for kind in (Forked, Spawned):
        assert set(unittest.TestLoader().getTestCaseNames(kind)) == APPLICABLE
