"""Two releases that meet: each side says so, and nothing is mapped or changed."""

import pathlib
import re
import socket
import struct
import threading

import pytest
from failures import assert_failure

# The head of every request and answer (docs/memory-layout.md).
MAGIC = 0x4C525053
HELLO, LIST = 1, 4
REQUEST = struct.Struct("<IHHQQIIQ120sIIQQQQBBBxII4xQQ144x")
REPLY = struct.Struct("<IHBBQQIHHQQQQ512s")
VERSION_MISMATCH = 18


HEADER = (pathlib.Path(__file__).parents[2] / "lib/include/spillring/version.hpp").read_text()
LAYOUT, PROTOCOL = (int(re.search(rf"{name}_version = ([0-9]+);", HEADER)[1]) for name in ("layout", "protocol"))


def request(ask, protocol=PROTOCOL, layout=LAYOUT, magic=MAGIC):
    return REQUEST.pack(magic, ask, 0, 7, 0, 0, 0, 0, b"", protocol, layout, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)


@pytest.fixture
def connection(supervisor):
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as client:
        client.connect(supervisor.socket)
        client.settimeout(30)
        yield client


def reply(packet):
    """code and text of an answer"""
    fields = REPLY.unpack(packet)
    assert fields[0] == MAGIC
    return fields[2], fields[-1].rstrip(b"\0").decode().split("\n")


@pytest.mark.parametrize("versions", [{"protocol": 1}, {"layout": 1}, {"protocol": 0}, {"layout": 2**32 - 1}])
def test_a_client_of_another_version(connection, spillring, versions):
    connection.send(request(HELLO, **versions))
    code, (what, why, hint, _) = reply(connection.recv(4096))
    assert code == VERSION_MISMATCH
    assert "different versions" in what
    assert all(f"{name} {number}" in why for name, number in versions.items())
    assert "install" in hint
    assert connection.recv(4096) == b"", "the connection is closed"
    spillring("create", "q")


def test_a_client_of_this_version(connection):
    connection.send(request(HELLO))
    assert reply(connection.recv(4096))[0] == 0


def test_a_client_that_does_not_greet(connection, spillring):
    connection.send(request(LIST))
    code, (what, *_) = reply(connection.recv(4096))
    assert (code, what) == (VERSION_MISMATCH, "the first request of a connection is hello")
    assert connection.recv(4096) == b""
    spillring("create", "q")


NO_REQUESTS = {
    "byte": b"x",
    "http": b"GET / HTTP/1.1\r\n\r\n",
    "short": request(HELLO)[:-1],
    "long": request(HELLO) + b"x",
    "magic": request(HELLO, magic=1),
    "zeros": bytes(4096),
}


@pytest.mark.parametrize("packet", NO_REQUESTS.values(), ids=NO_REQUESTS)
def test_what_is_no_request(connection, spillring, packet):
    connection.send(packet)
    assert connection.recv(4096) == b"", "the connection is closed"
    spillring("create", "q")


class Pretender:
    """Listens where a supervisor would, and answers the first packet with what it was given."""

    def __init__(self, path, answer):
        self.answer = answer
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.listener.bind(path)
        self.listener.listen()
        self.listener.settimeout(30)
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self):
        peer, _ = self.listener.accept()
        with peer:
            hello = REQUEST.unpack(peer.recv(4096))
            peer.send(self.answer(hello) if callable(self.answer) else self.answer)
            peer.settimeout(30)
            assert peer.recv(4096) == b"", "nothing more is asked of it"

    def close(self):
        self.thread.join()
        self.listener.close()


@pytest.fixture
def pretend(lonely):
    pretenders = []

    def start(answer):
        pretenders.append(Pretender(lonely.socket, answer))
        return lonely

    yield start
    for pretender in pretenders:
        pretender.close()


def refusal(hello):
    text = b"this client and the supervisor are of different versions\nclient: 1; supervisor: 9\ninstall one release\n"
    return REPLY.pack(MAGIC, HELLO, VERSION_MISMATCH, 0, hello[3], 0, 0, 0, 0, 0, 0, 0, 0, text)


def test_a_supervisor_of_another_version(pretend):
    outcome = pretend(refusal)("ls", code=69)
    assert_failure(outcome, "different versions", "install one release")


@pytest.mark.parametrize("answer", [b"\0" * REPLY.size, b"HTTP/1.1 400 Bad Request" * 50], ids=["zeros", "http"])
def test_what_is_no_supervisor(pretend, answer):
    outcome = pretend(answer)("ls", code=69)
    assert_failure(outcome, "not a spillring supervisor")


def test_an_answer_that_is_cut_off(pretend):
    outcome = pretend(b"x")("ls", code=None)
    assert outcome.code not in (0, 1)
    assert_failure(outcome, "cut off")
