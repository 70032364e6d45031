import dataclasses
import pickle

import pytest
import spillring
from conftest import eventually


def test_length(queue):
    assert len(queue) == 0
    assert queue  # also where it is empty
    queue.put(b"1")
    queue.put(b"2")
    assert len(queue) == 2
    queue.get_nowait()
    assert len(queue) == 1


def test_info(queue):
    info = queue.info()
    assert (info.name, info.state, info.first, info.next, info.messages) == (queue.name, "ok", 1, 1, 0)
    assert (info.producers, info.consumers, info.groups) == (0, 0, 0)
    assert info.rings == 1
    assert 0 < info.ring_bytes <= info.capacity
    assert 0 < info.ring_slots <= info.slots
    assert info.ring_bytes < info.memory
    assert info.largest == info.capacity // 4
    queue.put(bytes(1000))
    with queue.consume("jobs"), queue.subscribe():
        info = queue.info()
    assert (info.next, info.messages) == (2, 1)
    assert info.bytes >= 1000
    assert (info.producers, info.consumers, info.groups) == (1, 2, 2)


def test_info_is_plain_data(bus, queue):
    info = queue.info()
    assert type(info) is spillring.QueueInfo
    assert pickle.loads(pickle.dumps(info)) == info
    assert bus.queues() == [info]
    assert repr(info).startswith("QueueInfo(name='queue-0', state='ok'")
    with pytest.raises(dataclasses.FrozenInstanceError):
        info.name = "other"


def test_groups(queue):
    assert queue.groups() == []
    for _ in range(3):
        queue.put(b"x")
    queue.get_nowait(group="jobs")
    held = queue.get_nowait(group="jobs", ack=False)
    with queue.subscribe("log"), queue.subscribe():
        groups = {group.name: group for group in queue.groups()}
    assert set(groups) == {"jobs", "log", None}
    assert groups["jobs"] == spillring.GroupInfo(
        name="jobs", kind="shared", floor=2, lag=2, members=1, unacked=1, lost=0, read_back=0,
        read_back_bytes=0, expired=0, expires_in=None, dropped=0,
    )
    assert groups["log"] == spillring.GroupInfo(
        name="log", kind="stream", floor=4, lag=0, members=1, unacked=0, lost=0, read_back=0,
        read_back_bytes=0, expired=0, expires_in=None, dropped=0,
    )
    assert groups[None].kind == "stream"
    held.ack()


def test_remove_group_with_its_members(queue):
    queue.put(b"held")
    queue.put(b"more")
    consumer = queue.consume("jobs")
    held = consumer.receive(timeout=0)
    queue.remove_group("jobs", force=True)
    assert queue.groups() == []
    with pytest.raises(spillring.Deleted) as raised:
        consumer.receive()
    assert "removed" in str(raised.value)
    with pytest.raises(spillring.Deleted):
        next(consumer)
    assert bytes(held) == b"held"
    with pytest.raises(spillring.Stale):
        held.ack()
    assert [bytes(m) for m in queue.get_many(2, group="jobs")] == [b"held", b"more"]
    with pytest.raises(TypeError):
        queue.remove_group("jobs", True)
    with pytest.raises(TypeError, match="force"):
        queue.remove_group("jobs", force=1)


def test_a_group_that_nobody_uses(make):
    queue = make(group_expiry=3600)
    assert queue.info().group_expiry == 3600
    queue.consume("gone").close()
    gone, = queue.groups()
    assert 3590 < gone.expires_in <= 3600
    assert queue.set(group_expiry=0).group_expiry is None
    assert queue.groups()[0].expires_in is None
    queue.set(group_expiry=0.001)
    eventually(lambda: queue.groups() == [])
    with pytest.raises(spillring.Invalid):
        queue.set(group_expiry=1e-9)


def test_remove_group(queue):
    queue.subscribe("log").close()
    with queue.consume("jobs"):
        with pytest.raises(spillring.Error) as error:
            queue.remove_group("jobs")
        assert error.value.code == "busy"
    queue.remove_group("jobs")
    assert [group.name for group in queue.groups()] == ["log"]
    with pytest.raises(spillring.NotFound, match="jobs"):
        queue.remove_group("jobs")


def test_removed_group_lets_messages_go(queue):
    queue.consume("jobs").close()
    queue.consume("other").close()
    queue.put(b"x")
    queue.get_nowait(group="other")
    assert len(queue) == 1
    queue.remove_group("jobs")
    assert len(queue) == 0


def test_purge(queue):
    consumer = queue.consume(prefetch=1)
    for number in range(5):
        queue.put(str(number).encode() * 100)
    held = consumer.receive(timeout=5)
    assert queue.purge() == 5
    assert len(queue) == 0
    assert consumer.receive(timeout=0) is None
    assert bytes(held) == b"0" * 100
    with pytest.raises(spillring.Stale):
        held.ack()
    queue.put(b"new")
    with consumer.receive(timeout=5) as message:
        assert bytes(message) == b"new"
    assert queue.purge() == 0


