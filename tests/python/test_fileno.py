"""Consumer.fileno(): what event loops poll."""

import os
import resource
import select
import selectors
import time

import pytest
import spillring
from conftest import LONG
from test_fork import in_child, outcome


def is_readable(fd, timeout=0):
    return bool(select.select([fd], [], [], timeout)[0])


def test_can_be_read_until_nothing_was_found(queue):
    with queue.consume() as consumer:
        fd = consumer.fileno()
        assert consumer.receive(timeout=0) is None
        assert not is_readable(fd)
        queue.put(b"x")
        assert is_readable(fd, LONG)
        consumer.receive(timeout=0).ack()
        assert is_readable(fd), "there may be more"
        assert consumer.receive(timeout=0) is None
        assert not is_readable(fd)
        assert consumer.fileno() == fd


def test_works_with_selectors(make):
    queues = [make() for _ in range(5)]
    consumers = [queue.subscribe() for queue in queues]
    with selectors.DefaultSelector() as selector:
        for consumer in consumers:
            assert consumer.receive(timeout=0) is None
            selector.register(consumer, selectors.EVENT_READ)
        for _ in range(3):
            while selector.select(timeout=0):
                for key, _ in selector.select(timeout=0):
                    assert key.fileobj.receive(timeout=0) is None
            queues[3].put(b"x")
            [(key, _)] = selector.select(timeout=LONG)
            assert key.fileobj is consumers[3]
            key.fileobj.receive(timeout=0).ack()


def test_of_a_closed_consumer(queue):
    consumer = queue.consume()
    consumer.close()
    with pytest.raises(spillring.Closed):
        consumer.fileno()


def test_in_a_forked_child(queue):
    consumer = queue.consume()
    fd = consumer.fileno()
    assert consumer.receive(timeout=0) is None
    assert in_child(lambda: outcome(consumer.fileno)) == "forked"
    # The child's end, and that of what it inherited, are nothing to the parent.
    queue.put(b"x")
    assert is_readable(fd, LONG)


CHILD_THAT_ENDS = """
import os
import spillring
bus = spillring.embedded()
queue = bus.queue("q", create=True)
consumer = queue.consume()
consumer.fileno()
assert consumer.receive(timeout=0) is None
if (child := os.fork()) == 0:
    consumer.close()
    del consumer
else:
    assert os.waitpid(child, 0)[1] == 0
    print("parent went on")
"""


@pytest.mark.skipif("libasan" in os.environ.get("LD_PRELOAD", ""),
                    reason="the sanitizer's allocator may be locked by the supervisor's thread when this one forks")
def test_processes_end_like_any_other(python):
    output, errors = python(CHILD_THAT_ENDS).communicate(timeout=LONG)
    assert (output, errors) == ("parent went on\n", "")


def test_costs_nothing_while_nothing_comes(make):
    """The waiter's looks, once a second for all its watches, are its only work."""
    consumers = [make().consume() for _ in range(100)]
    for consumer in consumers:
        consumer.fileno()
        assert consumer.receive(timeout=0) is None

    def switches():
        usage = resource.getrusage(resource.RUSAGE_SELF)
        return usage.ru_nvcsw, usage.ru_utime + usage.ru_stime

    before, start = switches(), time.monotonic()
    time.sleep(2)
    after, seconds = switches(), time.monotonic() - start
    # One look a second, at the start one more; the supervisor and this thread sleep, too.
    assert after[0] - before[0] <= 4 * seconds + 10
    assert after[1] - before[1] < 0.1 * seconds, "processor time"


def test_is_not_inherited_by_started_programs(queue):
    with queue.consume() as consumer:
        assert not os.get_inheritable(consumer.fileno())
