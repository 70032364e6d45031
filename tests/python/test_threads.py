import collections
import gc
import os
import signal
import threading
import time

import numpy as np
import pytest
import spillring
from conftest import LONG, wait_until_blocked


@pytest.mark.parametrize("call", ["get", "receive", "next", "put", "loan"])
def test_other_threads_run_while_one_waits(make, in_thread, call):
    queue = make(capacity="64KiB")
    if call in ("put", "loan"):
        with pytest.raises(spillring.Full):
            while True:
                queue.put_nowait(bytes(1000))
    else:
        consumer = queue.consume("g", timeout=1.5)
    calls = {
        "get": lambda: queue.get(timeout=1.5),
        "receive": lambda: consumer.receive(timeout=1.5),
        "next": lambda: next(consumer),
        "put": lambda: queue.put(bytes(1000), timeout=1.5),
        "loan": lambda: queue.loan(1000, timeout=1.5),
    }
    thread = in_thread(calls[call])
    count = 0
    while thread.is_alive():
        count += 1
    assert count > 10_000
    if call == "receive":
        assert thread.result() is None
    else:
        with pytest.raises((spillring.Empty, spillring.Full, StopIteration)):
            thread.result()


def test_acknowledged_by_another_thread_while_one_waits_on_the_same_consumer(queue, in_thread):
    consumer = queue.consume()
    for _ in range(3):
        queue.put(b"x" * 100)
    messages = [consumer.receive(timeout=5) for _ in range(3)]
    waiting = in_thread(consumer.receive)
    wait_until_blocked(waiting.native_id)

    begin = time.monotonic()
    messages[0].ack()
    messages[1].nack()
    with pytest.warns(ResourceWarning):
        del messages[2]
    assert consumer.lag >= 2
    assert time.monotonic() - begin < 0.5  # a wait is looked after once a second

    again = [waiting.result(), consumer.receive(timeout=5)]
    assert sorted(message.seq for message in again) == [2, 3]
    assert [message.deliveries for message in again] == [2, 2]
    for message in again:
        message.ack()
    assert queue.groups()[0].lag == 0


def test_received_by_one_thread_and_acknowledged_by_another(queue):
    consumer = queue.consume()
    count = 2000
    received = []
    ready = threading.Semaphore(0)

    def acknowledge():
        for _ in range(count):
            assert ready.acquire(timeout=LONG)
            received.pop().ack()

    thread = threading.Thread(target=acknowledge)
    thread.start()
    for number in range(count):
        queue.put(number.to_bytes(4, "big"))
        received.append(consumer.receive(timeout=LONG))
        ready.release()
    thread.join(LONG)
    group = queue.groups()[0]
    assert (group.lag, group.unacked) == (0, 0)


def test_threads_share_a_queue_and_a_consumer(make, in_thread):
    queue = make(capacity="1MiB")
    producers, consumers, each = 3, 3, 1000

    def produce(first):
        for number in range(first, first + each):
            queue.put(number.to_bytes(4, "big"), timeout=LONG)

    shared = queue.consume("workers", timeout=2)

    def consume(messages):
        numbers = []
        for message in messages:
            with message:
                numbers.append(int.from_bytes(message, "big"))
        return numbers

    def get():
        numbers = []
        while True:
            try:
                numbers.append(int.from_bytes(queue.get(group="getters", timeout=2), "big"))
            except spillring.Empty:
                return numbers

    threads = [in_thread(consume, shared) for _ in range(consumers)]
    getters = [in_thread(get) for _ in range(consumers)]
    for n in range(producers):
        in_thread(produce, n * each)
    everything = list(range(producers * each))
    assert sorted(sum((thread.result() for thread in threads), [])) == everything
    assert sorted(sum((thread.result() for thread in getters), [])) == everything


def test_every_thread_that_waits_on_a_consumer_is_woken(queue, in_thread):
    consumer = queue.consume(prefetch=64)
    begin = time.monotonic()
    for _ in range(20):
        threads = [in_thread(consumer.receive) for _ in range(2)]
        for thread in threads:
            wait_until_blocked(thread.native_id)
        first, second = queue.loan(1), queue.loan(1)
        second.publish()
        first.publish()  # both become visible at once, and whoever is first may claim both
        for thread in threads:
            thread.result().ack()
    assert time.monotonic() - begin < 10  # a wait is looked after once a second


def test_large_copies_of_many_threads(make, in_thread):
    queue = make(capacity="16MiB")
    size = 300_000

    def work(number):
        for _ in range(20):
            queue.put(np.full(size, number, np.uint8), timeout=LONG)
            with queue.get(timeout=LONG) as message:
                data = message.copy()
            assert len(data) == size
            assert data == data[:1] * size

    for thread in [in_thread(work, number) for number in range(4)]:
        thread.result()
    assert len(queue) == 0


