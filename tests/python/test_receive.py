import datetime
import queue as standard
import time

import pytest
import spillring


def numbers(messages):
    values = []
    for message in messages:
        values.append(int(bytes(message)))
        message.ack()
    return values


def fill(queue, *values):
    for value in values:
        queue.put(str(value).encode())


def test_get_in_order(queue):
    fill(queue, *range(100))
    assert [int(bytes(queue.get())) for _ in range(100)] == list(range(100))


def test_get_of_an_empty_queue(queue):
    for call in (queue.get_nowait, lambda: queue.get(timeout=0), lambda: queue.get(timeout=0.05)):
        with pytest.raises(spillring.Empty, match=queue.name) as error:
            call()
        assert isinstance(error.value, standard.Empty)


def test_get_waits_as_long_as_it_may(queue):
    begin = time.monotonic()
    with pytest.raises(spillring.Empty):
        queue.get(timeout=0.3)
    assert time.monotonic() - begin >= 0.3


def test_get_waits_for_a_message(queue, in_thread):
    thread = in_thread(queue.get)
    queue.put(b"hello")
    assert bytes(thread.result()) == b"hello"


def test_groups_each_get_everything(queue):
    groups = ("a", "b", "default")
    for group in groups:
        queue.consume(group).close()  # from here on it needs everything
    fill(queue, 1, 2)
    for group in groups:
        assert [bytes(queue.get_nowait(group=group)) for _ in range(2)] == [b"1", b"2"]
        with pytest.raises(spillring.Empty):
            queue.get_nowait(group=group)


def test_get_claims_nothing_ahead(queue, bus):
    fill(queue, 1, 2, 3)
    other = bus.queue(queue.name)
    first, second = queue.get(ack=False), other.get(ack=False)
    assert queue.groups()[0].unacked == 2
    assert [bytes(first), bytes(second), bytes(queue.get())] == [b"1", b"2", b"3"]
    first.ack()
    second.ack()


@pytest.mark.parametrize("group", ["", "a b", ".x", "ü"])
def test_bad_group(queue, group):
    for call in (
        lambda: queue.get(group=group),
        lambda: queue.get_nowait(group=group),
        lambda: queue.consume(group),
        lambda: queue.subscribe(group),
        lambda: queue.remove_group(group),
    ):
        with pytest.raises(spillring.Invalid, match="group"):
            call()


def test_arguments_of_another_type(queue):
    for call in (
        lambda: queue.get(group=5),
        lambda: queue.get(timeout="1"),
        lambda: queue.get(ack=1),
        lambda: queue.get("default"),
        lambda: queue.consume(5),
        lambda: queue.consume(prefetch="many"),
        lambda: queue.consume(start=1.5),
        lambda: queue.consume(start=None),
        lambda: queue.consume(timeout="1"),
        lambda: queue.subscribe(5),
        lambda: queue.subscribe(start=b"latest"),
        lambda: queue.consume().receive(timeout="1"),
    ):
        with pytest.raises(TypeError):
            call()


@pytest.mark.parametrize(
    "options",
    [
        {"prefetch": 0},
        {"prefetch": -1},
        {"prefetch": 1 << 32},
        {"start": "first"},
        {"start": -1},
        {"start": 1 << 64},
        {"timeout": -1},
    ],
    ids=str,
)
def test_consume_options_that_can_never_work(queue, options):
    with pytest.raises(spillring.Invalid, match=next(iter(options))):
        queue.consume(**options)
    assert queue.groups() == []


