import os

import pytest
import spillring


def test_connect_reaches_a_daemon(daemon):
    with spillring.connect(daemon.socket) as bus:
        assert bus.socket == daemon.socket
        assert bus.queues() == []


def test_connect_takes_a_path_and_a_timeout(daemon, tmp_path):
    with spillring.connect(tmp_path / "spillringd.sock", timeout=0.5) as bus:
        assert bus.queues() == []


def test_connect_takes_the_socket_from_the_environment(daemon, monkeypatch):
    monkeypatch.setenv("SPILLRING_SOCKET", daemon.socket)
    with spillring.connect() as bus:
        assert bus.socket == daemon.socket


def test_connect_without_a_supervisor(tmp_path):
    with pytest.raises(spillring.Unavailable) as error:
        spillring.connect(tmp_path / "nobody.sock")
    assert "nobody.sock" in str(error.value)
    assert error.value.code == "unavailable"


@pytest.mark.parametrize("timeout", [-1, float("nan")])
def test_connect_refuses_a_timeout_that_is_none(timeout):
    with pytest.raises(spillring.Invalid, match="timeout"):
        spillring.connect("/nowhere", timeout=timeout)


@pytest.mark.parametrize("timeout", ["5", b"5", [5]])
def test_connect_refuses_a_timeout_that_is_no_number(timeout):
    with pytest.raises(TypeError, match="timeout must be a number of seconds or None"):
        spillring.connect("/nowhere", timeout=timeout)


def test_connect_refuses_a_socket_that_is_no_path():
    with pytest.raises(TypeError):
        spillring.connect(5)


def test_embedded_is_reached_by_other_connections():
    with spillring.embedded() as bus:
        bus.queue("here", create=True).put(b"x")
        with spillring.connect(bus.socket) as other:
            assert bytes(other.queue("here").get_nowait()) == b"x"
    assert not os.path.exists(bus.socket)


def test_two_embedded_do_not_share_queues():
    with spillring.embedded() as one, spillring.embedded() as two:
        one.queue("mine", create=True)
        assert [info.name for info in one.queues()] == ["mine"]
        assert two.queues() == []


def test_embedded_lives_as_long_as_its_queues():
    queue = spillring.embedded().queue("mine", create=True)
    queue.put(b"x")
    assert bytes(queue.get_nowait()) == b"x"
    assert queue.info().next == 2


def test_queue_opens_or_creates(bus):
    with pytest.raises(spillring.NotFound, match="frames"):
        bus.queue("frames")
    created = bus.queue("frames", create=True, slots=128)
    assert created.name == "frames"
    assert bus.queue("frames").info().slots == 128
    assert bus.queue("frames", create=True, slots=256).info().slots == 128


def test_queue_has_the_defaults_of_the_stub(bus):
    info = bus.queue("frames", create=True).info()
    assert info.capacity == 16 << 20
    assert info.slots == 65536
    assert info.full == "block"
    assert info.keep == "unread"
    assert info.stall_timeout == 1.0
    assert info.lease is None
    assert info.exclusive_producer is False
    assert info.prealloc is False


def test_queue_has_the_options_asked_for(bus):
    info = bus.queue(
        "frames",
        create=True,
        capacity="1MiB",
        slots=1000,
        full="reject",
        keep="attached",
        stall_timeout=0.25,
        lease=1.5,
        exclusive_producer=True,
        prealloc=True,
    ).info()
    assert info.capacity == 1 << 20
    assert info.slots == 1024
    assert info.full == "reject"
    assert info.keep == "attached"
    assert info.stall_timeout == 0.25
    assert info.lease == 1.5
    assert info.exclusive_producer is True
    assert info.prealloc is True


@pytest.mark.parametrize(
    "text, size",
    [
        ("64MiB", 64 << 20),
        ("1GiB", 1 << 30),
        ("512 kib", 512 << 10),
        (" 1.5MiB ", 3 << 19),
        ("8m", 8 << 20),
        ("500kB", 500_000),
        ("2MB", 2_000_000),
        ("1048576", 1 << 20),
        ("1048576B", 1 << 20),
        (1 << 20, 1 << 20),
    ],
)
def test_capacity(bus, text, size):
    capacity = bus.queue("q", create=True, capacity=text).info().capacity
    assert size <= capacity < size + 4096  # whole pages


@pytest.mark.parametrize(
    "text", ["", "MiB", "64 Mib/s", "-1", "+1", "1e6", "0x10", "1..5M", ".5M", "64MiBs", "99999TiB999"]
)
def test_capacity_that_is_not_a_size(bus, text):
    with pytest.raises(spillring.Invalid, match="capacity") as error:
        bus.queue("q", create=True, capacity=text)
    assert "64MiB" in error.value.hint


@pytest.mark.parametrize("capacity", [0, 12, "12", "0", -1, 1 << 80, "999999999999999TiB", 1 << 63])
def test_capacity_that_is_out_of_range(bus, capacity):
    with pytest.raises(spillring.Invalid, match="capacity"):
        bus.queue("q", create=True, capacity=capacity)
    assert bus.queues() == []