def test_closed_while_another_thread_waits(queue, in_thread):
    consumer = queue.consume(timeout=LONG)
    receiving, iterating = in_thread(consumer.receive), in_thread(list, consumer)
    for thread in (receiving, iterating):
        wait_until_blocked(thread.native_id)
    consumer.close()
    with pytest.raises(spillring.Closed):
        receiving.result()
    assert iterating.result() == []
    assert queue.groups()[0].members == 0


def test_bus_closed_while_another_thread_waits(in_thread):
    bus = spillring.embedded()
    queue = bus.queue("q", create=True)
    thread = in_thread(queue.get)
    wait_until_blocked(thread.native_id)
    bus.close()
    with pytest.raises(spillring.Error):
        thread.result()


def test_deleted_while_another_thread_waits(bus, queue, in_thread):
    thread = in_thread(queue.get)
    wait_until_blocked(thread.native_id)
    bus.delete(queue.name)
    with pytest.raises(spillring.Deleted):
        thread.result()


WAIT = """
import spillring
bus = spillring.connect(sys.argv[1])
queue = bus.queue("q", create=True, capacity="64KiB")
consumer = queue.consume("g")
if sys.argv[2] in ("put", "loan"):
    try:
        while True: queue.put_nowait(bytes(1000))
    except spillring.Full:
        pass
print("ready", flush=True)
try:
    {
        "get": lambda: queue.get(),
        "get with a timeout": lambda: queue.get(timeout=600),
        "receive": lambda: consumer.receive(),
        "next": lambda: next(consumer),
        "put": lambda: queue.put(bytes(1000)),
        "loan": lambda: queue.loan(1000),
    }[sys.argv[2]]()
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


@pytest.mark.parametrize("call", ["get", "get with a timeout", "receive", "next", "put", "loan"])
def test_ctrl_c_ends_a_wait(bus, python, call):
    process = python(WAIT, bus.socket, call)
    assert process.stdout.readline() == "ready\n"
    wait_until_blocked(process.pid, process.pid)
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=LONG)
    assert (output, errors) == ("interrupted\n", "")
    assert process.returncode == 0


def test_signal_handler_runs_and_the_wait_goes_on(queue, in_thread):
    fired = []
    before = signal.signal(signal.SIGUSR1, lambda *_: fired.append(time.monotonic()))
    main = threading.get_native_id()

    def disturb():
        wait_until_blocked(main)
        os.kill(os.getpid(), signal.SIGUSR1)
        while not fired:
            time.sleep(0.01)
        wait_until_blocked(main)
        queue.put(b"hello")

    try:
        thread = in_thread(disturb)
        assert bytes(queue.get(timeout=LONG)) == b"hello"
        thread.result()
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert len(fired) == 1


def test_wait_ends_in_time_though_signals_keep_coming(queue):
    before = signal.signal(signal.SIGALRM, lambda *_: None)
    signal.setitimer(signal.ITIMER_REAL, 0.02, 0.02)
    try:
        begin = time.monotonic()
        with pytest.raises(spillring.Empty):
            queue.get(timeout=0.5)
        assert 0.5 <= time.monotonic() - begin < LONG
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


EXIT_WHILE_WAITING = """
import threading
import spillring
bus = spillring.embedded() if sys.argv[1] == "embedded" else spillring.connect(sys.argv[1])
print(bus.socket, flush=True)
queue = bus.queue("q", create=True)
for _ in range(4):
    threading.Thread(target=queue.get, daemon=True).start()
thread = threading.Thread(target=lambda: list(queue.consume("g")), daemon=True)
thread.start()
sys.stdin.readline()
"""


@pytest.mark.parametrize("where", ["embedded", "connected"])
def test_process_ends_while_daemon_threads_wait(bus, python, where):
    process = python(EXIT_WHILE_WAITING, bus.socket if where == "connected" else where)
    socket = process.stdout.readline().strip()
    output, errors = process.communicate("\n", timeout=LONG)
    assert (output, errors, process.returncode) == ("", "", 0)
    assert os.path.exists(socket) == (where == "connected")


def test_views_of_many_threads_stay_while_the_queue_goes_round(make, in_thread):
    """Views and what they are views of are dropped by any thread, some only by the garbage collector."""
    queue = make(capacity="256KiB")

    def work(seed):
        held = collections.deque(maxlen=4)
        for number in range(300):
            content = bytes([(seed * 50 + number) % 251]) * 4000
            try:
                queue.put_nowait(content)
            except spillring.Full:  # who waits holds nothing that others wait for
                held.clear()
                message = view = cycle = None
                gc.collect()
                queue.put(content, timeout=LONG)
            message = queue.get(timeout=LONG)
            view = memoryview(message)
            held.append((view, bytes(view)))
            if number % 5 == 0:
                cycle = [view, message]
                cycle.append(cycle)
            if number % 50 == seed:
                gc.collect()
            assert all(view == copy for view, copy in held)

    for thread in [in_thread(work, seed) for seed in range(4)]:
        thread.result()
    gc.collect()
    assert len(queue) == 0
