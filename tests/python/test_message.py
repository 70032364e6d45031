import copy
import datetime
import gc
import json
import time

import numpy as np
import pytest
import spillring


def address_of(buffer):
    return np.frombuffer(buffer, np.uint8).__array_interface__["data"][0]


def queue_memory():
    """The address ranges of this process at which queues are mapped, with their permissions."""
    ranges = []
    with open("/proc/self/maps") as maps:
        for line in maps:
            if "/memfd:spillring" in line:
                addresses, permissions = line.split()[:2]
                begin, end = (int(address, 16) for address in addresses.split("-"))
                ranges.append((range(begin, end), permissions))
    return ranges


def permissions_at(address):
    return [permissions for span, permissions in queue_memory() if address in span]


@pytest.mark.parametrize("size", [8, 1000, 1 << 20])
def test_message_lies_in_the_queues_memory(queue, size):
    queue.put(bytes(size))
    message = queue.get_nowait()
    assert permissions_at(address_of(message)) == ["r--s"]
    assert permissions_at(address_of(message) + size - 1) == ["r--s"]
    assert not permissions_at(address_of(message.copy()))


def test_loan_lies_in_the_queues_memory(queue):
    with queue.loan(1000) as slot:
        assert permissions_at(address_of(slot)) == ["rw-s"]


def test_message_is_a_read_only_buffer(queue):
    queue.put(b"\0\0\x80\x3f" * 3)
    message = queue.get_nowait()
    with memoryview(message) as view:
        assert (view.format, view.ndim, view.readonly) == ("B", 1, True)
        assert (view.nbytes, view.shape, view.strides) == (12, (12,), (1,))
        with pytest.raises(TypeError):
            view[0] = 1
    array = np.frombuffer(message, "f4")
    assert array.tolist() == [1.0, 1.0, 1.0]
    with pytest.raises(ValueError):
        array[0] = 2
    with pytest.raises(ValueError):
        array.flags.writeable = True
    with open("/dev/zero", "rb", buffering=0) as zeros, pytest.raises((TypeError, BufferError)):
        zeros.readinto(message)


def test_message_goes_where_a_buffer_goes(queue, tmp_path):
    queue.put(b'{"a": 1}')
    message = queue.get_nowait()
    assert bytes(message) == b'{"a": 1}'
    assert bytearray(message) == bytearray(b'{"a": 1}')
    assert b"".join([message, b"!"]) == b'{"a": 1}!'
    assert json.loads(bytes(message)) == {"a": 1}
    with open(tmp_path / "file", "wb") as file:
        file.write(message)
    assert (tmp_path / "file").read_bytes() == b'{"a": 1}'


def test_empty_message(queue):
    queue.put(b"")
    message = queue.get_nowait()
    assert len(message) == 0
    assert message
    assert bytes(message) == message.copy() == b""
    assert memoryview(message).nbytes == 0


def test_attributes(queue):
    before = datetime.datetime.now(datetime.timezone.utc)
    seq = queue.put(b"hello")
    message = queue.get_nowait()
    assert message.seq == seq == 1
    assert message.queue == queue.name
    assert message.deliveries == 1
    assert len(message) == 5
    assert message.timestamp.utcoffset() == datetime.timedelta(0)
    tick = datetime.timedelta(milliseconds=20)
    assert before - tick <= message.timestamp
    assert message.timestamp <= datetime.datetime.now(datetime.timezone.utc) + tick
    with pytest.raises(AttributeError):
        message.seq = 5


@pytest.mark.parametrize("kind", [spillring.Bus, spillring.Queue, spillring.Consumer, spillring.Message, spillring.Loan])
def test_only_spillring_makes_instances(kind):
    with pytest.raises(TypeError):
        kind()
    with pytest.raises(TypeError):
        kind.__new__(kind)
    with pytest.raises(TypeError):
        object.__new__(kind)