@pytest.mark.parametrize("capacity", [1.5, b"64MiB", [64]])
def test_capacity_of_another_type(bus, capacity):
    with pytest.raises(TypeError, match="capacity"):
        bus.queue("q", create=True, capacity=capacity)


@pytest.mark.parametrize(
    "option, value",
    [
        ("slots", 0),
        ("slots", -1),
        ("slots", 1 << 70),
        ("full", "sometimes"),
        ("keep", "nothing"),
        ("stall_timeout", 0),
        ("stall_timeout", -1),
        ("stall_timeout", float("nan")),
        ("lease", 0),
        ("lease", -0.5),
    ],
)
def test_option_that_can_never_work(bus, option, value):
    with pytest.raises(spillring.Invalid, match=option):
        bus.queue("q", create=True, **{option: value})
    assert bus.queues() == []


@pytest.mark.parametrize(
    "option, value",
    [
        ("slots", "many"),
        ("slots", 1.0),
        ("full", 1),
        ("keep", b"unread"),
        ("stall_timeout", "1s"),
        ("lease", "1s"),
        ("exclusive_producer", 1),
        ("prealloc", 1),
        ("create", "yes"),
    ],
)
def test_option_of_another_type(bus, option, value):
    with pytest.raises(TypeError, match=option):
        bus.queue("q", **{"create": True, option: value})


def test_wrong_choice_names_the_right_ones(bus):
    with pytest.raises(spillring.Invalid, match="'block', 'reject'"):
        bus.queue("q", create=True, full="sometimes")


def test_option_without_create_is_refused(bus):
    bus.queue("q", create=True)
    with pytest.raises(spillring.Invalid, match="capacity") as error:
        bus.queue("q", capacity="1MiB")
    assert "create=True" in error.value.hint


def test_an_exclusive_producer_is_refused_to_a_second_one(bus):
    first = bus.queue("q", create=True, exclusive_producer=True)
    assert first.info().exclusive_producer is True
    first.put(b"mine")
    with spillring.connect(bus.socket) as other:
        second = other.queue("q")
        assert bytes(second.get_nowait()) == b"mine"
        with pytest.raises(spillring.Error, match=f"process {os.getpid()} is it") as error:
            second.put(b"not mine")
        assert error.value.code == "busy"
        assert len(second) == 0
        del first
        second.put(b"mine now")
        assert bytes(second.get_nowait()) == b"mine now"


def test_a_queue_that_drops_its_oldest_says_how_many(bus):
    queue = bus.queue("q", create=True, full="drop-oldest", capacity="64KiB", slots=64)
    consumer = queue.consume("g")
    for number in range(500):
        queue.put_nowait(str(number).encode())
    expected = 0
    for message in consumer:
        assert int(bytes(message)) == expected + message.gap
        expected = int(bytes(message)) + 1
        message.ack()
        if expected == 500:
            break
    (group,) = queue.groups()
    assert 400 < group.dropped < 500
    assert queue.info().dropped == group.dropped
    assert queue.info().full == "drop-oldest"


def test_a_queue_cannot_spill_to_nowhere(bus):
    with pytest.raises(spillring.Invalid, match="state directory"):
        bus.queue("q", create=True, full="spill")
    assert bus.queue("q", create=True).info().full == "block"


def test_option_that_asks_for_nothing_unbuilt(bus):
    bus.queue("q", create=True, durability="memory", exclusive_producer=False)


def test_how_often_a_queue_syncs(tmp_path):
    with spillring.embedded(state_dir=tmp_path) as bus:
        for sync, shown in (("each", "each"), ("never", "never"), ("100ms", "100ms"), (0.25, "250ms")):
            queue = bus.queue(f"q-{shown}", create=True, durability="disk", sync=sync)
            assert queue.info().sync == shown
            queue.put(b"kept", durable=True, timeout=5)
        with pytest.raises(spillring.Invalid, match="each, never, or a duration"):
            bus.queue("q", create=True, durability="disk", sync="often")
        with pytest.raises(spillring.Invalid, match="syncs nothing"):
            bus.queue("q", create=True, sync=1)


def test_an_embedded_supervisors_queues_are_kept_in_its_state_directory(tmp_path):
    with spillring.embedded(state_dir=tmp_path / "state") as bus:
        queue = bus.queue("q", create=True)
        queue.put(b"kept", key=b"k", headers={"h": b"v"})
        queue.put(b"taken")
        assert bytes(queue.get()) == b"kept"
        assert queue.info().full == "spill"
    with spillring.embedded(state_dir=tmp_path / "state") as bus:
        queue = bus.queue("q")
        assert len(queue) == 1
        message = queue.get(timeout=5)
        assert (bytes(message), message.seq, message.deliveries) == (b"taken", 2, 1)


def test_a_queue_that_spills_takes_more_than_fits_into_memory(tmp_path):
    payloads = [bytes([i % 256]) * 5000 for i in range(500)]
    with spillring.embedded(state_dir=tmp_path) as bus:
        queue = bus.queue("q", create=True, capacity="256KiB")
        for payload in payloads:
            queue.put_nowait(payload)
        info = queue.info()
        assert info.journaled > 300 and info.journal_bytes > 0
        assert [bytes(queue.get(timeout=5)) for _ in payloads] == payloads