def test_start_at_a_time(queue):
    queue.consume("keeper").close()
    fill(queue, 1, 2)
    time.sleep(0.05)  # timestamps are those of the kernel's tick
    fill(queue, 3, 4)
    third = queue.peek(seq=3)[0].timestamp
    assert third.tzinfo is not None
    for start in (third, third.astimezone().replace(tzinfo=None)):
        for consumer in (queue.consume(f"at {start}".replace(" ", "_").replace(":", ".").replace("+", "-"), start=start, timeout=0.05),
                         queue.subscribe(start=start)):
            with consumer, consumer.receive(timeout=5) as message:
                assert message.seq == 3
    early = datetime.datetime(1960, 1, 1, tzinfo=datetime.timezone.utc)
    with queue.subscribe(start=early) as consumer, consumer.receive(timeout=5) as message:
        assert message.seq == 1
    with queue.subscribe(start=datetime.datetime.now() + datetime.timedelta(days=1)) as consumer:
        assert consumer.receive(timeout=0) is None


def test_seek(queue):
    fill(queue, 1, 2, 3)
    with queue.consume("other", prefetch=1) as keeps, queue.consume("group", timeout=0.05) as consumer:
        assert numbers(consumer) == [1, 2, 3]
        consumer.seek("earliest")  # the other group needs them all
        assert numbers(consumer) == [1, 2, 3]
        consumer.seek(3)
        assert numbers(consumer) == [3]
        consumer.seek("latest")
        assert numbers(consumer) == []
        consumer.seek(2)
        held = consumer.receive(timeout=5)
        with pytest.raises(spillring.Error) as error:
            consumer.seek("earliest")
        assert error.value.code == "busy"
        held.ack()
        with pytest.raises(spillring.Error) as error:
            keeps.seek("yesterday")
        assert "to='yesterday'" in str(error.value)
        consumer.seek(datetime.datetime.now() + datetime.timedelta(days=1))
        assert numbers(consumer) == []
    with pytest.raises(spillring.Closed):
        consumer.seek("latest")


def test_iteration(queue):
    fill(queue, 1, 2, 3)
    consumer = queue.consume(timeout=0.05)
    assert iter(consumer) is consumer
    assert numbers(consumer) == [1, 2, 3]
    assert numbers(consumer) == []
    fill(queue, 4)
    assert numbers(consumer) == [4]  # it only paused


def test_iteration_without_a_wait(queue):
    fill(queue, 1, 2, 3)
    assert numbers(queue.consume(timeout=0)) == [1, 2, 3]


def test_iteration_waits(queue, in_thread):
    thread = in_thread(lambda: numbers(m for _, m in zip(range(3), queue.consume())))
    fill(queue, 1)
    fill(queue, 2, 3)
    assert thread.result() == [1, 2, 3]


def test_receive(queue):
    with queue.consume() as consumer:
        assert consumer.receive(timeout=0) is None
        assert consumer.receive(timeout=0.05) is None
        fill(queue, 1)
        assert numbers([consumer.receive()]) == [1]
        fill(queue, 2)
        assert numbers([consumer.receive(0)]) == [2]


def test_messages_may_be_acknowledged_in_any_order(queue):
    fill(queue, *range(10))
    messages = list(queue.consume(timeout=0.05))
    for message in sorted(messages, key=lambda m: (m.seq % 3, m.seq)):
        message.ack()
    group = queue.groups()[0]
    assert (group.unacked, group.lag) == (0, 0)


def test_consumer_that_is_dropped_leaves_its_messages_usable(queue):
    fill(queue, 1, 2)
    messages = list(queue.consume(timeout=0.05))
    assert numbers(messages) == [1, 2]
    assert queue.groups()[0].lag == 0


def test_two_consumers_share(queue):
    one, two = queue.consume("g", prefetch=1), queue.consume("g", prefetch=1)
    fill(queue, *range(10))
    got = []
    for consumer in [one, two] * 5:
        message = consumer.receive(timeout=5)
        got.append(int(bytes(message)))
        message.ack()
    assert sorted(got) == list(range(10))
    assert queue.groups()[0].members == 2
    assert one.receive(timeout=0) is two.receive(timeout=0) is None