def test_message_cannot_be_copied_by_copy(queue):
    queue.put(b"one")
    message = queue.get()
    with pytest.raises(TypeError):
        copy.copy(message)
    assert message.copy() == b"one"


@pytest.mark.parametrize("size", [5, 1 << 20])
def test_copy_is_independent(queue, size):
    data = np.random.default_rng(size).bytes(size)
    queue.put(data)
    message = queue.get_nowait(ack=False)
    copy = message.copy()
    message.ack()
    assert type(copy) is bytes
    assert copy == data


@pytest.mark.parametrize("views", [1, 2])
@pytest.mark.parametrize("ending", ["ack", "nack", "__exit__"])
def test_message_does_not_end_under_a_view(queue, views, ending):
    queue.put(b"hello")
    message = queue.get_nowait(ack=False)
    held = [memoryview(message) for _ in range(views)]
    end = getattr(message, ending)
    args = (None, None, None) if ending == "__exit__" else ()
    text = "1 view of this message still exists" if views == 1 else "2 views of this message still exist"
    with pytest.raises(BufferError, match=text) as error:
        end(*args)
    assert "m.copy() or bytes(m)" in str(error.value)
    assert bytes(held[0]) == bytes(message) == b"hello"
    assert queue.groups()[0].unacked == 1
    del held
    end(*args)
    assert queue.groups()[0].unacked == 0


def test_views_of_views_count(queue):
    queue.put(b"hello" * 100)
    message = queue.get_nowait(ack=False)
    array = np.frombuffer(message, np.uint8)
    part = array[10:20].reshape(2, 5)
    del array
    with pytest.raises(BufferError):
        message.ack()
    del part
    view = memoryview(message)[1:2]
    with pytest.raises(BufferError):
        message.ack()
    view.release()
    with pytest.raises(BufferError):  # what it was a slice of is gone from sight, not from memory
        with memoryview(message) as whole, whole[1:2]:
            message.ack()
    message.ack()


def test_view_keeps_its_message(queue):
    data = np.random.default_rng(0).bytes(4096)
    queue.put(data)
    view = memoryview(queue.get_nowait())
    for _ in range(3):
        queue.put(bytes(4096))
        queue.get_nowait()
    gc.collect()
    assert view == data


def test_view_does_not_change_while_the_queue_goes_on(make):
    queue = make(capacity="256KiB")
    data = np.random.default_rng(0).bytes(8000)
    queue.put(data)
    view = memoryview(queue.get_nowait())
    for _ in range(200):  # many times round the ring
        queue.put(bytes(8000), timeout=30)
        queue.get_nowait()
    assert view == data


def test_get_acknowledges_at_once_and_keeps_the_bytes(queue):
    queue.put(b"hello" * 100)
    message = queue.get()
    group = queue.groups()[0]
    assert (group.unacked, group.lag) == (0, 0)
    assert bytes(message) == b"hello" * 100
    message.ack()  # only ends the view
    message.ack()
    with pytest.raises(spillring.Closed):
        bytes(message)


def test_get_that_acknowledged_cannot_hand_back(queue):
    queue.put(b"hello")
    message = queue.get()
    with pytest.raises(spillring.Invalid, match="get.. acknowledged it") as error:
        message.nack()
    assert "ack=False" in error.value.hint
    assert bytes(message) == b"hello"


def test_get_without_ack_leaves_it_to_the_caller(queue):
    queue.put(b"hello")
    message = queue.get(ack=False)
    assert queue.groups()[0].unacked == 1
    message.ack()
    assert queue.groups()[0].unacked == 0
    with pytest.raises(spillring.Empty):
        queue.get_nowait()


def test_nack_hands_back(queue):
    queue.put(b"hello")
    for deliveries in (1, 2, 3):
        message = queue.get_nowait(ack=False)
        assert message.deliveries == deliveries
        message.nack()
    message = queue.get_nowait()
    assert (bytes(message), message.deliveries) == (b"hello", 4)


