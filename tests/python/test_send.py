import array
import collections
import ctypes
import mmap
import queue as standard
import types

import numpy as np
import pytest
import spillring
from conftest import wait_until_blocked


def received(queue):
    return bytes(queue.get(timeout=5))


def some_mmap():
    memory = mmap.mmap(-1, 4096)
    memory[:5] = b"hello"
    return memory


@pytest.mark.parametrize(
    "data",
    [
        b"hello",
        bytearray(b"hello"),
        memoryview(b"hello"),
        memoryview(b"xhellox")[1:-1],
        array.array("i", [1, 2, 3]),
        (ctypes.c_uint16 * 3)(1, 2, 3),
        np.arange(12, dtype="f4"),
        np.arange(12).reshape(3, 4),
        np.float64(1.5),
        np.zeros(2, dtype=[("One", "i4"), ("two", "f8")]),
        some_mmap(),
        b"",
        bytearray(),
        np.zeros((0, 3)),
    ],
    ids=lambda data: type(data).__name__,
)
def test_put_takes_everything_with_a_buffer(queue, data):
    queue.put(data)
    assert received(queue) == memoryview(data).tobytes()


def test_put_takes_a_message(queue, make):
    other = make()
    queue.put(b"hello")
    other.put(queue.get_nowait())
    assert received(other) == b"hello"


@pytest.mark.parametrize("size", [0, 1, 8, 24, 25, 63, 64, 65, 4096, 65535, 65536, 65537, 1 << 20])
def test_put_of_every_size(queue, size):
    data = np.random.default_rng(size).bytes(size)
    queue.put(data)
    assert received(queue) == data


@pytest.mark.parametrize("size", [5, 100_000])
def test_put_returns_growing_sequences(queue, size):
    sequences = [queue.put(bytes(size)) for _ in range(5)]
    assert sequences == sorted(set(sequences))
    assert [queue.get_nowait().seq for _ in range(5)] == sequences


def test_put_releases_the_buffer(queue):
    for size in (5, 100_000):
        data = bytearray(size)
        queue.put(data, key=data[:4])
        data.append(1)  # a BufferError if somebody still had it
        queue.get_nowait()


@pytest.mark.parametrize("text", ["hello", ""])
def test_put_of_text_says_how(queue, text):
    with pytest.raises(TypeError, match=r"must be bytes, not 'str'; pass text.encode\(\)"):
        queue.put(text)


@pytest.mark.parametrize("data", [None, 5, 1.5, [1, 2], {"a": 1}, object(), iter(b"abc")])
def test_put_of_something_without_a_buffer(queue, data):
    with pytest.raises(TypeError, match="buffer protocol.*not '" + type(data).__name__):
        queue.put(data)


@pytest.mark.parametrize(
    "data",
    [
        memoryview(b"0123456789")[::2],
        memoryview(b"0123456789")[::-1],
        np.arange(12).reshape(3, 4).T,
        np.arange(12)[::2],
        np.asfortranarray(np.arange(12).reshape(3, 4)),
    ],
    ids=["step", "backwards", "transposed", "strided", "fortran"],
)
def test_put_of_memory_that_is_not_contiguous(queue, data):
    with pytest.raises(TypeError, match=r"contiguous.*np.ascontiguousarray"):
        queue.put(data)
    queue.put(np.ascontiguousarray(data))
    assert received(queue) == np.ascontiguousarray(data).tobytes()


def test_put_of_references_is_refused(queue):
    for data in (np.array([object()]), np.zeros(1, dtype=[("a", "i4"), ("b", object)])):
        with pytest.raises(TypeError, match="references to Python objects"):
            queue.put(data)


def test_put_refuses_what_it_cannot_hold(queue):
    largest = queue.info().largest
    with pytest.raises(spillring.TooLarge) as error:
        queue.put(bytes(largest + 1))
    assert isinstance(error.value, ValueError)
    queue.put(bytes(largest))
    assert len(queue.get_nowait()) == largest


def test_key_and_headers(queue):
    queue.put(b"x", key=b"k\0ey", headers={"a": b"1", "": b"", "ü": bytearray(b"\xff")})
    message = queue.get_nowait()
    assert message.key == b"k\0ey"
    assert message.headers == {"a": b"1", "": b"", "ü": b"\xff"}


def test_message_without_key_and_headers(queue):
    queue.put(b"x")
    message = queue.get_nowait()
    assert message.key is None
    assert message.headers == {}


def test_empty_key_is_a_key(queue):
    queue.put(b"x", key=b"", headers={})
    assert queue.get_nowait().key == b""


def test_headers_of_any_mapping(queue):
    for headers in (
        types.MappingProxyType({"a": b"1"}),
        collections.OrderedDict(a=b"1"),
        collections.ChainMap({"a": b"1"}),
    ):
        queue.put(b"x", headers=headers)
        assert queue.get_nowait().headers == {"a": b"1"}


def test_header_names_that_are_not_text_come_back_as_they_were(queue):
    queue.put(b"x", headers={"\udcff": b"1"})
    assert queue.get_nowait().headers == {"\udcff": b"1"}


