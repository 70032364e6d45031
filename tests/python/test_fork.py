import gc
import multiprocessing
import os
import signal

import pytest
import spillring
from conftest import LONG, wait_until_blocked


def in_child(function):
    """Runs function in a forked child and returns the text it returns."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        signal.alarm(LONG)  # rather than hang
        try:
            text = str(function())
        except BaseException as error:  # noqa: BLE001
            text = f"{type(error).__name__}: {error}"
        os.write(writer, text.encode())
        os._exit(0)
    os.close(writer)
    with open(reader) as pipe:
        text = pipe.read()
    assert os.waitpid(child, 0)[1] == 0
    return text


def outcome(call):
    try:
        return repr(call())
    except spillring.Error as error:
        return error.code


def test_child_is_told_what_is_not_its_own(bus, queue):
    for _ in range(3):
        queue.put(b"hello" * 100)
    acknowledged, message = queue.get_nowait(), queue.get_nowait(ack=False)
    loan = queue.loan(100)
    consumer = queue.consume("other", timeout=0)

    calls = [
        lambda: consumer.receive(timeout=0),
        lambda: next(consumer),
        lambda: consumer.lag,
        message.ack,
        message.nack,
        message.copy,
        acknowledged.ack,
        lambda: message.key,
        lambda: message.headers,
        lambda: bytes(message),
        lambda: memoryview(message),
        lambda: memoryview(loan),
        loan.publish,
        loan.cancel,
    ]
    assert in_child(lambda: {outcome(call) for call in calls}) == "{'forked'}"

    # The parent goes on as if nothing had been.
    message.ack()
    memoryview(loan)[:5] = b"hello"
    loan.publish(5)
    with consumer.receive(timeout=0) as again:
        assert again.seq == message.seq
    assert bytes(queue.get_nowait()) == b"hello" * 100
    assert bytes(queue.get_nowait()) == b"hello"


def test_child_may_drop_and_close_what_is_not_its_own():
    bus = spillring.embedded()
    queue = bus.queue("q", create=True)
    queue.put(b"1")
    queue.put(b"2")
    held = [queue.get_nowait(), queue.get_nowait(ack=False), queue.loan(10), queue.consume("g")]

    def drop():
        nonlocal bus, queue
        assert "parent" in repr(held[1])
        assert "parent" in repr(held[2])
        held[3].close()
        held.clear()
        bus.close()
        del bus, queue
        return "dropped"

    assert in_child(drop) == "dropped"
    assert held[1].deliveries == 1
    held[1].ack()
    held[2].publish()
    assert sum(group.unacked for group in queue.groups()) == 0
    held[3].receive(timeout=5).ack()
    bus.close()


def test_a_view_stays_in_the_parent_whatever_the_child_does(bus, make):
    """In the child its memory is not there; the child may drop it."""
    queue = make(capacity="256KiB")
    data = bytes(range(250)) * 32
    queue.put(data)
    view = memoryview(queue.get_nowait())

    def work():
        nonlocal view
        del view
        gc.collect()
        with spillring.connect(bus.socket) as own:
            mine = own.queue(queue.name)
            for _ in range(200):  # many times round the ring
                mine.put(bytes(8000), timeout=LONG)
                mine.get(timeout=LONG)
        return "done"

    assert in_child(work) == "done"
    assert view == data


def test_child_makes_its_own(bus, queue):
    queue.put(b"from the parent")

    def work():
        with spillring.connect(bus.socket) as own:
            mine = own.queue(queue.name)
            text = bytes(mine.get(timeout=LONG)).decode()
            mine.put(b"from the child")
            return text

    assert in_child(work) == "from the parent"
    assert bytes(queue.get(timeout=LONG)) == b"from the child"


def test_child_of_a_process_with_a_waiting_thread(bus, queue, in_thread):
    waiting = in_thread(queue.get)
    wait_until_blocked(waiting.native_id)
    assert in_child(lambda: outcome(queue.get_nowait)) == "empty"
    queue.put(b"hello")
    assert bytes(waiting.result()) == b"hello"


CHILD_THAT_ENDS = """
import os
import spillring
bus = spillring.embedded()
queue = bus.queue("q", create=True)
queue.put(b"x")
consumer = queue.consume()
message = consumer.receive()
loan = queue.loan(10)
child = os.fork()
if child != 0:
    assert os.waitpid(child, 0)[1] == 0
    message.ack()
    loan.publish()
    assert len(queue) == 1
    print("parent went on")
"""


def test_child_ends_like_any_program(python):
    output, errors = python(CHILD_THAT_ENDS).communicate(timeout=LONG)
    assert (output, errors) == ("parent went on\n", "")


def test_multiprocessing_with_spawn(bus, queue):
    process = multiprocessing.get_context("spawn").Process(
        target=expect_numbers, args=(bus.socket, queue.name)
    )
    process.start()
    for number in range(10):
        queue.put(bytes([number]))
    process.join(LONG)
    assert process.exitcode == 0


def expect_numbers(socket, name):
    with spillring.connect(socket) as bus:
        for number in range(10):
            assert bytes(bus.queue(name).get(timeout=LONG)) == bytes([number])