def test_unknown_option(bus, queue):
    calls = [
        (spillring.connect, ()),
        (spillring.embedded, ()),
        (bus.queue, ("q",)),
        (queue.put, (b"",)),
        (queue.put_nowait, (b"",)),
        (queue.loan, (1,)),
        (queue.get, ()),
        (queue.get_nowait, ()),
        (queue.consume, ()),
        (queue.subscribe, ()),
        (queue.peek, ()),
    ]
    for call, args in calls:
        with pytest.raises(TypeError, match="unexpected keyword argument 'color'"):
            call(*args, color="red")


@pytest.mark.parametrize(
    "name", ["", ".hidden", "a/b", "a b", "ä", "x" * 121, "new\nline", "nul\0", "\udcff"]
)
def test_bad_name(bus, name):
    for call in (bus.queue, bus.delete):
        with pytest.raises(spillring.Invalid):
            call(name)
    with pytest.raises(spillring.Invalid):
        bus.queue(name, create=True)


@pytest.mark.parametrize("name", ["x", "x" * 120, "A-z_0.9", "-"])
def test_good_name(bus, name):
    assert bus.queue(name, create=True).name == name
    assert [info.name for info in bus.queues()] == [name]


@pytest.mark.parametrize("name", [None, 5, b"bytes"])
def test_name_of_another_type(bus, name):
    with pytest.raises(TypeError, match="queue must be a str"):
        bus.queue(name)


def test_queues_are_sorted_by_name(bus):
    for name in ["b", "c", "a"]:
        bus.queue(name, create=True)
    infos = bus.queues()
    assert [info.name for info in infos] == ["a", "b", "c"]
    assert all(isinstance(info, spillring.QueueInfo) for info in infos)


def test_delete(bus):
    queue = bus.queue("q", create=True)
    consumer = queue.consume()
    queue.put(b"x")
    bus.delete("q")
    assert bus.queues() == []
    with pytest.raises(spillring.Deleted, match="'q'"):
        queue.put(b"x")
    with pytest.raises(spillring.Deleted, match="'q'"):
        consumer.receive(timeout=1)
    with pytest.raises(spillring.NotFound, match="q"):
        bus.delete("q")


def test_delete_leaves_views_intact(bus):
    queue = bus.queue("q", create=True)
    queue.put(b"still here" * 100)
    message = queue.get_nowait()
    bus.delete("q")
    assert bytes(message) == b"still here" * 100


def test_name_can_be_used_again_after_delete(bus):
    bus.queue("q", create=True).put(b"old")
    bus.delete("q")
    queue = bus.queue("q", create=True)
    assert len(queue) == 0
    queue.put(b"new")
    assert bytes(queue.get_nowait()) == b"new"


def test_close_closes_all_that_was_made_through_it():
    bus = spillring.embedded()
    queue = bus.queue("q", create=True)
    consumer = queue.consume()
    queue.put(b"x")
    assert "closed" not in repr(bus)
    bus.close()
    bus.close()
    assert "closed" in repr(bus)
    calls = [
        bus.queues,
        queue.info,
        queue.get_nowait,
        queue.consume,
        consumer.receive,
        lambda: consumer.lag,
        lambda: bus.queue("q"),
        lambda: bus.delete("q"),
        lambda: queue.put(b"x"),
        lambda: queue.loan(1),
    ]
    for call in calls:
        with pytest.raises(spillring.Closed):
            call()
    assert list(consumer) == []


def test_close_leaves_what_is_in_use(daemon):
    with daemon.connect() as bus, daemon.connect() as other:
        queue = bus.queue("q", create=True)
        queue.put(b"1")
        queue.put(b"2")
        consumer = queue.consume()
        message = consumer.receive(timeout=5)
        loan = queue.loan(1)
        bus.close()
        theirs = other.queue("q")
        ahead = theirs.get(timeout=5)  # was claimed ahead
        assert (bytes(message), bytes(ahead)) == (b"1", b"2")
        message.ack()
        memoryview(loan)[:] = b"3"
        loan.publish()
        assert bytes(theirs.get(timeout=5)) == b"3"
        info = theirs.info()
        assert (info.messages, info.producers, info.consumers) == (0, 0, 1)


def test_nothing_can_be_made_by_its_class():
    for name in ["Bus", "Queue", "Consumer", "Message", "Loan"]:
        with pytest.raises(TypeError):
            getattr(spillring, name)()
        with pytest.raises(TypeError):
            type("Derived", (getattr(spillring, name),), {})


def test_repr(bus):
    queue = bus.queue("frames", create=True)
    assert repr(bus) == f"<spillring.Bus embedded at {bus.socket}>"
    assert repr(queue) == f"<spillring.Queue 'frames' at {bus.socket}>"
    assert repr(queue.consume("gpu")) == "<spillring.Consumer of 'frames', shared group 'gpu'>"
    assert repr(queue.subscribe("log")) == "<spillring.Consumer of 'frames', stream group 'log'>"
    assert repr(queue.subscribe()) == "<spillring.Consumer of 'frames', broadcast>"
