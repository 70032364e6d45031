"""spillring move: from queue to queue, bit by bit exact."""

import pytest
from failures import assert_failure
from supervised import eventually
from test_envelope import NOT_UTF8, contents


@pytest.fixture
def copy(spillring):
    spillring("create", "copy")
    return "copy"


def test_moves_everything_in_order(spillring, orders, copy):
    spillring("send", orders, *map(str, range(2000)))
    outcome = spillring("move", orders, copy)
    assert outcome.err == "moved 2000 messages, 6890 bytes\n"
    assert spillring.count(orders) == 0
    assert spillring("recv", copy, "--all").lines == [str(n) for n in range(2000)]


def test_keys_headers_and_payloads_are_exact(spillring, orders, copy):
    spillring("send", orders, "-f", "-", "-H", "a=b", "-H", "a=c", "--key", "k", stdin=NOT_UTF8)
    spillring("send", orders, "", "text")
    spillring("send", orders, "-f", "-", stdin=bytes(range(256)) * 4096)
    before = contents(spillring, orders)
    spillring("move", orders, copy)
    assert contents(spillring, copy) == before


def test_so_many(spillring, orders, copy):
    spillring("send", orders, "a", "b", "c")
    spillring("move", orders, copy, "-n", "2")
    assert spillring("recv", orders, "--all").lines == ["c"]
    assert spillring("recv", copy, "--all").lines == ["a", "b"]


def test_of_another_group(spillring, orders):
    for group in ("default", "other"):
        spillring("recv", orders, "-g", group, code=1)  # from now on messages are kept for both
    spillring("send", orders, "a", "b")
    spillring("recv", orders, "-g", "other")
    spillring("move", orders, "archive", "-g", "other", "--create")
    assert spillring("recv", "archive", "--all").lines == ["b"]
    assert spillring("recv", orders, "--all").lines == ["a", "b"]


def test_of_nothing(spillring, orders, copy):
    assert spillring("move", orders, copy, code=1).err == "moved 0 messages, 0 bytes\n"


def test_usage(spillring, orders):
    assert_failure(spillring("move", orders, orders, code=64), "cannot move 'orders' to itself")
    spillring("move", orders, "missing", code=69)
    spillring("move", "missing", orders, code=69)
    spillring("move", orders, code=64)


def test_what_the_target_has_no_room_for_stays(spillring, orders):
    """Killed in the middle, every message is in one of the queues."""
    spillring("create", "small", "--slots", "64", "--full", "block")
    spillring("send", orders, *map(str, range(500)))
    move = spillring.start("move", orders, "small")
    eventually(lambda: spillring.count("small") >= 60, "it waits for room")
    move.kill()
    move.wait()
    moved = spillring("recv", "small", "--all").lines
    eventually(lambda: spillring("peek", orders, code=None).code == 0, "what it held is back")
    left = spillring("recv", orders, "--all", "-t", "1s").lines
    assert sorted(set(map(int, moved + left))) == list(range(500))


def test_what_the_target_cannot_take_stays(spillring, orders):
    spillring("create", "tiny", "--capacity", "64KiB")
    spillring("send", orders, "small", "x" * 100_000)
    spillring("move", orders, "tiny", code=65)
    assert spillring("recv", "tiny", "--all").lines == ["small"]
    assert spillring("recv", orders, "--all").lines == ["x" * 100_000]


def test_to_a_durable_queue(serve, tmp_path):
    spillring, supervisor = serve("--state-dir", tmp_path / "state")
    spillring("create", "orders")
    spillring("create", "kept", "--durability", "disk")
    spillring("send", "orders", *map(str, range(1000)))
    spillring("move", "orders", "kept")
    supervisor.kill()
    supervisor.start()
    assert spillring("recv", "kept", "--all").lines == [str(n) for n in range(1000)]
