"""put_many, get_many, receive_many."""

import array

import pytest
import spillring
from conftest import LONG


def test_put_many_keeps_the_order(queue):
    first, last = queue.put_many(str(number).encode() for number in range(5000))
    assert first == 1
    assert last >= 5000  # more: a queue that grows skips numbers
    got = []
    while len(got) < 5000:
        got += queue.get_many(700)
    assert [int(bytes(message)) for message in got] == list(range(5000))
    assert len(queue) == 0


def test_put_many_takes_what_put_takes(queue):
    buffers = [b"", bytearray(b"a"), memoryview(b"b"), array.array("i", [1]), bytes(100_000)]
    assert queue.put_many(buffers) == (1, 5)
    assert [bytes(m) for m in queue.get_many(9)] == [bytes(memoryview(b)) for b in buffers]


def test_put_many_of_nothing(queue):
    assert queue.put_many([]) is None
    assert queue.put_many(iter(())) is None


def test_put_many_of_what_cannot_be_sent(queue):
    with pytest.raises(TypeError, match="not 'str'"):
        queue.put_many(["text"])
    with pytest.raises(TypeError):
        queue.put_many(5)
    with pytest.raises(TypeError, match="not 'str'"):
        queue.put_many([b"x", "text"], atomic=True)
    with pytest.raises(TypeError, match="unexpected keyword"):
        queue.put_many([b"x"], keys=b"k")
    with pytest.raises(TypeError, match="atomic"):
        queue.put_many([b"x"], atomic=1)
    assert len(queue) == 0


def test_put_many_gives_each_what_it_was_given(queue):
    assert queue.put_many([b"x", b"y"], key=b"k", headers={"a": b"b"}, ttl=60) == (1, 2)
    for message in queue.get_many(9):
        assert (message.key, message.headers, message.ttl) == (b"k", {"a": b"b"}, 60)
        assert not message.is_batch
        assert message.parts() == [bytes(message)]


def test_an_atomic_batch_is_one_message(queue):
    parts = [b"", b"a", bytes(range(256)) * 1000, b"\xff"]
    assert queue.put_many(map(bytearray, parts), key=b"k", headers={"a": b"b"}, ttl=60, atomic=True) == (1, 1)
    assert queue.put_many([], atomic=True) is None
    assert len(queue) == 1
    [seen] = queue.peek(9)
    assert seen.is_batch and seen.parts() == parts
    with queue.get(ack=False) as message:
        assert message.is_batch and message.parts() == parts
        assert (message.key, message.headers, message.ttl) == (b"k", {"a": b"b"}, 60)
    assert message.is_batch
    with pytest.raises(spillring.Error):
        message.parts()
    assert len(queue) == 0


def test_an_atomic_batch_that_is_too_large_sends_nothing(queue):
    with pytest.raises(spillring.TooLarge):
        queue.put_many([bytes(1 << 20)] * 5, atomic=True)
    assert len(queue) == 0


def test_an_atomic_batch_waits_for_room(make, in_thread):
    queue = make(capacity="64KiB", full="block")
    while True:
        try:
            queue.put_many([bytes(1000)] * 10, atomic=True, timeout=0.01)
        except spillring.Full:
            break
    before = len(queue)
    putting = in_thread(lambda: queue.put_many([bytes(1000)] * 10, atomic=True, timeout=LONG))
    for _ in range(before + 1):
        assert queue.get(timeout=LONG).parts() == [bytes(1000)] * 10
    first, last = putting.result()
    assert first == last


def test_put_many_without_room_says_how_many_went(make):
    queue = make(slots=64, full="reject")
    with pytest.raises(spillring.Full, match=r"after \d+ messages") as failure:
        queue.put_many([b"x"] * 10_000)
    sent = int(str(failure.value).split("after ")[1].split()[0])
    assert 0 < sent == len(queue)


def test_put_many_waits_for_room(make, in_thread):
    queue = make(slots=64, full="block")
    with pytest.raises(spillring.Full):
        queue.put_many([b"x"] * 10_000, timeout=0.01)
    queue.purge()
    putting = in_thread(lambda: queue.put_many([b"y"] * 10_000, timeout=LONG))
    got = 0
    while got < 10_000:
        got += len(queue.get_many(100, timeout=LONG))
    first, last = putting.result()
    assert last - first >= 9_999


def test_too_large_among_many(make):
    queue = make(capacity="1MiB")
    with pytest.raises(spillring.TooLarge, match="after 1 messages"):
        queue.put_many([b"x", bytes(1 << 20), b"y"])


def test_get_many_waits_for_the_first_only(queue, in_thread):
    getting = in_thread(queue.get_many, 10)
    queue.put(b"x")
    assert [bytes(message) for message in getting.result()] == [b"x"]
    with pytest.raises(spillring.Empty):
        queue.get_many(10, timeout=0)
    with pytest.raises(spillring.Empty):
        queue.get_many(10, timeout=0.001)
    with pytest.raises(spillring.Invalid):
        queue.get_many(0)


def test_receive_many(queue):
    queue.put_many([b"a", b"b", b"c"])
    with queue.consume() as consumer:
        first = consumer.receive_many(2)
        assert [bytes(message) for message in first] == [b"a", b"b"]
        first[0].ack()
        first[1].nack()
        rest = consumer.receive_many(9, timeout=LONG)
        assert sorted(bytes(message) for message in rest) == [b"b", b"c"]
        for message in rest:
            message.ack()
        assert consumer.receive_many(9, timeout=0) == []
    assert len(queue) == 0
