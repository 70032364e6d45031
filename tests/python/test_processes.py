"""Queues as arguments of processes: by pickle (spawn) and as they are (fork)."""

import multiprocessing
import pickle

import pytest
import spillring
from conftest import LONG
from test_fork import in_child


def answer(questions, answers):
    for _ in range(10):
        answers.put(bytes(questions.get(timeout=LONG)).upper(), timeout=LONG)


@pytest.mark.parametrize("method", ["spawn", "fork", "forkserver"])
def test_queues_as_arguments(make, method):
    questions, answers = make(), make()
    questions.put(b"used in the parent")
    questions.get()
    context = multiprocessing.get_context(method)
    process = context.Process(target=answer, args=(questions, answers))
    process.start()
    for number in range(10):
        questions.put(f"q{number}".encode())
        assert bytes(answers.get(timeout=LONG)) == f"Q{number}".encode()
    process.join(LONG)
    assert process.exitcode == 0


def test_a_pickled_queue_is_the_same_queue(bus, queue):
    again = pickle.loads(pickle.dumps(queue))
    assert (again.name, again) != (queue.name, queue)
    queue.put(b"x")
    assert bytes(again.get(timeout=LONG)) == b"x"


def test_a_pickled_bus_connects_to_the_same_supervisor(bus, queue):
    with pickle.loads(pickle.dumps(bus)) as again:
        assert again.socket == bus.socket
        assert [info.name for info in again.queues()] == [queue.name]
    assert bus.queues()


def test_pickles_of_what_is_gone(bus, queue):
    pickled = pickle.dumps(queue)
    bus.delete(queue.name)
    with pytest.raises(spillring.NotFound):
        pickle.loads(pickled)


def test_what_belongs_to_a_process_is_not_pickled(queue):
    queue.put(b"x")
    with queue.consume() as consumer, consumer.receive() as message, queue.loan(1) as loan:
        for thing in (consumer, message, loan):
            with pytest.raises(TypeError, match="pickle"):
                pickle.dumps(thing)


def test_a_childs_bus_and_queues_share_what_they_open(bus, queue):
    queue.put(b"x")

    def work():
        assert bytes(queue.get(timeout=LONG)) == b"x"
        other = bus.queue("other", create=True)
        other.put(b"y")
        bus.close()
        with pytest.raises(spillring.Closed):
            queue.put(b"z")
        with pytest.raises(spillring.Closed):
            other.put(b"z")
        return "done"

    assert in_child(work) == "done"
    assert bytes(bus.queue("other").get(timeout=LONG)) == b"y"
    queue.put(b"the parent goes on")


def test_a_child_of_a_closed_bus(bus, queue):
    bus.close()

    def work():
        for call in (bus.queues, queue.info, lambda: queue.put(b"x")):
            with pytest.raises((spillring.Closed, spillring.Forked)):
                call()
        return "done"

    assert in_child(work) == "done"