def test_with_acknowledges(queue):
    queue.put(b"hello")
    with queue.get(ack=False) as message:
        assert bytes(message) == b"hello"
    assert queue.groups()[0].unacked == 0
    with pytest.raises(spillring.Empty):
        queue.get_nowait()


def test_with_hands_back_on_an_exception(queue):
    queue.put(b"hello")
    with pytest.raises(ZeroDivisionError):
        with queue.get(ack=False):
            1 / 0
    assert queue.get_nowait().deliveries == 2


def test_with_hands_back_on_an_exception_when_the_last_view_is_gone(queue):
    queue.put(b"hello")
    with pytest.raises(ZeroDivisionError):
        with queue.get(ack=False) as message:
            array = np.frombuffer(message, np.uint8)
            1 / 0
    with pytest.raises(spillring.Empty):
        queue.get_nowait()
    assert array.tobytes() == b"hello"
    del array
    assert queue.get_nowait().deliveries == 2
    assert "handed back" in repr(message)


def test_with_on_a_message_that_was_ended_inside(queue):
    queue.put(b"hello")
    with queue.get(ack=False) as message:
        message.nack()
    with queue.get(ack=False) as message:
        message.ack()
    with pytest.raises(ZeroDivisionError):
        with message:
            1 / 0


def test_with_on_a_message_that_get_acknowledged(queue):
    queue.put(b"1")
    queue.put(b"2")
    with queue.get() as message:
        assert bytes(message) == b"1"
    with pytest.raises(ZeroDivisionError):
        with queue.get():
            1 / 0
    with pytest.raises(spillring.Empty):
        queue.get_nowait()


def test_ended_message_cannot_be_read(queue):
    queue.put(b"1", key=b"k")
    queue.put(b"2", key=b"k")
    acknowledged = queue.get_nowait(ack=False)
    acknowledged.ack()
    returned = queue.get_nowait(ack=False)
    returned.nack()
    for message in (acknowledged, returned):
        for read in (
            lambda m: memoryview(m),
            lambda m: bytes(m),
            lambda m: m.copy(),
            lambda m: m.key,
            lambda m: m.headers,
        ):
            with pytest.raises(spillring.Closed, match="has ended"):
                read(message)
        assert (len(message), message.deliveries, message.queue) == (1, 1, "queue-0")
        assert message.timestamp
    assert (acknowledged.seq, returned.seq) == (1, 2)


def test_ending_twice(queue):
    queue.put(b"1")
    queue.put(b"2")
    acknowledged = queue.get_nowait(ack=False)
    acknowledged.ack()
    acknowledged.ack()
    with pytest.raises(spillring.Invalid, match="it was acknowledged"):
        acknowledged.nack()
    returned = queue.get_nowait(ack=False)
    returned.nack()
    returned.nack()
    with pytest.raises(spillring.Invalid, match="handed back"):
        returned.ack()


def test_dropped_message_is_handed_back_with_a_warning(queue):
    queue.put(b"hello")
    message = queue.get_nowait(ack=False)
    with pytest.warns(ResourceWarning) as warnings:
        del message
    assert [str(warning.message) for warning in warnings] == [
        "message 1 of queue 'queue-0' was dropped unacknowledged and is handed back; "
        "call ack() or nack(), or use it in a with statement"
    ]
    assert warnings[0].filename == __file__
    assert queue.get_nowait().deliveries == 2


def test_message_collected_in_a_cycle_is_handed_back(queue):
    queue.put(b"hello")
    cycle = [queue.get_nowait(ack=False)]
    cycle.append(cycle)
    with pytest.warns(ResourceWarning):
        del cycle
        gc.collect()
    assert queue.get_nowait().deliveries == 2


def test_dropped_message_that_owes_nothing_does_not_warn(queue):
    subscriber = queue.subscribe()
    queue.put(b"hello")
    queue.get_nowait()
    assert bytes(subscriber.receive(timeout=5)) == b"hello"
    queue.peek()
    gc.collect()  # the filter makes an error of a warning


