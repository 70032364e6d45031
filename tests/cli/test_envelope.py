"""The envelope: the same out and in, bit by bit."""

import base64
import json

import pytest
from failures import assert_failure

NOT_UTF8 = b"\xff\xfe\x00binary\n"


def encoded(data):
    return base64.b64encode(data).decode()


def contents(spillring, queue):
    """Payload, key and headers of every message, without what belongs to the queue."""
    keys = ("payload", "payload_b64", "key", "key_b64", "headers", "headers_b64")
    return [
        [(name, envelope[name]) for name in keys if name in envelope]
        for envelope in spillring("peek", queue, "--json").envelopes
    ]


def copy(spillring):
    done = spillring.shell("$spillring peek orders --json | $spillring send copy --json")
    assert done.returncode == 0, done.stderr


def test_a_copy_is_bit_exact(spillring, orders):
    spillring("create", "copy")
    payloads = [b"", b"text", b"two\nlines\r\n", b'"quoted" \\', "ä€😀".encode(), bytes(range(256)),
                NOT_UTF8, b"\x00", b"\xed\xa0\x80", b"\xc0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82",
                b"\xef\xbb\xbfbom", b"x" * 100_000, bytes(range(255, -1, -1)) * 3, b"[1,2]", b"{}"]
    for payload in payloads:
        spillring("send", orders, "-f", "-", "-H", "name=value", "--key", "key", stdin=payload)
    copy(spillring)
    assert contents(spillring, orders) == contents(spillring, "copy")
    received = [
        spillring("recv", "copy", "-o", "raw").bytes for _ in payloads
    ]
    assert received == payloads


def test_keys_and_headers_of_any_bytes(spillring, orders):
    spillring("create", "copy")
    envelopes = [
        {"payload": "plain"},
        {"payload": "empty key", "key": ""},
        {"payload": "binary key", "key_b64": encoded(NOT_UTF8)},
        {"payload": "headers", "headers": {"b": "1", "a": "", "binary": {"b64": encoded(NOT_UTF8)}}},
        {"payload": "order", "headers": {"z": "1", "a": "2", "m": "3"}},
        {"payload_b64": encoded(NOT_UTF8), "key": "k", "headers": {"ä": "ö"}},
    ]
    spillring("send", orders, "--json", stdin="".join(json.dumps(e) + "\n" for e in envelopes))
    shown = spillring("peek", orders, "--json").envelopes
    for sent, got in zip(envelopes, shown, strict=True):
        wanted = {"key": None, "headers": {}, **sent}
        if "key_b64" in sent:
            del wanted["key"]
        for name, value in wanted.items():
            assert got[name] == value
        assert list(got.get("headers", {})) == list(wanted["headers"])
    copy(spillring)
    assert contents(spillring, orders) == contents(spillring, "copy")


def test_names_that_fit_no_json_object(spillring, orders):
    """A name that is there twice, or that is no text, still comes out as it went in."""
    spillring("create", "copy")
    spillring("send", orders, "twice", "-H", "a=1", "-H", "b=2", "-H", "a=3")
    spillring("send", orders, "no text", "-H", b"\xff=1".decode("utf-8", "surrogateescape"))
    twice, no_text = spillring("peek", orders, "--json").envelopes
    assert "headers" not in twice and "headers" not in no_text
    assert twice["headers_b64"] == [
        [encoded(name), encoded(value)] for name, value in ((b"a", b"1"), (b"b", b"2"), (b"a", b"3"))
    ]
    assert no_text["headers_b64"] == [[encoded(b"\xff"), encoded(b"1")]]
    copy(spillring)
    assert contents(spillring, orders) == contents(spillring, "copy")


def test_what_belongs_to_the_queue_is_ignored(spillring, orders):
    envelope = {"queue": "other", "seq": 99, "ts": "2001-01-01T00:00:00Z", "key": None,
                "headers": None, "size": 12345, "payload": "p", "deliveries": 7}
    spillring("send", orders, "--json", stdin=json.dumps(envelope) + "\n\n  \n")
    got, = spillring("recv", orders, "--json").envelopes
    assert (got["queue"], got["seq"], got["size"], got["deliveries"]) == (orders, 1, 1, 1)
    assert not got["ts"].startswith("2001")


def test_size_counts_bytes(spillring, orders):
    spillring("send", orders, "€")
    assert spillring("peek", orders, "--json").envelopes[0]["size"] == 3


BAD = {
    "text": ("no json", "it is not JSON"),
    "cut off": ('{"payload": "x"', "it is not JSON"),
    "two values": ('{"payload": "x"} 1', "it is not JSON"),
    "a number too large": ('{"payload": "x", "seq": 1e999}', "too large"),
    "not UTF-8": (b'{"payload": "\xff"}', "it is not JSON"),
    "an array": ("[]", "it is not an object"),
    "a string": ('"payload"', "it is not an object"),
    "no payload": ('{"key": "k"}', 'neither "payload" nor "payload_b64"'),
    "null payload": ('{"payload": null}', 'neither "payload" nor "payload_b64"'),
    "number": ('{"payload": 1}', '"payload" is not a string'),
    "both": ('{"payload": "x", "payload_b64": ""}', 'both "payload" and "payload_b64"'),
    "base64": ('{"payload_b64": "a"}', '"payload_b64" is not base64'),
    "base64 letters": ('{"payload_b64": "a_-="}', '"payload_b64" is not base64'),
    "base64 in two parts": ('{"payload_b64": "YQ==YQ=="}', '"payload_b64" is not base64'),
    "base64 stray bits": ('{"payload_b64": "YR=="}', '"payload_b64" is not base64'),
    "key": ('{"payload": "x", "key": 1}', '"key" is not a string'),
    "headers": ('{"payload": "x", "headers": []}', '"headers" is not an object'),
    "header": ('{"payload": "x", "headers": {"a": 1}}', '"a" is not a string'),
    "header b64": ('{"payload": "x", "headers": {"a": {"b64": "?"}}}', '"a" is not base64'),
    "pairs": ('{"payload": "x", "headers_b64": [["YQ=="]]}', "something else than pairs"),
    "misspelt": ('{"payload": "x", "header": {}}', '"header" is not a member'),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_envelopes_change_nothing(spillring, orders, name):
    line, why = BAD[name]
    line = line.encode() if isinstance(line, str) else line
    outcome = spillring("send", orders, "--json", stdin=line + b"\n", code=65)
    assert_failure(outcome, "line 1 is not an envelope")
    assert why in outcome.err
    assert spillring.info(orders)["messages"] == 0


def test_a_bad_line_stops_there(spillring, orders):
    lines = '{"payload": "a"}\n\n{"payload": "b"}\n{"payload": \n{"payload": "c"}\n'
    outcome = spillring("send", orders, "--json", stdin=lines, code=65)
    assert_failure(outcome, "line 4 is not an envelope")
    assert spillring("peek", orders).out == "a\nb\n"


def test_a_copy_of_the_largest_messages(spillring):
    for name in ("orders", "copy"):
        spillring("create", name, "--capacity", "64MiB")
    for payload in (b"x" * (4 << 20), bytes(range(256)) * (4 << 12), b""):
        spillring("send", "orders", "-f", "-", "-H", "name=value", "--key", "k", stdin=payload)
    copy(spillring)
    assert contents(spillring, "orders") == contents(spillring, "copy")
    for payload in (b"x" * (4 << 20), bytes(range(256)) * (4 << 12), b""):
        assert spillring("recv", "copy", "-o", "raw").bytes == payload