def test_peek_changes_nothing(queue):
    for number in range(5):
        queue.put(str(number).encode(), key=b"k", headers={"h": b"v"})
    for _ in range(2):
        assert [bytes(message) for message in queue.peek()] == [b"0"]
        assert [bytes(message) for message in queue.peek(3)] == [b"0", b"1", b"2"]
    assert [bytes(message) for message in queue.peek(100)] == [b"0", b"1", b"2", b"3", b"4"]
    assert [bytes(message) for message in queue.peek(n=2, seq=3)] == [b"2", b"3"]
    assert queue.peek(5, seq=100) == []
    assert queue.peek(0) == []
    assert queue.groups() == []
    assert [queue.get_nowait().deliveries for _ in range(5)] == [1] * 5


def test_peeked_message(queue):
    seq = queue.put(b"hello", key=b"k", headers={"h": b"v"})
    (message,) = queue.peek()
    original = queue.get_nowait()
    assert (message.seq, message.queue, message.deliveries) == (seq, queue.name, 0)
    assert (message.key, message.headers) == (b"k", {"h": b"v"})
    assert message.timestamp == original.timestamp
    assert bytes(message) == message.copy() == b"hello"
    assert memoryview(message).readonly
    assert repr(message) == repr(original)
    for call in (message.ack, message.nack):
        with pytest.raises(spillring.Invalid, match="peeked at"):
            call()
    with message:
        pass
    with pytest.raises(ZeroDivisionError), message:
        1 / 0
    assert bytes(message) == b"hello"


def test_peeked_message_outlives_its_bus():
    with spillring.embedded() as bus:
        queue = bus.queue("q", create=True)
        queue.put(b"hello")
        (message,) = queue.peek()
    assert bytes(message) == b"hello"


@pytest.mark.parametrize("arguments", [{"n": -1}, {"n": 1 << 64}, {"seq": -1}, {"seq": 1 << 64}], ids=str)
def test_peek_out_of_range(queue, arguments):
    with pytest.raises(spillring.Invalid):
        queue.peek(**arguments)


@pytest.mark.parametrize("arguments", [{"n": "1"}, {"n": 1.0}, {"seq": "1"}, {"n": None}], ids=str)
def test_peek_of_another_type(queue, arguments):
    with pytest.raises(TypeError):
        queue.peek(**arguments)


def ageless(info):
    return dataclasses.replace(info, oldest_age=None)


def test_set(queue, bus):
    slow = queue.consume()
    queue.put(b"x")
    held = slow.receive(timeout=5)
    before = ageless(queue.info())
    info = ageless(queue.set(lease=0.05))
    assert info == dataclasses.replace(before, lease=0.05) == ageless(bus.queue(queue.name).info())
    with queue.consume().receive(timeout=30) as again:  # of those attached, too
        assert again.deliveries == 2
    with pytest.raises(spillring.Stale):
        held.ack()
    assert (queue.set(stall_timeout=2.5).stall_timeout, queue.info().lease) == (2.5, 0.05)
    assert queue.set(lease=0).lease is None
    assert queue.set(ttl=1.5).ttl == 1.5
    assert queue.set(ttl=0).ttl is None
    assert ageless(queue.set()) == ageless(queue.info())


def test_set_of_a_durable_queue(tmp_path):
    with spillring.embedded(tmp_path / "state") as bus:
        queue = bus.queue("q", create=True, durability="disk")
        info = queue.set(sync="100ms", retain="7d,10GiB")
        assert (info.sync, info.retain_age, info.retain_bytes) == ("100ms", 7 * 86400, 10 << 30)
        info = queue.set(retain="none")
        assert (info.sync, info.retain_age, info.retain_bytes) == ("100ms", None, 0)
        assert queue.set(retain=5000).retain_bytes == 5000


@pytest.mark.parametrize(
    "options",
    [{"lease": -1}, {"stall_timeout": 0}, {"ttl": 0.0001}, {"ttl": -1}, {"sync": "often"}, {"retain": "some"}, {"retain": "1GiB"}],
    ids=str,
)
def test_set_what_cannot_be(queue, options):
    before = queue.info()
    with pytest.raises(spillring.Invalid):
        queue.set(**options)
    with pytest.raises(TypeError):
        queue.set(capacity=5)
    with pytest.raises(TypeError):
        queue.set(lease="soon")
    assert queue.info() == before


def test_get_joins_a_group_anew_that_was_removed(make):
    queue = make()
    queue.put(b"first")
    assert bytes(queue.get(group="jobs", timeout=5)) == b"first"
    queue.remove_group("jobs", force=True)
    with pytest.raises(spillring.Deleted):
        queue.get_nowait(group="jobs")
    queue.put(b"second")
    assert bytes(queue.get(group="jobs", timeout=5)) == b"second"