@pytest.mark.parametrize("size", [10, 100_000])
def test_metadata_with_each_way_to_send(queue, size):
    metadata = {"key": b"k", "headers": {"h": b"v"}}
    queue.put(bytes(size), **metadata)
    queue.put_nowait(bytes(size), **metadata)
    queue.loan(size, **metadata).publish()
    for _ in range(3):
        message = queue.get_nowait()
        assert (message.key, message.headers, len(message)) == (b"k", {"h": b"v"}, size)


@pytest.mark.parametrize(
    "metadata, text",
    [
        ({"key": "text"}, r"key must be bytes, not 'str'; pass text.encode\(\)"),
        ({"key": 5}, "key must be bytes"),
        ({"headers": {"a": "text"}}, r"header 'a' must be bytes, not 'str'; pass text.encode\(\)"),
        ({"headers": {"a": None}}, "header 'a' must be bytes"),
        ({"headers": {b"a": b"1"}}, "header's name must be a str"),
        ({"headers": [("a", b"1")]}, "headers must be a mapping"),
        ({"headers": "a=1"}, "headers must be a mapping"),
        ({"headers": 5}, "headers must be a mapping"),
    ],
)
def test_metadata_of_another_type(queue, metadata, text):
    for call in (queue.put, queue.put_nowait):
        with pytest.raises(TypeError, match=text):
            call(b"x", **metadata)
    with pytest.raises(TypeError, match=text):
        queue.loan(1, **metadata)
    assert len(queue) == 0


@pytest.mark.parametrize(
    "metadata",
    [
        {"key": bytes(64 * 1024)},
        {"headers": {"h": bytes(64 * 1024)}},
        {"headers": {"h" * 70_000: b""}},
        {"headers": {str(n): bytes(100) for n in range(700)}},
    ],
    ids=["key", "header", "name", "sum"],
)
def test_metadata_beyond_64_kib(queue, metadata):
    with pytest.raises(ValueError):
        queue.put(b"x", **metadata)
    with pytest.raises(ValueError):
        queue.loan(1, **metadata)
    assert len(queue) == 0


@pytest.mark.parametrize("option, value", [("ttl", 5)])
def test_put_option_that_is_not_built_yet(queue, option, value):
    for call in (queue.put, queue.put_nowait):
        with pytest.raises(spillring.Error) as error:
            call(b"x", **{option: value})
        assert f"option '{option}' is not built yet in this version" in str(error.value)
        assert error.value.code == "unsupported"
    assert len(queue) == 0


def test_put_takes_its_arguments_by_keyword(queue):
    with pytest.raises(TypeError):
        queue.put(b"x", b"key")
    with pytest.raises(TypeError):
        queue.put()


@pytest.mark.parametrize("size", [1000, 100_000])
@pytest.mark.parametrize("full", ["block", "reject"])
def test_full(make, size, full):
    queue = make(capacity="1MiB", full=full, prealloc=True)
    sent = 0
    with pytest.raises(spillring.Full) as error:
        while True:
            queue.put_nowait(bytes(size))
            sent += 1
    assert isinstance(error.value, standard.Full)
    assert error.value.code == "full"
    assert 1 < sent <= len(queue)
    for call in (
        lambda: queue.put(bytes(size), timeout=0),
        lambda: queue.put(bytes(size), timeout=0.05),
        lambda: queue.loan(size, timeout=0.05),
    ):
        with pytest.raises(spillring.Full):
            call()
    queue.get_nowait()
    queue.get_nowait()
    queue.put(bytes(size), timeout=5)


def test_put_on_a_queue_that_rejects_does_not_wait(make):
    queue = make(capacity="64KiB", full="reject")
    with pytest.raises(spillring.Full):
        for _ in range(1000):
            queue.put(bytes(1000))
    with pytest.raises(spillring.Full):
        queue.loan(1000)


@pytest.mark.parametrize("size", [1000, 100_000])
def test_put_waits_for_room(make, in_thread, size):
    queue = make(capacity="1MiB")
    sent = 0
    with pytest.raises(spillring.Full):
        while True:
            queue.put_nowait(bytes(size))
            sent += 1
    put = in_thread(queue.put, b"x" * size)
    loan = in_thread(queue.loan, size)
    for thread in (put, loan):
        wait_until_blocked(thread.native_id)
    for _ in range(sent):
        queue.get_nowait()
    put.result()
    with loan.result() as slot:
        memoryview(slot)[:] = b"x" * size
    assert received(queue) == received(queue) == b"x" * size


@pytest.mark.parametrize("timeout", [-0.001, float("-inf"), float("nan")])
def test_timeout_that_can_never_work(queue, timeout):
    for call in (queue.put, queue.loan):
        with pytest.raises(spillring.Invalid, match="timeout"):
            call(b"x" if call == queue.put else 1, timeout=timeout)
    with pytest.raises(spillring.Invalid, match="timeout"):
        queue.get(timeout=timeout)


@pytest.mark.parametrize("timeout", [0, 0.0, 1, 1e300, float("inf"), np.float32(1), None, True])
def test_timeout_that_works(queue, timeout):
    queue.put(b"x", timeout=timeout)
    assert bytes(queue.get(timeout=timeout)) == b"x"