def test_stale_message(make):
    queue = make(lease=0.05)
    queue.put(b"hello" * 100)
    late = queue.get(ack=False, timeout=5)
    with queue.consume().receive(timeout=10) as message:  # waits until the lease is over
        assert message.deliveries == 2
    assert bytes(late) == b"hello" * 100
    for _ in range(2):
        with pytest.raises(spillring.Stale):
            late.ack()
    assert "stale" in repr(late)
    with pytest.raises(spillring.Stale):
        late.nack()


def test_stream_messages(queue):
    subscriber = queue.subscribe("log", start="earliest")
    queue.put(b"1")
    queue.put(b"2")
    first = subscriber.receive(timeout=5)
    with pytest.raises(spillring.Invalid, match="stream group"):
        first.nack()
    first.ack()
    first.ack()
    with subscriber.receive(timeout=5) as second:
        assert second.deliveries == 1
    with pytest.raises(spillring.Closed):
        bytes(second)


def test_nack_with_a_delay_comes_later(queue):
    queue.put(b"later")
    queue.put(b"now")
    consumer = queue.consume(prefetch=1, timeout=30)
    began = time.monotonic()
    next(consumer).nack(delay=0.1)
    message = next(consumer)
    assert bytes(message) == b"now"
    message.ack()
    message = next(consumer)
    assert time.monotonic() - began >= 0.1
    assert (bytes(message), message.deliveries) == (b"later", 2)
    message.ack()


@pytest.mark.parametrize("delay", [-1, 4 * 86400, float("nan")])
def test_a_delay_that_cannot_be_is_refused(queue, delay):
    queue.put(b"x")
    message = queue.get_nowait(ack=False)
    with pytest.raises(spillring.Invalid, match="three days"):
        message.nack(delay=delay)
    message.ack()


def test_after_max_deliveries_it_is_a_dead_letter(bus):
    dead = bus.queue("dead", create=True)
    queue = bus.queue("jobs", create=True, max_deliveries=2, dead_letter="dead")
    queue.put(b"poison", key=b"k", headers={"a": b"b"})
    for delivery in (1, 2):
        message = queue.get(timeout=30, ack=False)
        assert message.deliveries == delivery
        message.nack()
    letter = dead.get(timeout=30)
    assert (bytes(letter), letter.key) == (b"poison", b"k")
    assert letter.headers == {
        "a": b"b",
        "spillring-reason": b"max-deliveries",
        "spillring-source": b"jobs",
        "spillring-group": b"default",
        "spillring-sequence": b"1",
        "spillring-deliveries": b"2",
    }
    info = queue.info()
    assert (info.max_deliveries, info.dead_letter) == (2, "dead")


def test_repr(queue):
    queue.put(b"hello")
    queue.put(bytes(100))
    small, large = queue.get_nowait(ack=False), queue.get_nowait()
    assert repr(small) == "<spillring.Message 1 of 'queue-0', 5 bytes: b'hello'>"
    assert repr(large).startswith("<spillring.Message 2 of 'queue-0', 100 bytes: b'\\x00")
    assert repr(large).endswith("...>")
    assert len(repr(large)) < 200
    small.ack()
    assert repr(small) == "<spillring.Message 1 of 'queue-0', 5 bytes: acknowledged>"


def test_messages_are_cheap_to_hold(queue):
    held = []
    for n in range(500):
        queue.put(n.to_bytes(4, "big"))
        held.append(queue.get_nowait())
    assert [int.from_bytes(message, "big") for message in held] == list(range(500))


def test_time_of_a_message_is_the_time_it_was_sent(queue):
    queue.put(b"1")
    time.sleep(0.1)
    queue.put(b"2")
    first, second = queue.get_nowait(), queue.get_nowait()
    assert second.timestamp - first.timestamp >= datetime.timedelta(milliseconds=50)