@pytest.mark.parametrize("how", ["close", "drop"])
def test_consumer_hands_back_what_it_claimed_ahead(queue, how):
    fill(queue, *range(10))
    one = queue.consume(prefetch=10)
    held = one.receive(timeout=5)
    assert queue.groups()[0].unacked == 10
    if how == "close":
        one.close()
    else:
        del one
    assert numbers(queue.consume(timeout=0)) == list(range(1, 10))
    assert queue.groups()[0].members == 1
    assert numbers([held]) == [0]
    assert (queue.groups()[0].members, queue.groups()[0].lag) == (0, 0)


def test_message_of_a_closed_consumer_is_handed_back_when_dropped(queue):
    fill(queue, 1)
    with queue.consume() as consumer:
        message = consumer.receive(timeout=5)
    with pytest.warns(ResourceWarning):
        del message
    assert queue.get_nowait().deliveries == 2


def test_closed_consumer(queue):
    consumer = queue.consume()
    consumer.close()
    consumer.close()
    for call in (consumer.receive, lambda: consumer.receive(timeout=0), lambda: consumer.lag):
        with pytest.raises(spillring.Closed, match=queue.name):
            call()
    assert list(consumer) == []
    assert "closed" in repr(consumer)
    assert queue.groups()[0].members == 0


def test_consumer_that_is_only_dropped_leaves(queue):
    consumer = queue.consume()
    assert queue.groups()[0].members == 1
    del consumer
    assert queue.groups()[0].members == 0


def test_consume_starts_where_it_is_told(queue):
    fill(queue, 1, 2, 3)
    second = queue.peek(3)[1].seq
    consumers = {
        "earliest": queue.consume("a", timeout=0.05),
        "latest": queue.consume("b", start="latest", timeout=0.05),
        "number": queue.consume("c", start=second, timeout=0.05),
    }
    fill(queue, 4)
    got = {start: numbers(consumer) for start, consumer in consumers.items()}
    assert got == {"earliest": [1, 2, 3, 4], "latest": [4], "number": [2, 3, 4]}


def test_subscriber_follows(queue):
    fill(queue, 1)
    with queue.subscribe() as live, queue.subscribe(start="earliest") as all_of_it:
        fill(queue, 2, 3)
        assert [int(bytes(live.receive(timeout=5))) for _ in range(2)] == [2, 3]
        assert live.receive(timeout=0) is None
        assert [int(bytes(all_of_it.receive(timeout=5))) for _ in range(3)] == [1, 2, 3]
        fill(queue, 4)
        assert int(bytes(live.receive(timeout=5))) == 4
        assert (live.group, all_of_it.group) == (None, None)


def test_subscribers_and_consumers_do_not_disturb_each_other(queue):
    subscriber = queue.subscribe()
    fill(queue, 1, 2)
    assert numbers(queue.consume(timeout=0.05)) == [1, 2]
    assert [int(bytes(subscriber.receive(timeout=5))) for _ in range(2)] == [1, 2]


def test_named_subscriber_keeps_its_place(queue):
    with queue.subscribe("log", start="earliest") as subscriber:
        fill(queue, 1, 2, 3)
        with subscriber.receive(timeout=5) as message:
            assert bytes(message) == b"1"
    with queue.subscribe("log", start="earliest") as subscriber:
        assert bytes(subscriber.receive(timeout=5)) == b"2"


def test_kinds_of_groups_do_not_mix(queue):
    queue.consume("jobs")
    queue.subscribe("log")
    with pytest.raises(spillring.Exists, match="jobs"):
        queue.subscribe("jobs")
    for call in (queue.consume, lambda group: queue.get(group=group)):
        with pytest.raises(spillring.Exists, match="log"):
            call("log")


def test_lag(queue):
    consumer = queue.consume()
    assert consumer.lag == 0
    fill(queue, 1, 2, 3)
    assert consumer.lag == 3
    consumer.receive(timeout=5).ack()
    assert consumer.lag == 2
    assert consumer.queue == queue.name
    assert consumer.group == "default"


def test_prefetch_is_a_limit(queue):
    fill(queue, *range(10))
    consumer = queue.consume(prefetch=4)
    message = consumer.receive(timeout=5)
    assert queue.groups()[0].unacked == 4
    message.ack()
